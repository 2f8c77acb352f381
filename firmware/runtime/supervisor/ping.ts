/** What supervisor and children say to know that the other one's event loop turns. */

export interface Ping {
  readonly kind: "ping";
}

export interface Pong {
  readonly kind: "pong";
}

/** For the life of the process. */
export function answerPings(): void {
  process.on("message", (message) => {
    if ((message as Ping).kind === "ping") process.send?.({ kind: "pong" } satisfies Pong);
  });
}
