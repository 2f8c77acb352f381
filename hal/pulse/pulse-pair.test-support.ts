import { addon } from "../addon/load.ts";
import type { PulseCommand, PulseReport } from "../units/pulse.ts";
import { BEAT_OUTCOMES, encodeCommand, ReportReader } from "./protocol.ts";

/**
 * Two cores of pulse on one hand-moved clock. A beat that a core sends lies in its `sent` until a test delivers it.
 * Dead time 75 ms, lease 45 ms, a beat every 15 ms.
 */
export const native = addon as {
  pulseCreate(nonce: number, now: number): unknown;
  pulseCommand(core: unknown, message: Uint8Array, now: number): boolean;
  pulseReceive(core: unknown, path: number, beat: Uint8Array, now: number): number;
  pulseTick(core: unknown, now: number): number;
  pulseReleaseAll(core: unknown, now: number): void;
  pulseTake(core: unknown): Uint8Array | undefined;
  pulseGate(core: unknown, group: number, now: number): number;
};
export const BEAT = 15_000;
export const ANSWER = 1;
export const FORWARD = 2;

export class End {
  readonly core: unknown;
  sent: { readonly path: number; readonly beat: Uint8Array }[] = [];
  reports: PulseReport[] = [];

  constructor(box: "a" | "b", nonce: number, now: number, safety = false) {
    this.core = native.pulseCreate(nonce, now);
    const paths = [{ ifindex: 1 as never, id: 1 }];
    this.order(
      { kind: "configure", key: new Uint8Array(32), configId: "00000000000000aa", box, safety, port: 7405, paths },
      now,
    );
    const preference = box === "a" ? 200 : 100;
    this.order(
      { kind: "group", group: 0, id: 7, idle: "standby", armed: true, health: 255, preference, asks: false },
      now,
    );
  }

  order(command: PulseCommand, now: number): void {
    if (!native.pulseCommand(this.core, encodeCommand(command), now)) throw new Error(`pulse refused ${command.kind}`);
    this.collect();
  }

  act(act: "takeOver" | "release" | "offer" | "ready" | "keep", now: number): void {
    this.order({ kind: "act", group: 0, act, reason: act === "offer" || act === "ready" ? "handover" : "order" }, now);
  }

  /** When the next one is due. */
  tick(now: number): number {
    const next = native.pulseTick(this.core, now);
    this.collect();
    return next;
  }

  receive(beat: Uint8Array, now: number): string {
    const result = BEAT_OUTCOMES[native.pulseReceive(this.core, 0, beat, now)] ?? "unknown";
    this.collect();
    return result;
  }

  gate(now: number): number {
    return native.pulseGate(this.core, 0, now);
  }

  get state(): string | undefined {
    const snapshot = this.reports.findLast((report) => report.kind === "snapshot");
    return snapshot?.kind === "snapshot" ? snapshot.groups[0]?.state : undefined;
  }

  kinds(): string[] {
    return this.reports.filter((report) => report.kind !== "snapshot").map((report) => report.kind);
  }

  collect(): void {
    const bytes = native.pulseTake(this.core);
    if (bytes === undefined) return;
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 8 + view.getUint32(at, true)) {
      const body = bytes.slice(at + 8, at + 8 + view.getUint32(at, true));
      if (bytes[at + 4] === 1) this.sent.push({ path: 0, beat: body });
      if (bytes[at + 4] === 3) this.reports.push(...new ReportReader().push(body));
    }
  }
}

export class Pair {
  now = 1_000_000;
  readonly a: End;
  readonly b: End;
  aHeard = true;
  bHeard = true;
  aPetted = true;

  constructor(safety = false) {
    this.a = new End("a", 11, this.now, safety);
    this.b = new End("b", 22, this.now, safety);
    this.run(4);
  }

  /** Lets `beats` beats pass; whatever is sent arrives at once, both ways, until nobody has anything to say. */
  run(beats: number, eachBeat: () => void = () => undefined): void {
    for (let i = 0; i < beats; i++) {
      this.now += BEAT;
      if (this.aPetted) this.a.order({ kind: "pet" }, this.now);
      this.b.order({ kind: "pet" }, this.now);
      this.a.tick(this.now);
      this.b.tick(this.now);
      this.exchange();
      eachBeat();
    }
  }

  exchange(): void {
    while (this.a.sent.length + this.b.sent.length > 0) {
      const fromA = this.a.sent.splice(0);
      const fromB = this.b.sent.splice(0);
      for (const { beat } of fromA) if (this.aHeard) this.b.receive(beat, this.now);
      for (const { beat } of fromB) if (this.bHeard) this.a.receive(beat, this.now);
    }
  }

  bits(): [number, number] {
    return [this.a.gate(this.now), this.b.gate(this.now)];
  }
}

export function pairWithActiveA(safety = false): Pair {
  const pair = new Pair(safety);
  pair.a.act("takeOver", pair.now);
  pair.run(4);
  if (pair.bits().join() !== `${ANSWER | FORWARD},0`) throw new Error("a does not hold the group");
  return pair;
}
