/** Turns what the boxes' status and the prober's lines say into events: roles, backends, silences, announcements. */
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import type { LabBox } from "./box.ts";
import type { EventLog } from "./event-log.ts";
import { monotonicMicros, type ProbeLine } from "./prober.ts";
import { type Box, BOXES, boxMac, type Port } from "./topology.ts";

export interface BackendChange {
  /** Microseconds of CLOCK_MONOTONIC when the status said so. */
  readonly at: number;
  readonly box: Box;
  readonly service: string;
  readonly backend: string;
  readonly healthy: boolean;
}

const CHANGES_MAX = 1_000;
/** Shorter ones come and go on a busy machine; the prober has them all. */
const GAP_TOLD_MICROS = 5_000;
/** A gap is told together with the stalls of the control threads, whose lines may come a little later. */
const GAP_TOLD_AFTER_MILLIS = 50;
const STALLS_MAX = 1_000;

export class Observer {
  readonly #front: Port;
  readonly #log: EventLog;
  readonly #roles = new Map<Box, string>();
  readonly #alarms = new Map<Box, ReadonlySet<string>>();
  readonly #healthy = new Map<string, boolean>();
  readonly #changes: BackendChange[] = [];
  readonly #stalls: { readonly start: number; readonly end: number }[] = [];
  #announcer: Box | undefined;
  #lastGapMicros: number | undefined;

  /** `front` is the boxes' port on the client's side. */
  constructor(boxes: Readonly<Record<Box, LabBox>>, front: Port, log: EventLog) {
    this.#front = front;
    this.#log = log;
    for (const box of BOXES) boxes[box].feed.listen((status) => this.#status(box, status));
  }

  /** The newest silence of the VIP; undefined before there was one. */
  get lastGapMicros(): number | undefined {
    return this.#lastGapMicros;
  }

  backendChanges(since: number): readonly BackendChange[] {
    return this.#changes.filter((change) => change.at >= since);
  }

  probeLine(line: ProbeLine): void {
    switch (line.kind) {
      case "gap":
        if (line.end - line.start < GAP_TOLD_MICROS) return;
        this.#lastGapMicros = line.end - line.start;
        setTimeout(() => this.#tellGap(line.start, line.end), GAP_TOLD_AFTER_MILLIS).unref();
        return;
      case "stall":
        this.#stalls.push(line);
        if (this.#stalls.length > STALLS_MAX) this.#stalls.shift();
        return;
      case "announce": {
        const box = BOXES.find((candidate) => boxMac(candidate, this.#front) === line.mac);
        if (box !== undefined && box !== this.#announcer) this.#log.add(`${box} announces the VIP by gratuitous ARP`);
        this.#announcer = box;
        return;
      }
      case "start":
      case "tick":
      case "lost":
      case "ask":
      case "answering":
      case "silent":
        return;
    }
  }

  #tellGap(start: number, end: number): void {
    const stalls = this.#stalls.filter((stall) => stall.end >= start && stall.start <= end);
    const longest = stalls.reduce((most, stall) => Math.max(most, stall.end - stall.start), 0);
    const beside = longest === 0 ? "" : ` (the machine itself stalled ${formatMillis(longest)})`;
    this.#log.add(`VIP silent for ${formatMillis(end - start)}${beside}`);
  }

  #status(box: Box, status: BoxStatus): void {
    if (this.#roles.get(box) !== status.role) {
      const reason = status.groups[0]?.reason ?? "";
      this.#log.add(`${box} is ${status.role}${reason === "" ? "" : `: ${reason}`}`);
      this.#roles.set(box, status.role);
    }
    const before = this.#alarms.get(box) ?? new Set();
    for (const alarm of status.alarms) if (!before.has(alarm.kind)) this.#log.add(`${box} alarm: ${alarm.sentence}`);
    this.#alarms.set(box, new Set(status.alarms.map((alarm) => alarm.kind)));
    if (status.role === "active") this.#backends(box, status);
  }

  #backends(box: Box, status: BoxStatus): void {
    for (const service of status.services) {
      for (const backend of service.backends) {
        const key = `${service.name}/${backend.name}`;
        const before = this.#healthy.get(key);
        this.#healthy.set(key, backend.healthy);
        if (before === undefined || before === backend.healthy) continue;
        this.#changes.push({
          at: monotonicMicros(),
          box,
          service: service.name,
          backend: backend.name,
          healthy: backend.healthy,
        });
        if (this.#changes.length > CHANGES_MAX) this.#changes.shift();
        this.#log.add(`${service.name}: ${backend.name} is ${backend.healthy ? "back" : "out"}: ${backend.reason}`);
      }
    }
  }
}

export function formatMillis(micros: number): string {
  const millis = micros / 1_000;
  return `${millis < 10 ? millis.toFixed(1) : Math.round(millis)} ms`;
}
