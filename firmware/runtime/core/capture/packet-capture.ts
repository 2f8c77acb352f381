/** One capture at a time: puts the filter into the balancer, reads what it copied, and takes the filter out again. */
import { HalError } from "@futago/hal/contract/error.ts";
import type { BpfEvents } from "@futago/hal/contract/bpf.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import type { CaptureEndpoint, Captured, CaptureTables } from "@futago/hal/xdp/capture.ts";
import type { CapturedFrame, CaptureEvent } from "../../control.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { framesOf } from "./captured-frames.ts";

export interface CaptureWanted {
  readonly client: IpAddress | undefined;
  /** Undefined: whatever the balancer looks at. */
  readonly endpoints: readonly CaptureEndpoint[] | undefined;
  /** Packets. */
  readonly count: number;
  readonly seconds: number;
  readonly snap: number;
}

export interface CaptureMachine {
  readonly tables: CaptureTables;
  readonly clock: Clock;
  readonly hostname: () => string;
  readonly links: () => readonly Link[];
  /** Those that the balancer sits on. */
  readonly devices: () => readonly string[];
}

/** The programs stop by themselves a little later, should this process not be there to stop them. */
const GRACE_NANOS = 2_000_000_000n;
/** Core has other things to do: of a flood so many packets are shown at once, and then a second. The others are lost. */
const BURST_PACKETS = 20_000;
const PACKETS_PER_SECOND = 10_000;

export class PacketCapture {
  readonly #machine: CaptureMachine;
  #stop: (() => void) | undefined;

  /** A predecessor's filter goes. */
  constructor(machine: CaptureMachine) {
    this.#machine = machine;
    machine.tables.end();
  }

  /** Refuses while another capture runs. What is returned ends it before its time; the last event is "ended". */
  begin(wanted: CaptureWanted, onEvent: (event: CaptureEvent) => void): () => void {
    if (this.#stop !== undefined) {
      throw new RefusalError({
        exitCode: ExitCode.conflict,
        what: "a capture is running already",
        mend: "End that one, or wait until its time is over.",
      });
    }
    const { tables, hostname, devices } = this.#machine;
    const bootedAtNanos = this.#bootedAtNanos();
    const beganAt = performance.now();
    let packets = 0;
    let flooded = 0;
    const onCaptured = (captured: readonly Captured[]) => {
      const earned = BURST_PACKETS + ((performance.now() - beganAt) / 1_000) * PACKETS_PER_SECOND;
      const some = captured.slice(0, Math.min(wanted.count, Math.floor(earned)) - packets);
      packets += some.length;
      if (some.length > 0) onEvent({ kind: "frames", frames: this.#frames(some, bootedAtNanos) });
      if (packets < wanted.count) flooded += captured.length - some.length;
      else stop();
    };
    const reader = this.#open(onCaptured);
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      if (this.#stop !== stop) return;
      clearTimeout(timer);
      this.#stop = undefined;
      const lost = endOf(tables);
      // What is there already belongs to the capture; `count` bounds it.
      if (packets < wanted.count) reader.drain();
      reader.close();
      onEvent({ kind: "ended", packets, lost: lost + flooded });
    };
    this.#stop = stop;
    onEvent({ kind: "began", devices: devices(), snap: wanted.snap, hostname: hostname() });
    this.#filter(wanted, reader);
    timer = setTimeout(stop, wanted.seconds * 1_000);
    return stop;
  }

  close(): void {
    this.#stop?.();
  }

  /** Nothing comes before the filter is in force but what an earlier capture left behind. */
  #open(onCaptured: (some: readonly Captured[]) => void): BpfEvents {
    let isOld = true;
    const reader = orRefuse(() => this.#machine.tables.read((captured) => (isOld ? undefined : onCaptured(captured))));
    reader.drain();
    isOld = false;
    return reader;
  }

  #filter({ client, endpoints, snap, seconds }: CaptureWanted, reader: BpfEvents): void {
    const untilNanos = BigInt(this.#machine.clock.now()) * 1_000n + BigInt(Math.ceil(seconds * 1e9)) + GRACE_NANOS;
    try {
      orRefuse(() => this.#machine.tables.begin({ untilNanos, client, endpoints, snap }));
    } catch (error) {
      reader.close();
      this.#stop = undefined;
      throw error;
    }
  }

  /** Taken once for a capture, so that its packets stay in their order. */
  #bootedAtNanos(): bigint {
    const wallMicros = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3));
    return (wallMicros - BigInt(this.#machine.clock.now())) * 1_000n;
  }

  #frames(captured: readonly Captured[], bootedAtNanos: bigint): readonly CapturedFrame[] {
    const links = this.#machine.links();
    return captured.flatMap((one) => framesOf(one, { links, bootedAtNanos }));
  }
}

/** How many packets were lost; none where the tables were made anew meanwhile, and these are closed. */
function endOf(tables: CaptureTables): number {
  try {
    return tables.end();
  } catch (error) {
    if (error instanceof HalError) return 0;
    throw error;
  }
}

function orRefuse<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    throw new RefusalError({ exitCode: ExitCode.failed, what: `the kernel refuses the capture: ${error.message}` });
  }
}
