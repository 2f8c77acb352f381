/** A box alone in memory, for tests: hal's fakes, a segment to plug it into, and time that passes at the test's will. */
import { vi } from "vitest";
import type { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { FrameSocket, Link } from "@futago/hal/contract/network.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { FakeFrames, type FakeSegment } from "@futago/hal/fake/frames.ts";
import { FakeSysctl } from "@futago/hal/fake/machine.ts";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import { type Ifindex, parseIfname, parseInterfaceAddress, parseMac } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { decodeVrrpFrame } from "../../announce/vrrp-frame.ts";
import type { GroupOrders, Orders, VirtualRouterOrders } from "../../config/orders.ts";
import { decodeAdvertisement } from "../../standby/vrrp/packet.ts";
import type { SentinelEvent } from "../messages.ts";
import { AloneSentinel } from "./alone.ts";
import { Gate } from "./gate.ts";

const ETH0 = parseIfname("eth0")!;
export const VIP = "10.1.0.1/24";
const BPF = "/bpf";
/** The event loop gets its turn at least this often: it is real, only what it waits for is not. */
const STEP_MILLIS = 10;

export interface Wish {
  readonly own?: string;
  readonly priority?: number;
  readonly preempt?: boolean;
  readonly vips?: readonly string[];
}

export function ordersFor({ own = "10.1.0.2/24", priority = 100, preempt = true, vips = [VIP] }: Wish): Orders {
  const router: VirtualRouterOrders = {
    interface: "wan",
    device: ETH0,
    vrid: 10,
    family: "ipv4",
    addresses: vips.map((vip) => parseInterfaceAddress(vip)!),
    advertisementIntervalMs: 1000,
    checksum: "rfc5798",
    virtualMac: false,
  };
  const group: GroupOrders = { name: "edge", preferred: undefined, preempt, priority, virtualRouters: [router] };
  const addresses = own === "" ? [] : [parseInterfaceAddress(own)!];
  const wan = { name: "wan", device: ETH0, addresses, peerAddresses: [] };
  return { revision: "0".repeat(64), box: undefined, pair: undefined, interfaces: [wan], groups: [group] };
}

/** A machine in memory with one port in a segment, and a sentinel on it. */
export class Box {
  readonly network = new FakeNetwork();
  readonly frames: FakeFrames;
  readonly links = new Map<string, Link>();
  readonly events: SentinelEvent[] = [];
  readonly ifindex: Ifindex;
  readonly gate: Gate;
  readonly hal: Hal;
  sendRefused: HalError | undefined;
  sentinel: AloneSentinel | undefined;

  constructor(segment: FakeSegment, mac: string) {
    const clock = { now: () => instant(Date.now() * 1000) };
    this.frames = new FakeFrames(clock.now);
    this.ifindex = this.network.plug(ETH0, { mac: parseMac(mac)! });
    this.frames.plug(this.ifindex, segment);
    const bpf = new FakeBpf();
    bpf.mount(BPF);
    this.gate = new Gate(bpf, BPF);
    const open: Hal["frames"]["open"] = (options) => {
      const socket = this.frames.open(options);
      const send: FrameSocket["send"] = (frame) => {
        if (this.sendRefused !== undefined) throw this.sendRefused;
        socket.send(frame);
      };
      return { send, close: () => socket.close() };
    };
    const { network } = this;
    this.hal = { clock, network, frames: { open }, sysctl: new FakeSysctl(), bpf } as Partial<Hal> as Hal;
    network.subscribe((event) => {
      if (event.kind !== "link") return;
      this.links.set(event.link.ifname, event.link);
      this.sentinel?.linksChanged();
    });
  }

  async start(wish: Wish = {}): Promise<AloneSentinel> {
    for (const link of await this.network.links()) this.links.set(link.ifname, link);
    const own = parseInterfaceAddress(wish.own ?? "10.1.0.2/24");
    if (own !== undefined) await this.network.addAddress(this.ifindex, own);
    const { hal, gate, links, events } = this;
    const onEvent = (event: SentinelEvent) => void events.push(event);
    const context = { hal, gate, links, onEvent, onChange: () => undefined };
    this.sentinel = new AloneSentinel(context, ordersFor(wish), new Map([["edge", 3]]));
    await vi.advanceTimersByTimeAsync(0);
    return this.sentinel;
  }

  state(): string | undefined {
    return this.sentinel?.status().groups[0]?.state;
  }

  async addresses(): Promise<readonly string[]> {
    return (await this.network.addresses()).map((entry) => entry.address);
  }

  /** The lease in the gate's memory, in milliseconds from now; 0 without one. */
  leaseMillis(): number {
    const view = new DataView(this.gate.memory.buffer, this.gate.memory.byteOffset + 3 * 16, 16);
    const until = Number(view.getBigUint64(0, true) / 1_000_000n);
    if (view.getUint32(8, true) !== (until === 0 ? 0 : 3)) throw new Error("bits and lease disagree");
    return until === 0 ? 0 : until - Date.now();
  }
}

/** Listens on a segment; `count` since the last call. */
export class Sniffer {
  readonly frames: FakeFrames;
  readonly socket: FrameSocket;
  readonly heard: Uint8Array[] = [];

  constructor(segment: FakeSegment, receive: "arp" | "vrrp") {
    this.frames = new FakeFrames(() => instant(0));
    const ifindex = 1 as Ifindex;
    this.frames.plug(ifindex, segment);
    this.socket = this.frames.open({ ifindex, receive, onFrame: (frame) => void this.heard.push(frame.bytes) });
  }

  count(): number {
    return this.heard.splice(0).length;
  }

  last() {
    const frame = decodeVrrpFrame(this.heard.at(-1)!);
    if (!frame.ok) throw new Error(frame.reason);
    const advertisement = decodeAdvertisement(frame.value.message, frame.value);
    if (!advertisement.ok) throw new Error(advertisement.reason);
    return advertisement.value;
  }
}

/** Lets time pass, and what the last moment set off (reading the sockets empty) come to its end. */
export async function pass(millis: number): Promise<void> {
  for (let left = millis; left >= 0; left -= STEP_MILLIS) {
    await vi.advanceTimersByTimeAsync(Math.min(left, STEP_MILLIS));
    for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
  }
}
