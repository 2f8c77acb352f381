/**
 * What is said over the connections of the survival tests, in lines. A client begins with `hello ID` and is greeted
 * back; `say WORD` is answered by the server with `said WORD`, `ask WORD` by the client with `answer WORD`.
 */
import type { Socket } from "node:net";

/** One connection to a service. */
export interface Dial {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/** An order to the client's process: a line of JSON. */
export type Order =
  | { readonly kind: "dial"; readonly dials: readonly Dial[] }
  | { readonly kind: "say"; readonly ids: readonly number[]; readonly word: string };

/** What the client's process tells: lines of JSON. */
export type Told =
  | { readonly kind: "open"; readonly id: number }
  | { readonly kind: "said"; readonly id: number; readonly word: string }
  | { readonly kind: "lost"; readonly id: number; readonly reason: string };

/** Calls back with the two words of each whole line. */
export function onLines(socket: Socket, take: (verb: string, word: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(...wordsOf(line));
  });
}

function wordsOf(line: string): [verb: string, word: string] {
  const [verb = "", word = ""] = line.split(" ");
  return [verb, word];
}
