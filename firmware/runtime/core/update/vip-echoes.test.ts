import { HalError } from "@futago/hal/contract/error.ts";
import type { IcmpReply } from "@futago/hal/contract/network.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { VipEchoes, type VipEchoesOptions } from "./vip-echoes.ts";

const VIP = "10.1.0.1" as IpAddress;

let answers: boolean;
let isResolved: boolean;
let isActive: boolean;
let echoes: VipEchoes;
let fallenSilent: number;
/** What the kernel answers instead of its neighbours, each once. */
const refused: HalError[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  [answers, isResolved, isActive, fallenSilent] = [true, true, false, 0];
  echoes = new VipEchoes(machine());
});
afterEach(() => {
  echoes.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A box beside the one that holds the VIP. */
function machine(): VipEchoesOptions {
  const own = { ifindex: 2, address: "10.1.0.2", prefixLength: 24 };
  const network = {
    links: () => Promise.resolve([{ ifindex: 2, ifname: "eth0", mac: "02:00:00:00:00:0a" }]),
    addresses: () => Promise.resolve([own]),
    neighbours: () => {
      if (refused.length > 0) return Promise.reject(refused.shift()!);
      return Promise.resolve(isResolved ? [{ ifindex: 2, address: VIP, mac: "02:00:00:00:00:0b" }] : []);
    },
  };
  const open = (_family: unknown, hear: (reply: IcmpReply) => void) => ({
    sendEcho: (from: IpAddress, id: number, sequence: number) => {
      if (answers) hear({ from, id, sequence, at: instant(0) });
    },
    close: () => undefined,
  });
  const virtualRouters = [{ interface: "wan", addresses: [{ address: VIP }] }];
  const config = { groups: [{ name: "edge", virtualRouters }], interfaces: [{ name: "wan", device: "eth0" }] };
  const options = {
    hal: { network, icmp: { open } },
    config: () => config,
    groups: () => [{ name: "edge", state: isActive ? "active" : "standby", addresses: [`${VIP}/24`] }],
  };
  return options as unknown as VipEchoesOptions;
}

/** Somebody looks all the while. */
async function pass(millis: number): Promise<ReturnType<VipEchoes["look"]>> {
  for (let passed = 0; passed < millis; passed += 100) {
    echoes.look(() => (fallenSilent += 1));
    await vi.advanceTimersByTimeAsync(100);
  }
  return echoes.look();
}

it("a VIP of the other box that answers is answering, and no VIP of this box is asked for", async () => {
  expect(await pass(300)).toEqual({ answering: [VIP], silent: [] });
  isActive = true;
  expect(await pass(2_000)).toEqual({ answering: [], silent: [] });
});

it("five echoes on end without an answer are silence, which is told at once and ends with an answer", async () => {
  await pass(300);
  answers = false;
  expect([await pass(400), fallenSilent]).toEqual([{ answering: [VIP], silent: [] }, 0]);
  expect([await pass(300), fallenSilent]).toEqual([{ answering: [], silent: [VIP] }, 1]);
  answers = true;
  expect([await pass(200), fallenSilent]).toEqual([{ answering: [VIP], silent: [] }, 1]);
});

it("while the neighbour is looked for it may have been the request that was lost", async () => {
  [answers, isResolved] = [false, false];
  expect(await pass(1_400)).toEqual({ answering: [], silent: [] });
  expect(await pass(400)).toEqual({ answering: [], silent: [VIP] });
});

it("neighbours that the kernel could not list are asked for again", async () => {
  await pass(300);
  answers = false;
  refused.push(new HalError("ENOBUFS", "RTM_GETNEIGH", "No buffer space available"));
  expect(await pass(800)).toEqual({ answering: [], silent: [VIP] });
  expect([refused, fallenSilent]).toEqual([[], 1]);
});

it("what this box could not hear, because it had no processor, is no silence", async () => {
  const clock = performance.now.bind(performance);
  let stalled = 0;
  vi.spyOn(performance, "now").mockImplementation(() => clock() + stalled);
  await pass(300);
  answers = false;
  await pass(300);
  stalled = 3_000;
  expect([await pass(300), fallenSilent]).toEqual([{ answering: [VIP], silent: [] }, 0]);
  expect([await pass(400), fallenSilent]).toEqual([{ answering: [], silent: [VIP] }, 1]);
});
