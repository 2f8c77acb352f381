/** What the bench needs of whoever keeps an address alive: Futago and keepalived look the same from here. */
import type { ChildProcess } from "node:child_process";
import type { Namespace } from "../netns/namespaces.ts";
import type { Box } from "../lab/topology.ts";

export interface Contender {
  /** For the tables: "Futago default", "keepalived 10 ms". */
  readonly name: string;
  /** Silence of the active box after which the standby acts, in milliseconds, as configured. */
  readonly deadMillis: number;
  /** Configures the box's ports as far as the program does not do it itself, and starts it. Both boxes start at once. */
  start(box: Box, namespace: Namespace, directory: string): Promise<ChildProcess>;
  /** Resolves when the pair is ready to lose its active box. */
  settled(directory: string): Promise<void>;
  /** Hands over on purpose, the way its people would do it. */
  handOver(active: Active): Promise<void>;
  /** Commits a changed configuration; absent where there is nothing like it. */
  commit?(directory: string, round: number): Promise<void>;
  /** Leases lapsed on both boxes so far; absent where there is nothing like it. */
  lapses?(directory: string): Promise<number>;
}

/** The box that holds the VIPs. */
export interface Active {
  readonly box: Box;
  readonly running: ChildProcess;
  /** The pair's directory. */
  readonly directory: string;
}
