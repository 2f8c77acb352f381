/** An end of a ceremony that is no box: the same machine on the same sockets, which says yes to everything and keeps nothing. */
import { instant } from "@futago/hal/units/time.ts";
import { Lines, PAIRING_PORT, Search } from "@futago/firmware/runtime/core/pairing/cable.ts";
import { primitives, stretch, talkSecrets } from "@futago/firmware/runtime/core/pairing/primitives.ts";
import {
  type CeremonyAction,
  type CeremonyInput,
  type CeremonyState,
  initialCeremony,
  isSeeking,
  shown,
  stepCeremony,
} from "@futago/firmware/pair/ceremony/ceremony.ts";
import { encodeCeremonyMessage } from "@futago/firmware/pair/ceremony/message.ts";
import type { Party } from "@futago/firmware/pair/ceremony/talk-state.ts";

const now = () => instant(Number(process.hrtime.bigint() / 1_000n));

export class Face {
  #state: CeremonyState = initialCeremony;
  #digits = "";
  readonly #name: string;
  readonly #clock: () => number;
  readonly #lines = new Lines({
    onLine: (connection, line) => this.#input({ kind: "line", connection, line, clock: this.#clock() }),
    onClosed: (connection) => this.#input({ kind: "closed", connection }),
  });

  /** Writes what it sees to standard output, with its name. `clock`: milliseconds since 1970. */
  constructor(name: string, clock: () => number = Date.now) {
    this.#name = name;
    this.#clock = clock;
  }

  join(party: Omit<Party, "role">, device: string): void {
    this.#input({ kind: "join", party: { ...party, role: "joiner" } });
    const seeking = new Search(0, {
      onFault,
      onMessage: (message, { address: place }) => {
        if (message.kind !== "here" || !isSeeking(this.#state)) return;
        this.#input({ kind: "found", tag: message.tag, place, connection: this.#lines.nextNumber() });
      },
    });
    seeking.setDevices([device]);
  }

  invite(party: Omit<Party, "role">, device: string): void {
    this.#input({ kind: "invite", party: { ...party, role: "inviter" } });
    this.#lines.listen((connection) => this.#connected(connection), onFault);
    const heard = new Search(PAIRING_PORT, {
      onFault,
      onMessage: (message, from) => {
        if (message.kind === "seek") heard.answer(party.code.tag, from);
      },
    });
    heard.setDevices([device]);
  }

  #connected(connection: number): void {
    this.#input({ kind: "connected", connection, secrets: talkSecrets() });
  }

  #input(input: CeremonyInput): void {
    const { state, actions } = stepCeremony(primitives, this.#state, input, now());
    this.#state = state;
    for (const action of actions) this.#carryOut(action);
    const { digits } = shown(this.#state, now());
    if (digits === null || digits === this.#digits) return;
    this.#digits = digits;
    this.#tell({ digits });
    this.#input({ kind: "answered", yes: true });
  }

  #carryOut(action: CeremonyAction): void {
    switch (action.kind) {
      case "send":
        return this.#lines.send(action.connection, encodeCeremonyMessage(action.message));
      case "dial":
        return this.#lines.dial(action.connection, action.place, () => this.#connected(action.connection));
      case "close":
        return this.#lines.close(action.connection);
      case "stretch": {
        const { connection } = action;
        void stretch(action.text, action.salt).then((key) => this.#input({ kind: "stretched", connection, key }));
        return;
      }
      case "takeClock":
        return this.#input({ kind: "clockTaken", verdict: "kept" });
      case "keep":
        return this.#input({ kind: "disk", ok: true });
      case "undo":
        return;
      case "ended":
        return this.#tell({ ...action.ending });
    }
  }

  #tell(what: Readonly<Record<string, unknown>>): void {
    process.stdout.write(`${JSON.stringify({ face: this.#name, ...what })}\n`);
  }
}

function onFault(error: Error): void {
  throw error;
}
