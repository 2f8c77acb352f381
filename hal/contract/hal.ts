/** The whole machine as one value. `hal/linux.ts` makes the real one, `hal/fake` one in memory. */
import type { Bpf } from "./bpf.ts";
import type { Dialing } from "./dial.ts";
import type { Board, Clock, Scheduling, Sysctl, WallClock } from "./machine.ts";
import type { Frames, Icmp, Network, RequestBuilder } from "./network.ts";
import type { Nftables } from "./nftables.ts";

export interface Hal {
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly scheduling: Scheduling;
  readonly sysctl: Sysctl;
  readonly network: Network;
  readonly requests: RequestBuilder;
  readonly frames: Frames;
  readonly icmp: Icmp;
  readonly dialing: Dialing;
  readonly bpf: Bpf;
  readonly nftables: Nftables;
  readonly board: Board;
  close(): void;
}
