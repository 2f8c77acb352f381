import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HalError } from "@futago/hal/contract/error.ts";
import type { NeighbourEntry } from "@futago/hal/contract/network.ts";
import { addressBytes } from "@futago/hal/units/address.ts";
import type { PulseSnapshot } from "@futago/hal/units/pulse.ts";
import { micros } from "@futago/hal/units/time.ts";
import { snapshotOf } from "../../standby/pair/view.test-support.ts";
import { ip, PairMachine, pairOrders, PEER_MAC, pass, SYNC_PATH, WAN_PATH } from "./pair-machine.suite.ts";
import { PeerPresence } from "./peer-presence.ts";

let machine: PairMachine;
let presence: PeerPresence;

beforeEach(async () => {
  vi.useFakeTimers();
  machine = await new PairMachine().ready();
  presence = new PeerPresence(machine.network, machine.hal.clock, machine.links);
});
afterEach(() => vi.useRealTimers());

/** The peer is heard from these addresses on wan and sync; the empty text stands for a path where it was not heard. */
function heardFrom(wan: string, sync: string): PulseSnapshot {
  const path = (id: number, ifindex: typeof machine.eth0, from: string) => {
    const peerAddress = from === "" ? new Uint8Array(16) : addressBytes(ip(from));
    const beats = { beats: 0, longestPause: micros(0) };
    return { id, ifindex, rtt: micros(0), alive: from !== "", heardAt: machine.now(), peerAddress, ...beats };
  };
  const paths = [path(WAN_PATH, machine.eth0, wan), path(SYNC_PATH, machine.eth1, sync)];
  return snapshotOf(machine.now(), [], { paths });
}

function resolve(ifindex: typeof machine.eth0, address: string, mac: NeighbourEntry["mac"]): void {
  machine.network.setNeighbour({ ifindex, address: ip(address), mac, state: 2, managed: false });
}

async function review(snapshot: PulseSnapshot | undefined): Promise<[string[], string[]]> {
  presence.review(snapshot, pairOrders().interfaces);
  await pass(0);
  return [[...presence.linkLocals], [...presence.macs]];
}

test("the peer is known by the addresses of its heartbeats and what the kernel resolved them to", async () => {
  resolve(machine.eth0, "fe80::b", PEER_MAC);
  // The same address on another link is another host.
  resolve(machine.eth1, "fe80::b", undefined);
  resolve(machine.eth0, "fe80::99", machine.links.get("eth1")!.mac);
  expect(await review(heardFrom("fe80::b", ""))).toEqual([["fe80::b"], [PEER_MAC]]);
});

test("a link without heartbeats is known by the peer's configured address", async () => {
  resolve(machine.eth0, "10.1.0.3", PEER_MAC);
  expect(await review(heardFrom("", "fe80::c"))).toEqual([["fe80::c"], [PEER_MAC]]);
});

test("what is not resolved yet is looked for again after a second, what is resolved never", async () => {
  const list = vi.spyOn(machine.network, "neighbours");
  await review(heardFrom("fe80::b", ""));
  resolve(machine.eth0, "fe80::b", PEER_MAC);
  await pass(999);
  expect((await review(heardFrom("fe80::b", "")))[1]).toEqual([]);
  await pass(1);
  expect((await review(heardFrom("fe80::b", "")))[1]).toEqual([PEER_MAC]);
  await pass(60_000);
  await review(heardFrom("fe80::b", ""));
  expect(list).toHaveBeenCalledTimes(2);
});

test("another address is looked for at once, and the old one is no longer the peer's", async () => {
  resolve(machine.eth0, "fe80::b", PEER_MAC);
  await review(heardFrom("fe80::b", ""));
  expect(await review(heardFrom("fe80::d", ""))).toEqual([["fe80::d"], []]);
});

test("nobody is known before anybody was heard", async () => {
  expect(await review(undefined)).toEqual([[], []]);
});

test("a table that could not be listed is listed again", async () => {
  resolve(machine.eth0, "fe80::b", PEER_MAC);
  machine.network.refuseNext(new HalError("ENOBUFS", "RTM_GETNEIGH", "No buffer space available"));
  expect((await review(heardFrom("fe80::b", "")))[1]).toEqual([]);
  await pass(5_000);
  expect((await review(heardFrom("fe80::b", "")))[1]).toEqual([PEER_MAC]);
});
