/**
 * The last minute of a paired box in cells: which beats came on each path and how far apart, how late the box itself was,
 * which cables were out, and how much of the machine's time went to others. What is known when a role changes is frozen
 * into the event. A cell goes from one snapshot of pulse to the next, which comes every second and whenever something
 * changes, and lasts a tenth of a second at least. Knows no clock and decides nothing.
 */
import type { Link } from "@futago/hal/contract/network.ts";
import type { PulseSnapshot } from "@futago/hal/units/pulse.ts";
import { between, type Instant, type Micros, micros, millis, seconds } from "@futago/hal/units/time.ts";
import type { Recorded, RecordedPath, RecordedTime } from "../messages.ts";
import type { CpuTimes } from "./cpu-times.ts";

const CELL_MIN = millis(100);
const KEPT = seconds(60);
/** With an event go the cells of so long before it, and of these the newest. */
const FROZEN = seconds(10);
export const CELLS_FROZEN_MAX = 20;
/** A share of fewer ticks would say nothing. */
const TICKS_MIN = 10;

export interface Recordable {
  /** The names of the heartbeat's paths by their ids. */
  readonly paths: ReadonlyMap<number, string>;
  /** Whose carrier matters. */
  readonly devices: readonly string[];
}

interface Cell {
  readonly from: Instant;
  to: Instant;
  readonly paths: Map<string, { beats: number; longestPause: Micros }>;
  lateness: Micros;
  stealPercent: number | undefined;
  readonly down: Set<string>;
}

export class Recorder {
  readonly #cpuTimes: () => CpuTimes | undefined;
  readonly #cells: Cell[] = [];
  #watched: Recordable = { paths: new Map(), devices: [] };
  #down: ReadonlySet<string> = new Set();
  /** Those that were down at any time since the newest snapshot. */
  #downSince = new Set<string>();
  #lateness: readonly number[] = [];
  #cpu: CpuTimes | undefined;
  #cpuAt: Instant | undefined;

  constructor(cpuTimes: () => CpuTimes | undefined) {
    this.#cpuTimes = cpuTimes;
  }

  /** The links are to be told again after it. */
  watch(watched: Recordable): void {
    this.#watched = watched;
  }

  linksChanged(links: ReadonlyMap<string, Pick<Link, "carrier">>): void {
    this.#down = new Set(this.#watched.devices.filter((device) => links.get(device)?.carrier !== true));
    for (const device of this.#down) this.#downSince.add(device);
  }

  note(snapshot: PulseSnapshot): void {
    // The first one counts from a moment that nobody knows.
    const begins = this.#cells.length === 0;
    const cell = this.#cellFor(snapshot.at);
    cell.to = snapshot.at;
    this.#noteSteal(cell);
    for (const { id, beats, longestPause } of begins ? [] : snapshot.paths) {
      const name = this.#watched.paths.get(id);
      if (name === undefined) continue;
      const known = cell.paths.get(name) ?? { beats: 0, longestPause: micros(0) };
      cell.paths.set(name, {
        beats: known.beats + beats,
        longestPause: micros(Math.max(known.longestPause, longestPause)),
      });
    }
    if (!begins) cell.lateness = micros(Math.max(cell.lateness, worstSince(this.#lateness, snapshot.lateness)));
    this.#lateness = snapshot.lateness;
    for (const device of this.#downSince) cell.down.add(device);
    this.#downSince = new Set(this.#down);
  }

  /** What was recorded until then; undefined before the first snapshot. */
  freeze(at: Instant): Recorded | undefined {
    if (this.#cells.length === 0) return undefined;
    const told = this.#cells.map((cell) => tell(cell, at));
    const newest = told.filter(({ endedMicros }) => endedMicros <= FROZEN);
    const whole = told.reduce(joined);
    return {
      whole: { ...whole, down: [...new Set([...whole.down, ...this.#downSince])] },
      cells: newest.slice(-CELLS_FROZEN_MAX),
    };
  }

  /** The newest cell while it is short; a new one after it. */
  #cellFor(at: Instant): Cell {
    const newest = this.#cells.at(-1);
    if (newest !== undefined && between(newest.from, newest.to) < CELL_MIN) return newest;
    while (this.#cells[0] !== undefined && between(this.#cells[0].to, at) >= KEPT) this.#cells.shift();
    const cell: Cell = {
      from: newest?.to ?? at,
      to: at,
      paths: new Map(),
      lateness: micros(0),
      stealPercent: undefined,
      down: new Set(),
    };
    this.#cells.push(cell);
    return cell;
  }

  /** Of the time since it was last known, if that is long enough. */
  #noteSteal(cell: Cell): void {
    if (this.#cpuAt !== undefined && between(this.#cpuAt, cell.to) < CELL_MIN) return;
    this.#cpuAt = cell.to;
    const now = this.#cpuTimes();
    const before = this.#cpu;
    if (now === undefined || before === undefined) this.#cpu = now;
    if (now === undefined || before === undefined || now.all - before.all < TICKS_MIN) return;
    this.#cpu = now;
    const percent = Math.round((100 * Math.max(0, now.stolen - before.stolen)) / (now.all - before.all));
    cell.stealPercent = Math.max(cell.stealPercent ?? 0, percent);
  }
}

/** The upper bound of the highest bucket that grew. A pulse that was started again counts from zero. */
function worstSince(before: readonly number[], now: readonly number[]): Micros {
  const restarted = before.some((count, i) => count > (now[i] ?? 0));
  const bucket = now.findLastIndex((count, i) => count > (restarted ? 0 : (before[i] ?? 0)));
  return micros(bucket < 0 ? 0 : 2 ** bucket);
}

function tell(cell: Cell, at: Instant): RecordedTime {
  return {
    endedMicros: Math.max(0, between(cell.to, at)),
    lastedMicros: between(cell.from, cell.to),
    paths: [...cell.paths].map(([name, { beats, longestPause }]) => ({
      interface: name,
      beats,
      longestPauseMicros: longestPause,
    })),
    latenessMicros: cell.lateness,
    stealPercent: cell.stealPercent ?? null,
    down: [...cell.down],
  };
}

/** Both times as one; of `stealPercent` the greater. */
function joined(one: RecordedTime, next: RecordedTime): RecordedTime {
  const names = new Set([...one.paths, ...next.paths].map((path) => path.interface));
  const steals = [one.stealPercent, next.stealPercent].filter((share) => share !== null);
  return {
    endedMicros: next.endedMicros,
    lastedMicros: one.lastedMicros + next.lastedMicros,
    paths: [...names].map((name) => both(name, [...one.paths, ...next.paths])),
    latenessMicros: Math.max(one.latenessMicros, next.latenessMicros),
    stealPercent: steals.length === 0 ? null : Math.max(...steals),
    down: [...new Set([...one.down, ...next.down])],
  };
}

function both(name: string, paths: readonly RecordedPath[]): RecordedPath {
  const those = paths.filter((path) => path.interface === name);
  return {
    interface: name,
    beats: those.reduce((sum, { beats }) => sum + beats, 0),
    longestPauseMicros: those.reduce((longest, path) => Math.max(longest, path.longestPauseMicros), 0),
  };
}
