/**
 * The bundle that this browser sends. It goes on while other pages of ours are looked at. By XMLHttpRequest: fetch tells
 * nothing of what was sent.
 */
import { signal } from "@preact/signals";
import { ApiProblem, problemOf } from "../../client/problem.ts";
import { queryText } from "../../client/api.ts";
import { broken, progressed, type Upload } from "../logic/sending.ts";
import { proof } from "./session.ts";

export const upload = signal<Upload>({ kind: "none" });
let request: XMLHttpRequest | undefined;

export interface UpdateWish {
  readonly thisBox: boolean;
  readonly force: boolean;
}

/** Resolves to what the box said; undefined when it came to nothing, of which {@link upload} tells why. */
export function sendBundle(file: File, { thisBox, force }: UpdateWish): Promise<string | undefined> {
  const sending = new XMLHttpRequest();
  request = sending;
  const sinceMillis = Date.now();
  const begun = { kind: "sending", name: file.name, sent: 0, length: file.size } as const;
  upload.value = { ...begun, sinceMillis, atMillis: sinceMillis };
  return new Promise((resolve) => {
    const end = (now: Upload, said?: string) => {
      upload.value = now;
      request = undefined;
      resolve(said);
    };
    sending.upload.addEventListener("progress", ({ loaded }) => {
      upload.value = progressed(upload.value, loaded, Date.now());
    });
    sending.addEventListener("load", () => {
      const answer = parsed(sending.responseText);
      if (sending.status === 200) return end({ kind: "none" }, answer.message ?? "");
      end({ kind: "refused", error: refusalOf(sending, answer) });
    });
    sending.addEventListener("error", () => end(broken(upload.value)));
    sending.addEventListener("abort", () => end({ kind: "none" }));
    const query = queryText({ ...(thisBox ? { thisBox } : {}), ...(force ? { force } : {}) });
    sending.open("POST", `/api/v1/update${query}`);
    sending.setRequestHeader("content-type", "application/octet-stream");
    sending.setRequestHeader("futago-proof", proof() ?? "");
    sending.send(file);
  });
}

export function cancelSending(): void {
  request?.abort();
}

function parsed(text: string): { readonly message?: string } {
  try {
    return JSON.parse(text) as { readonly message?: string };
  } catch {
    // Whatever stands between the box and the browser said it; the status tells.
    return {};
  }
}

function refusalOf(sending: XMLHttpRequest, answer: unknown): ApiProblem {
  const retry = Number.parseInt(sending.getResponseHeader("retry-after") ?? "", 10);
  return new ApiProblem(problemOf(sending.status, answer), Number.isNaN(retry) ? undefined : retry);
}
