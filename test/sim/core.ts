/** The C core of pulse as the simulator drives it, through the addon: the very code that the pulse program runs. */
import { addon } from "@futago/hal/addon/load.ts";
import { encodeCommand, ReportReader } from "@futago/hal/pulse/protocol.ts";
import type { PulseCommand, PulseReport } from "@futago/hal/units/pulse.ts";

interface PulseAddon {
  pulseCreate(nonce: number, now: number): unknown;
  pulseCommand(core: unknown, message: Uint8Array, now: number): boolean;
  pulseReceive(core: unknown, path: number, beat: Uint8Array, now: number): number;
  pulseTick(core: unknown, now: number): number;
  pulseReleaseAll(core: unknown, now: number): void;
  pulseTake(core: unknown): Uint8Array | undefined;
  pulseGate(core: unknown, group: number, now: number): number;
}

const native = addon as PulseAddon;

export type CoreOutput =
  | { readonly kind: "send"; readonly path: number; readonly beat: Uint8Array }
  | { readonly kind: "report"; readonly report: PulseReport };

export class PulseCore {
  readonly #core: unknown;

  constructor(nonce: number, now: number) {
    this.#core = native.pulseCreate(nonce, now);
  }

  command(command: PulseCommand, now: number): void {
    if (!native.pulseCommand(this.#core, encodeCommand(command), now)) throw new Error(`pulse refused ${command.kind}`);
  }

  receive(path: number, beat: Uint8Array, now: number): void {
    native.pulseReceive(this.#core, path, beat, now);
  }

  /** Returns when the next tick is due, -1 when the program ends. */
  tick(now: number): number {
    return native.pulseTick(this.#core, now);
  }

  releaseAll(now: number): void {
    native.pulseReleaseAll(this.#core, now);
  }

  /** What the kernel's gate would let through: 1 answer, 2 forward. */
  gate(group: number, now: number): number {
    return native.pulseGate(this.#core, group, now);
  }

  take(): CoreOutput[] {
    const bytes = native.pulseTake(this.#core);
    if (bytes === undefined) return [];
    const view = new DataView(bytes.buffer);
    const outputs: CoreOutput[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = view.getUint32(at, true);
      const body = bytes.subarray(at + 8, at + 8 + length);
      if (bytes[at + 4] === 1) outputs.push({ kind: "send", path: bytes[at + 5] ?? 0, beat: body });
      if (bytes[at + 4] === 3)
        for (const report of new ReportReader().push(body)) outputs.push({ kind: "report", report });
      at += 8 + length;
    }
    return outputs;
  }
}
