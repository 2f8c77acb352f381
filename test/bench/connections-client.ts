/**
 * Thousands of clients in one process of the client's namespace, each with a connection over which something is said
 * now and again. Orders come as lines of JSON; each is answered by a line, a report after "report".
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { onLines } from "../netns/survival-talk.ts";

export interface ClientDial {
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly count: number;
}

export type ClientOrder =
  | { readonly kind: "dial"; readonly dials: readonly ClientDial[] }
  /** Each connection says something so often from now on. */
  | { readonly kind: "chat"; readonly everyMillis: number }
  /** What the report says of answers counts from now on. */
  | { readonly kind: "mark" }
  | { readonly kind: "report" };

/** Of all connections with one label. */
export interface ClientReport {
  readonly label: string;
  readonly open: number;
  /** Got an answer to something that was said after the mark. */
  readonly alive: number;
  /** Of what was said after the mark, and a little before: the longest wait of any connection. */
  readonly longestMillis: number;
  readonly lost: Readonly<Record<string, number>>;
}

/** As fast as servers accept. */
const DIALS = 100;
const DIAL_MILLIS = 50;
const CHAT_MILLIS = 20;

class Connection {
  readonly label: string;
  readonly #socket: Socket;
  isOpen = false;
  lost: string | undefined;
  /** When what waits for an answer was said; 0: nothing does. */
  #saidAt = 0;
  #words = 0;
  aliveSince = 0;
  longestMillis = 0;

  constructor({ label, host, port }: ClientDial, id: number) {
    this.label = label;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on("connect", () => this.#socket.write(`hello ${id}\n`));
    this.#socket.on("error", (error: NodeJS.ErrnoException) => (this.lost = error.code ?? error.message));
    this.#socket.on("close", () => (this.lost ??= "closed by the other end"));
    onLines(this.#socket, (verb, word) => {
      if (verb === "hello") this.isOpen = true;
      else if (verb === "said" && word === String(this.#words)) this.#heard();
    });
  }

  say(): void {
    if (this.#saidAt !== 0 || this.lost !== undefined || !this.isOpen) return;
    this.#saidAt = performance.now();
    this.#socket.write(`say ${++this.#words}\n`);
  }

  #heard(): void {
    this.longestMillis = Math.max(this.longestMillis, performance.now() - this.#saidAt);
    this.aliveSince = this.#saidAt;
    this.#saidAt = 0;
  }
}

const all: Connection[] = [];
let markedAt = 0;
let turn = 0;

function report(): readonly ClientReport[] {
  return [...new Set(all.map(({ label }) => label))].map((label) => {
    const some = all.filter((one) => one.label === label);
    const lost: Record<string, number> = {};
    for (const { lost: why } of some) if (why !== undefined) lost[why] = (lost[why] ?? 0) + 1;
    return {
      label,
      open: some.filter(({ isOpen, lost: why }) => isOpen && why === undefined).length,
      alive: some.filter(({ aliveSince, lost: why }) => aliveSince > markedAt && why === undefined).length,
      longestMillis: some.reduce((most, { longestMillis }) => Math.max(most, longestMillis), 0),
      lost,
    };
  });
}

async function dial(dials: readonly ClientDial[]): Promise<void> {
  // In turn, so that at every moment connections of each label speak.
  const rounds = Array.from({ length: Math.max(0, ...dials.map(({ count }) => count)) }, (_, i) => i);
  const each = rounds.flatMap((round) => dials.filter(({ count }) => round < count));
  for (let i = 0; i < each.length; i += DIALS) {
    for (const one of each.slice(i, i + DIALS)) all.push(new Connection(one, all.length));
    await new Promise((resolve) => setTimeout(resolve, DIAL_MILLIS));
  }
}

/** A slice of all at each tick, so that what is said is spread evenly. */
function chat(everyMillis: number): void {
  const slice = Math.ceil((all.length * CHAT_MILLIS) / everyMillis);
  setInterval(() => {
    for (let i = 0; i < slice; i++) all[(turn + i) % all.length]?.say();
    turn = (turn + slice) % all.length;
  }, CHAT_MILLIS);
}

async function carryOut(order: ClientOrder): Promise<readonly ClientReport[]> {
  switch (order.kind) {
    case "dial":
      await dial(order.dials);
      return [];
    case "chat":
      chat(order.everyMillis);
      return [];
    case "mark":
      markedAt = performance.now();
      for (const one of all) one.longestMillis = 0;
      return [];
    case "report":
      return report();
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    void carryOut(JSON.parse(line) as ClientOrder).then((answer) =>
      process.stdout.write(`${JSON.stringify(answer)}\n`),
    );
  })
  .on("close", () => process.exit(0));
