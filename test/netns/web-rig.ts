/** A person or a script at a box's API, somewhere in the test's network. */
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { ask } from "@futago/firmware/cli/client.ts";
import type { SignedIn } from "@futago/firmware/runtime/control-access.ts";
import type { Namespace } from "./namespaces.ts";

export const WEB_PORT = 8443;
export const PASSWORD = "seven old lanterns";

export interface WebQuestion {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64. */
  readonly body?: string;
  readonly stream?: boolean;
  readonly close?: boolean;
}

export interface WebAnswer {
  readonly id: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly chunk?: string;
  readonly ended?: boolean;
  /** There was no answer. */
  readonly error?: string;
}

export interface Answered {
  /** 0: there was none, for the reason `error`. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly error: string | undefined;
  json(this: void): unknown;
}

export interface Wish {
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes as they are; everything else as JSON. */
  readonly body?: unknown;
}

export interface EventsRead {
  /** All that came so far. */
  text(): string;
  /** Name and data of each event. */
  events(): readonly { readonly id: string; readonly event: string; readonly data: string }[];
  ended(): boolean;
  close(): void;
}

const CLIENT = fileURLToPath(new URL("./web-client.ts", import.meta.url));

export class WebClient {
  readonly #say: (question: WebQuestion) => void;
  readonly #listeners = new Map<number, (answer: WebAnswer) => void>();
  #last = 0;

  constructor(namespace: Namespace, host: string) {
    const child = namespace.spawn([process.execPath, CLIENT, host, String(WEB_PORT)], { stdio: ["pipe", "pipe", 2] });
    this.#say = (question) => child.stdin?.write(`${JSON.stringify(question)}\n`);
    if (child.stdout === null) throw new Error("the client has no standard output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const answer = JSON.parse(line) as WebAnswer;
      this.#listeners.get(answer.id)?.(answer);
    });
  }

  /** `path` is whole: "/api/v1/status". */
  ask(method: string, path: string, { headers = {}, body }: Wish = {}): Promise<Answered> {
    const id = ++this.#last;
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const type = body === undefined || Buffer.isBuffer(body) ? {} : { "content-type": "application/json" };
    const base64 = bytes === undefined ? {} : { body: bytes.toString("base64") };
    const length = { "content-length": String(bytes?.length ?? 0) };
    this.#say({ id, method, path, headers: { ...length, ...type, ...headers }, ...base64 });
    return new Promise((resolve) => {
      this.#listeners.set(id, (answer) => {
        this.#listeners.delete(id);
        const content = Buffer.from(answer.body ?? "", "base64");
        resolve({
          status: answer.status ?? 0,
          headers: answer.headers ?? {},
          bytes: content,
          error: answer.error,
          json: () => JSON.parse(content.toString("utf8")) as unknown,
        });
      });
    });
  }

  follow(path: string, headers: Readonly<Record<string, string>>): EventsRead {
    const id = ++this.#last;
    let text = "";
    let isOver = false;
    this.#listeners.set(id, ({ chunk = "", ended, error }) => {
      text += chunk;
      isOver ||= ended === true || error !== undefined;
    });
    this.#say({ id, method: "GET", path, headers, stream: true });
    return {
      text: () => text,
      events: () =>
        Array.from(
          text.matchAll(/^id: (.*)\nevent: (.*)\ndata: (.*)$/gm),
          ([, eventId = "", event = "", data = ""]) => ({
            id: eventId,
            event,
            data,
          }),
        ),
      ended: () => isOver,
      close: () => this.#say({ id, method: "", path: "", headers: {}, close: true }),
    };
  }
}

/** What goes with each request of a session. */
export type Session = Readonly<Record<"cookie" | "futago-proof", string>>;

export function sessionOf(answer: Answered): Session {
  const [cookie = ""] = String(answer.headers["set-cookie"]).split(";");
  return { cookie, "futago-proof": (answer.json() as SignedIn).proof };
}

/** Makes the first account, "anna", of a box whose code the test reads as root. */
export async function claim(web: WebClient, state: string): Promise<Session> {
  const { claimCode } = await ask(state, "webAccess", {});
  const answer = await web.ask("POST", "/api/v1/claim", {
    body: { code: claimCode, name: "anna", password: PASSWORD },
  });
  if (answer.status !== 200) throw new Error(`the box was not claimed: ${answer.bytes.toString("utf8")}`);
  return sessionOf(answer);
}

export async function tokenWith(web: WebClient, session: Session, scopes: readonly string[]): Promise<string> {
  const answer = await web.ask("POST", "/api/v1/tokens", {
    headers: session,
    body: { name: `of-${scopes[0] ?? "nothing"}`, scopes },
  });
  if (answer.status !== 200) throw new Error(`there is no token: ${answer.bytes.toString("utf8")}`);
  return (answer.json() as { readonly token: string }).token;
}
