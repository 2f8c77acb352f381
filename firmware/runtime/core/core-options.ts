/** What a core is started with, and what it begins from. */
import type { ChosenBoard } from "@futago/hal/contract/board.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { SystemShown } from "../machine-system.ts";
import type { Box } from "../messages.ts";
import type { LoadedTables } from "./balancer/load-balancer.ts";
import type { Committer } from "./commit/committer.ts";
import type { Configuration } from "./configuration.ts";
import type { Drains } from "./control/drains.ts";
import type { KeptDrills } from "./drill/kept-drills.ts";
import type { Log } from "./log.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Standing } from "./pairing/standing.ts";
import type { PowerOptions } from "./power.ts";
import type { Pace } from "./update/update-of-core.ts";
import type { ActivationMemory } from "./spare/activation-memory.ts";

export interface CoreOptions extends Pick<PowerOptions, "end" | "reset"> {
  readonly hal: Hal;
  readonly log: Log;
  readonly stateDirectory: string;
  readonly box: Box | undefined;
  readonly importFile: string | undefined;
  readonly pairKeyFile: string | undefined;
  /** Undefined: the machine is not the box's own. */
  readonly board: ChosenBoard | undefined;
  /** Started with --web. */
  readonly isWebWanted: boolean;
  /** The updater's socket; undefined where the box is no appliance. */
  readonly updater: string | undefined;
  /** How long a new version is proved and watched; undefined: as is usual. */
  readonly pace: Pace | undefined;
  /** Starts core again, which changes nothing that serves. */
  readonly restart: (reason: string) => void;
  /** Called when a configuration came into force, with the name that it gives the box, or when there is none. */
  readonly onOwner: (hostname: string | undefined) => void;
  /** The box is being taken down, the sentinel first. */
  readonly isEnding: () => boolean;
}

/** What a core has from its disk, or makes before anything else. */
export interface Parts {
  readonly configuration: Configuration;
  readonly committer: Committer;
  readonly standing: Standing;
  readonly seed: string;
  readonly maintenance: Maintenance;
  readonly drains: Drains;
  readonly tables: LoadedTables;
  readonly memory: ActivationMemory;
  readonly kept: KeptDrills;
  readonly system: SystemShown;
}
