/** Where a script stands: which boxes its words mean, and what every counter said at the last mark. */
import type { DrillResult } from "@futago/firmware/runtime/control-drill.ts";
import type { Component } from "./box.ts";
import type { HttpCounts } from "./http-load.ts";
import type { Lab } from "./lab.ts";
import type { ModeCounts } from "./modes.ts";
import { monotonicMicros } from "./prober.ts";
import type { ServerName } from "./scenario.ts";
import type { BoxReference, ServerReference } from "./script.ts";
import { type Box, BOXES } from "./topology.ts";

const COMPONENTS: readonly Component[] = ["core", "sentinel", "pulse"];

export interface Mark {
  /** Microseconds of CLOCK_MONOTONIC, as all times here. */
  readonly at: number;
  readonly probesLost: number;
  readonly arpBoth: number;
  readonly http: HttpCounts;
  readonly modes: ModeCounts | undefined;
  readonly pids: ReadonlyMap<string, readonly number[]>;
}

export class Chapter {
  readonly lab: Lab;
  mark: Mark;
  /** When the newest step that does harm began. */
  actedAt: number;
  /** When the newest power cut began. */
  cutAt: number | undefined;
  /** What came of the newest one. */
  drill: DrillResult | undefined;
  #victim: Box | undefined;

  constructor(lab: Lab) {
    this.lab = lab;
    this.actedAt = monotonicMicros();
    this.mark = markOf(lab);
  }

  setMark(): void {
    this.mark = markOf(this.lab);
  }

  /** The box that a step is to do something to: the victim of the steps that follow. */
  choose(reference: BoxReference): Box {
    const box = this.box(reference);
    if (reference === "active" || reference === "standby") this.#victim = box;
    return box;
  }

  /** The box that the script means. Throws a sentence when there is no such box now. */
  box(reference: BoxReference): Box {
    switch (reference) {
      case "a":
      case "b":
        return reference;
      case "active":
      case "standby": {
        const [active, second] = this.lab.activeBoxes();
        if (active === undefined || second !== undefined) throw new Error("there is not exactly one active box");
        return reference === "active" ? active : otherBox(active);
      }
      case "victim":
        if (this.#victim === undefined) throw new Error("no step before this one chose a victim");
        return this.#victim;
    }
  }

  /** The web server that the script means: one of a box goes by the box. */
  server(reference: ServerReference, boxOf = (box: BoxReference): ServerName => this.box(box)): ServerName {
    switch (reference) {
      case "s1":
      case "s2":
      case "s3":
      case "d1":
      case "d2":
        return reference;
      case "a":
      case "b":
      case "active":
      case "standby":
      case "victim":
        return boxOf(reference);
    }
  }

  chooseServer(reference: ServerReference): ServerName {
    return this.server(reference, (box) => this.choose(box));
  }
}

export function otherBox(box: Box): Box {
  return box === "a" ? "b" : "a";
}

export function pidsKey(box: Box, component: Component): string {
  return `${box}/${component}`;
}

function markOf(lab: Lab): Mark {
  const pids = new Map<string, readonly number[]>();
  for (const box of BOXES) {
    for (const component of COMPONENTS) pids.set(pidsKey(box, component), lab.boxes[box].pidsOf(component));
  }
  return {
    at: monotonicMicros(),
    probesLost: lab.prober.tick.lost,
    arpBoth: lab.arpWatch?.tick.arpBoth ?? 0,
    http: lab.http.counts,
    modes: lab.modes?.counts,
    pids,
  };
}
