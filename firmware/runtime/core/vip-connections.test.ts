import { HalError } from "@futago/hal/contract/error.ts";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { GroupStatus } from "../messages.ts";
import type { Log } from "./log.ts";
import { VipConnections } from "./vip-connections.ts";

const ADDRESSES = ["10.2.0.1/24", "fd00:2::1/64"];
let network: FakeNetwork;
let connections: VipConnections;
let lines: string[];

beforeEach(() => {
  vi.useFakeTimers();
  network = new FakeNetwork();
  lines = [];
  const note = (event: string, fields: object) => void lines.push(`${event} ${JSON.stringify(fields)}`);
  connections = new VipConnections(network, { info: note, warn: note } as unknown as Log);
});
afterEach(() => {
  connections.close();
  vi.useRealTimers();
});

function group(state: string): GroupStatus {
  return { name: "web", state, addresses: ADDRESSES } as unknown as GroupStatus;
}

/** As many clients are connected to each address. */
function connect(...counts: readonly number[]): void {
  counts.forEach((count, i) => network.setConnections(parseIpAddress(ADDRESSES[i]!.split("/")[0]!)!, count));
}

async function left(): Promise<readonly number[]> {
  const vips = ADDRESSES.map((text) => parseIpAddress(text.split("/")[0]!) as IpAddress);
  return Promise.all(vips.map((vip) => network.endConnections(vip)));
}

test("connections live while the box holds the group, and end with both families when it does not", async () => {
  connections.setGroups([group("active")]);
  connect(3, 2);
  connections.setGroups([group("active")]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(lines).toEqual([]);
  connections.setGroups([group("standby")]);
  await vi.advanceTimersByTimeAsync(0);
  expect(lines).toEqual(['connections-ended {"group":"web","ended":5}']);
  expect(await left()).toEqual([0, 0]);
});

test("a standby that stays one is left in peace", async () => {
  connections.setGroups([group("standby")]);
  await vi.advanceTimersByTimeAsync(0);
  connect(1, 1);
  connections.setGroups([group("standby")]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await left()).toEqual([1, 1]);
});

test("what was left over before this program started ends at its first look", async () => {
  connect(7);
  connections.setGroups([group("standby")]);
  await vi.advanceTimersByTimeAsync(0);
  expect(lines).toEqual(['connections-ended {"group":"web","ended":7}']);
});

test("at a planned hand-over they end shortly before the box stops forwarding, so that the resets get out", async () => {
  connections.setGroups([group("active")]);
  connect(4);
  connections.onEvent({ event: "yielded", group: "web" });
  await vi.advanceTimersByTimeAsync(69);
  expect(lines).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(lines).toEqual(['connections-ended {"group":"web","ended":4}']);
});

test("a hand-over that the peer did not take ends nothing", async () => {
  connections.setGroups([group("active")]);
  connect(4);
  connections.onEvent({ event: "yielded", group: "web" });
  connections.onEvent({ event: "resumed", group: "web" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await left()).toEqual([4, 0]);
});

test("a kernel that cannot do it is told of, and nothing else happens", async () => {
  network.refuseNext(new HalError("ENOTSUP", "SOCK_DESTROY", "operation not supported"));
  connections.setGroups([group("standby")]);
  await vi.advanceTimersByTimeAsync(0);
  expect(lines).toEqual([expect.stringMatching(/^connections-not-ended .*operation not supported/)]);
});
