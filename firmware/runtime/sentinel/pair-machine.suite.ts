/** A paired box in memory, for tests: hal's fakes, cables into segments, and a pulse that says what the test tells it. */
import { vi } from "vitest";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { PulseLauncher } from "@futago/hal/contract/pulse.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { FakeFrames, FakeSegment } from "@futago/hal/fake/frames.ts";
import { FakeIcmp } from "@futago/hal/fake/icmp.ts";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import { requestBuilder } from "@futago/hal/netlink/request-builder.ts";
import {
  type Ifindex,
  type Ifname,
  parseIfname,
  parseInterfaceAddress,
  parseIpAddress,
  parseMac,
} from "@futago/hal/units/address.ts";
import type {
  PulseCommand,
  PulseGroupState,
  PulsePlan,
  PulseReason,
  PulseReport,
  PulseSnapshot,
} from "@futago/hal/units/pulse.ts";
import { instant } from "@futago/hal/units/time.ts";
import type { GroupOrders, Orders, PairOrders, VirtualRouterOrders } from "../../config/orders.ts";
import { nameHash } from "../../standby/identity.ts";
import { peerIn, snapshotOf } from "../../standby/pair/view.test-support.ts";
import type { SentinelEvent } from "../messages.ts";
import { Gate } from "./gate.ts";
import type { ModeContext } from "./mode.ts";

export const ETH0: Ifname = parseIfname("eth0")!;
export const ETH1: Ifname = parseIfname("eth1")!;
export const BOX_MAC = parseMac("02:00:00:00:00:0a")!;
export const PEER_MAC = parseMac("02:00:00:00:00:0b")!;
export const BPF = "/bpf";
export const SLOTS: ReadonlyMap<string, number> = new Map([["edge", 3]]);
/** When the machine booted, as the wall clock has it. */
const BOOTED = Date.UTC(2030, 0, 1);

export const cidr = (text: string) => parseInterfaceAddress(text)!;
export const ip = (text: string) => parseIpAddress(text)!;

export interface Wish {
  readonly vips?: readonly string[];
  readonly groups?: readonly GroupOrders[];
  readonly pair?: Partial<PairOrders>;
}

export function routerOf(vips: readonly string[], more: Partial<VirtualRouterOrders> = {}): VirtualRouterOrders {
  const router = { interface: "wan", device: ETH0, vrid: 10, family: "ipv4", checksum: "rfc5798" } as const;
  return { ...router, addresses: vips.map(cidr), advertisementIntervalMs: 1000, virtualMac: false, ...more };
}

export function groupOf(virtualRouters: readonly VirtualRouterOrders[], name = "edge"): GroupOrders {
  return { name, preferred: "a", preempt: false, priority: 200, virtualRouters };
}

/** Box a: wan on eth0 with a VIP, sync on eth1, heartbeats over both. */
export function pairOrders({
  vips = ["10.1.0.1/24"],
  groups,
  pair,
}: Wish = {}): Orders & { readonly pair: PairOrders } {
  return {
    revision: "ab".repeat(32),
    box: "a",
    pair: {
      part: "either",
      partition: "availability",
      witnesses: [],
      profile: "default",
      fixed: true,
      port: 7405,
      over: [ETH1, ETH0],
      ...pair,
    },
    interfaces: [
      { name: "wan", device: ETH0, addresses: [cidr("10.1.0.2/24")], peerAddresses: [cidr("10.1.0.3/24")] },
      { name: "sync", device: ETH1, addresses: [cidr("10.3.0.1/30")], peerAddresses: [cidr("10.3.0.2/30")] },
    ],
    groups: groups ?? [groupOf([routerOf(vips)])],
  };
}

/** Stands where the program would: remembers what it is told, and says and does what a test wants. */
export class FakePulse {
  readonly told: PulseCommand[] = [];
  starts = 0;
  /** Whether it ends when it is told to. */
  obedient = true;
  #report: (report: PulseReport) => void = () => undefined;
  #exit: (reason: string) => void = () => undefined;

  readonly launcher: PulseLauncher = {
    start: ({ onReport, onExit }) => {
      this.starts += 1;
      this.#report = onReport;
      this.#exit = onExit;
      return {
        send: (command) => {
          this.told.push(command);
          if (command.kind === "quit" && this.obedient) queueMicrotask(() => onExit("exit status 0"));
        },
        close: () => undefined,
      };
    },
  };

  say(report: PulseReport): void {
    this.#report(report);
  }

  die(reason: string): void {
    this.#exit(reason);
  }

  /** Takes what it was told of one kind since the last look. */
  take<Kind extends PulseCommand["kind"]>(kind: Kind): Extract<PulseCommand, { kind: Kind }>[] {
    const taken = this.told.splice(0);
    return taken.filter((command): command is Extract<PulseCommand, { kind: Kind }> => command.kind === kind);
  }
}

export class PairMachine {
  readonly network = new FakeNetwork();
  readonly icmp: FakeIcmp;
  readonly frames: FakeFrames;
  readonly bpf = new FakeBpf();
  readonly links = new Map<string, Link>();
  readonly wan = new FakeSegment();
  readonly sync = new FakeSegment();
  readonly pulse = new FakePulse();
  readonly events: SentinelEvent[] = [];
  readonly gate: Gate;
  readonly hal: Hal;
  readonly context: ModeContext;
  readonly eth0: Ifindex;
  readonly eth1: Ifindex;
  changes = 0;
  onLinks: () => void = () => undefined;

  /** Under vi.useFakeTimers(): time stands until pass(). */
  constructor() {
    vi.setSystemTime(BOOTED + 100_000);
    const clock = { now: () => instant((Date.now() - BOOTED) * 1_000) };
    this.icmp = new FakeIcmp(clock.now);
    this.frames = new FakeFrames(clock.now);
    this.eth0 = this.network.plug(ETH0, { mac: BOX_MAC });
    this.eth1 = this.network.plug(ETH1);
    this.frames.plug(this.eth0, this.wan);
    this.frames.plug(this.eth1, this.sync);
    this.bpf.mount(BPF);
    this.gate = new Gate(this.bpf, BPF);
    const { network, frames, icmp, bpf } = this;
    this.hal = { clock, network, frames, icmp, bpf, requests: requestBuilder } as Partial<Hal> as Hal;
    this.context = {
      hal: this.hal,
      gate: this.gate,
      links: this.links,
      onEvent: (event) => this.events.push(event),
      onChange: () => {
        this.changes += 1;
      },
    };
    network.subscribe((event) => {
      if (event.kind === "link") this.links.set(event.link.ifname, event.link);
      else if (event.kind === "linkGone") this.links.delete(event.ifname);
      else return;
      this.onLinks();
    });
  }

  /** The links are known only after they were listed. */
  async ready(): Promise<this> {
    for (const link of await this.network.links()) this.links.set(link.ifname, link);
    return this;
  }

  /** pulse's picture of the group edge now, in the revision of {@link pairOrders}. */
  heard(own: PulseGroupState, peer: PulseGroupState | undefined, more: Partial<PulseSnapshot> = {}): PulseSnapshot {
    const answering = own === "active" || own === "offering";
    const times = { activeSince: instant(0), leaseUntil: instant(0) };
    const group = { group: 3, id: nameHash("edge"), state: own, lapsed: false, answering, ...times };
    const report = { ...group, peer: peer === undefined ? undefined : peerIn(peer) };
    return snapshotOf(this.now(), [report], { peerConfigId: "abababababababab", ...more });
  }

  executed(plan: PulsePlan, reason: PulseReason): PulseReport {
    const now = this.now();
    const times = { heardAt: now, decidedAt: now, doneAt: now };
    return { kind: "executed", group: 3, plan, reason, ...times, errors: 0, firstErrno: 0, paths: [] };
  }

  now(): ReturnType<Hal["clock"]["now"]> {
    return this.hal.clock.now();
  }

  /** The addresses on eth0, in the order they came. */
  async addresses(): Promise<string[]> {
    const entries = await this.network.addresses();
    return entries
      .filter((entry) => entry.ifindex === this.eth0)
      .map((entry) => `${entry.address}/${entry.prefixLength}`);
  }

  roles(): string[] {
    return this.events
      .filter((event) => event.event === "role")
      .map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`);
  }
}

/** Lets timers ring and what they wait for happen. */
export async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

export const WAN_PATH = nameHash("wan");
export const SYNC_PATH = nameHash("sync");
