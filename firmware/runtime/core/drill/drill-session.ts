/** One box's part of a drill that is under way: its probes, and what it had to serve when they began. */
import { randomInt } from "node:crypto";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Resolved } from "../../../config/resolved.ts";
import type { DrillMessage, How } from "../../../pair/drill/types.ts";
import type { GroupStatus, SentinelEvent } from "../../messages.ts";
import { killAll, servingProcesses } from "./kill.ts";
import { DrillProbes } from "./probes.ts";
import { targetsOf } from "./targets.ts";

/** Established connections of the services in these groups, in this box's table now. */
export type CountConnections = (groups: ReadonlySet<string>) => Promise<number>;

export interface SessionOptions {
  readonly hal: Pick<Hal, "clock" | "frames" | "icmp" | "network">;
  readonly stateDirectory: string;
  readonly connections: CountConnections;
}

export class DrillSession {
  readonly drill: string;
  readonly how: How;
  /** As they stood when the drill began. */
  readonly groups: readonly GroupStatus[];
  readonly #options: SessionOptions;
  readonly #probes: DrillProbes;
  readonly #before: number;
  #isKilled = false;

  private constructor(
    options: SessionOptions,
    of: Pick<DrillSession, "drill" | "how" | "groups">,
    probes: DrillProbes,
    before: number,
  ) {
    this.#options = options;
    this.drill = of.drill;
    this.how = of.how;
    this.groups = of.groups;
    this.#probes = probes;
    this.#before = before;
  }

  /** From now on this box probes. */
  static async begin(
    options: SessionOptions,
    of: Pick<DrillSession, "drill" | "how" | "groups">,
    config: Resolved,
  ): Promise<DrillSession> {
    const targets = await targetsOf(options.hal.network, config, of.groups);
    const before = await options.connections(held(of.groups));
    const probes = new DrillProbes(options.hal, targets, randomInt(0x1_0000));
    return new DrillSession(options, of, probes, before);
  }

  /** This box holds every group. */
  get holdsAll(): boolean {
    return this.groups.every(({ state }) => state === "active");
  }

  onEvent(event: SentinelEvent): void {
    this.#probes.onEvent(event);
  }

  /** Kills what serves here, once. Answers whether there was anything to kill. */
  async kill(): Promise<boolean> {
    if (this.#isKilled || this.how !== "killed" || !this.holdsAll) return false;
    this.#isKilled = true;
    const serving = await servingProcesses(this.#options.stateDirectory);
    if (serving === undefined) return false;
    this.#probes.killed();
    killAll(serving);
    return true;
  }

  /** What this box saw. `now` are the groups as they stand at the end. */
  async end(now: readonly GroupStatus[]): Promise<Extract<DrillMessage, { kind: "drillNotes" }>> {
    const figures = await this.#probes.figures(this.how);
    this.#probes.close();
    const after = await this.#options.connections(held(now));
    return { kind: "drillNotes", drill: this.drill, figures, before: this.#before, after };
  }

  close(): void {
    this.#probes.close();
  }
}

function held(groups: readonly GroupStatus[]): ReadonlySet<string> {
  return new Set(groups.filter(({ state }) => state === "active").map(({ name }) => name));
}
