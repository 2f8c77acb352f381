/** The web process's end of `DIR/web/core.sock`, without a web process: asks as it would, one connection a question. */
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import type { Credential, SignedIn } from "@futago/firmware/runtime/control-access.ts";
import type { Refusal } from "@futago/firmware/runtime/exit-code.ts";
import { LineReader, parseObject } from "@futago/firmware/runtime/line-reader.ts";

const ANSWER_MILLIS_MAX = 15_000;
const LINE_BYTES_MAX = 1 << 20;

export interface Asking {
  readonly credential?: Credential;
  readonly from?: string;
}

/** Resolves to the result; rejects with a {@link Refused}. */
export async function askWeb<Result>(
  state: string,
  method: string,
  params: object,
  { credential, from = "10.1.0.254" }: Asking = {},
): Promise<Result> {
  const reply = await exchange(state, { id: 1, method, params, credential, from });
  if ("error" in reply) throw new Refused(reply["error"] as Refusal);
  return reply["result"] as Result;
}

/** The reason of the refusal; "done" where there is none. */
export async function outcome(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "done";
  } catch (error) {
    if (error instanceof Refused) return error.refusal.reason ?? error.refusal.what;
    throw error;
  }
}

export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.what);
    this.refusal = refusal;
  }
}

export function credentialOf({ session, proof }: SignedIn): Credential {
  return { kind: "session", session, proof };
}

/** The first answer to what is written as it stands. */
export async function exchange(state: string, request: object): Promise<Readonly<Record<string, unknown>>> {
  const socket = connect({ path: join(state, "web", "core.sock") });
  const lines = new LineReader(LINE_BYTES_MAX);
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    const signal = AbortSignal.timeout(ANSWER_MILLIS_MAX);
    for (;;) {
      const [chunk] = (await once(socket, "data", { signal })) as [Buffer];
      const [line] = lines.push(chunk);
      if (line !== undefined) return parseObject(line) ?? {};
    }
  } finally {
    socket.destroy();
  }
}
