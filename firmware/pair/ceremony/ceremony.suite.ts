/** Ceremonies on paper: boxes as states, a wire that carries what they send, and people who say yes or no. */
import { scryptSync } from "node:crypto";
import { after, instant, millis, seconds, type Instant } from "@futago/hal/units/time.ts";
import { primitives, talkSecrets } from "../../runtime/core/pairing/primitives.ts";
import {
  type CeremonyAction,
  type CeremonyInput,
  type CeremonyState,
  type Ending,
  initialCeremony,
  shown,
  stepCeremony,
} from "./ceremony.ts";
import type { Code } from "./code.ts";
import { type CeremonyMessage, encodeCeremonyMessage } from "./message.ts";
import { type ClockVerdict, isWrong } from "./clock.ts";
import type { Pairing, Party } from "./talk-state.ts";

export const CODE: Code = { tag: "K7", secret: "QM3XRP" };
export const INVITER: Party = {
  role: "inviter",
  code: CODE,
  release: "1.2.0",
  certificate: "30aa",
  letter: "a",
  seed: "5e".repeat(16),
};
export const JOINER: Party = {
  role: "joiner",
  code: CODE,
  release: "1.2.1",
  certificate: "30bb",
  letter: "a",
  seed: "",
};

/** How a box says that it failed. */
export const failed = (refusal: string, by: string) => ({ kind: "failed", refusal, by });

/** As slow as a test may be; the real one is scrypt, too. */
export function fastStretch(text: string, salt: Uint8Array): Uint8Array {
  return scryptSync(text, salt, 32, { N: 2 });
}

/** One box, whose clock can be wrong. */
export class PaperBox {
  state: CeremonyState = initialCeremony;
  now: Instant = instant(1_000_000);
  clock: number;
  /** What comes of it where the clock is wrong. */
  clockVerdict: ClockVerdict = "set";
  readonly sent: CeremonyMessage[] = [];
  readonly kept: Pairing[] = [];
  readonly endings: Ending[] = [];
  undone = 0;
  closed: number[] = [];
  /** False: the disk refuses. */
  disk = true;
  /** What is sent goes here; set by whoever lays the cable. */
  onSend: (connection: number, message: CeremonyMessage) => void = () => undefined;

  constructor(clock = 1_700_000_000_000) {
    this.clock = clock;
  }

  input(input: CeremonyInput): readonly CeremonyAction[] {
    const { state, actions } = stepCeremony(primitives, this.state, input, this.now);
    this.state = state;
    for (const action of actions) this.#carryOut(action);
    return actions;
  }

  hear(connection: number, message: CeremonyMessage): void {
    this.hearLine(connection, encodeCeremonyMessage(message));
  }

  hearLine(connection: number, line: string): void {
    this.input({ kind: "line", connection, line, clock: this.clock });
  }

  connect(connection: number): void {
    this.input({ kind: "connected", connection, secrets: talkSecrets() });
  }

  pass(secondsPassed: number): void {
    this.now = (this.now + seconds(secondsPassed)) as Instant;
    this.input({ kind: "timeout" });
  }

  /** Both its clocks go on. */
  wait(millisPassed: number): void {
    this.now = after(this.now, millis(millisPassed));
    this.clock += millisPassed;
  }

  get versions() {
    return shown(this.state, this.now).versions;
  }

  get digits(): string | null {
    return shown(this.state, this.now).digits;
  }

  get phase(): string {
    return shown(this.state, this.now).phase;
  }

  get ending(): Ending | undefined {
    return this.state.kind === "idle" ? this.state.last : undefined;
  }

  get said(): readonly string[] {
    return this.sent.map((message) => (message.kind === "refused" ? `refused ${message.refusal}` : message.kind));
  }

  #carryOut(action: CeremonyAction): void {
    switch (action.kind) {
      case "send":
        this.sent.push(action.message);
        return this.onSend(action.connection, action.message);
      case "stretch":
        this.input({ kind: "stretched", connection: action.connection, key: fastStretch(action.text, action.salt) });
        return;
      case "takeClock": {
        const verdict = isWrong(action.difference) ? this.clockVerdict : "level";
        if (verdict === "set") this.clock += action.difference.aheadMillis;
        this.input({ kind: "clockTaken", verdict });
        return;
      }
      case "keep":
        if (this.disk) this.kept.push(action.pairing);
        this.input({ kind: "disk", ok: this.disk });
        return;
      case "undo":
        this.undone += 1;
        return;
      case "close":
        this.closed.push(action.connection);
        return;
      case "ended":
        this.endings.push(action.ending);
        return;
      case "dial":
        return;
    }
  }
}

/** Carries what each says to the other, one message after the other, as a cable would. */
export class Cable {
  #waiting: (() => void)[] = [];
  /** What is given back goes on; undefined is lost. */
  alter: (from: "inviter" | "joiner", message: CeremonyMessage) => CeremonyMessage | undefined = (_, message) =>
    message;

  constructor(inviter: PaperBox, joiner: PaperBox, connection = 1) {
    const way = (from: "inviter" | "joiner", to: PaperBox) => (number: number, message: CeremonyMessage) => {
      if (number !== connection) return;
      const altered = this.alter(from, message);
      if (altered !== undefined) this.#waiting.push(() => to.hear(connection, altered));
    };
    inviter.onSend = way("inviter", joiner);
    joiner.onSend = way("joiner", inviter);
  }

  run(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
  }
}

/** An invitation, and a box that has found it and stands before the digits. */
export function meet(joinerParty: Party = JOINER, inviterParty: Party = INVITER) {
  const [inviter, joiner] = [new PaperBox(), new PaperBox(1_700_000_004_000)];
  const cable = new Cable(inviter, joiner);
  inviter.input({ kind: "invite", party: inviterParty });
  joiner.input({ kind: "join", party: joinerParty });
  joiner.input({ kind: "found", tag: joinerParty.code.tag, place: "eth2", connection: 1 });
  return { inviter, joiner, cable, begin: () => begin(inviter, joiner, cable) };
}

function begin(inviter: PaperBox, joiner: PaperBox, cable: Cable): void {
  inviter.connect(1);
  joiner.connect(1);
  cable.run();
}

export function sayYes(cable: Cable, ...boxes: readonly PaperBox[]): void {
  for (const box of boxes) box.input({ kind: "answered", yes: true });
  cable.run();
}
