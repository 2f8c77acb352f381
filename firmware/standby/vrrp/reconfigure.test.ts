import { describe, expect, test } from "vitest";
import { parseIpAddress } from "@futago/hal/units/address.ts";
import { instant, millis, seconds } from "@futago/hal/units/time.ts";
import {
  effectivePriority,
  initialGroup,
  nextTimeout,
  virtualRouterId,
  type GroupConfig,
  type GroupInput,
} from "./group-state.ts";
import { step } from "./group.ts";
import { reconfigure } from "./reconfigure.ts";

const WAN = virtualRouterId("eth0", "ipv4", 10);
const LAN = virtualRouterId("eth1", "ipv4", 11);
const DMZ = virtualRouterId("eth2", "ipv6", 12);
const NOW = instant(4_000_000);
const CONFIG: GroupConfig = {
  preemptMode: false,
  priority: 100,
  virtualRouters: [
    { id: WAN, advertisementInterval: seconds(1) },
    { id: LAN, advertisementInterval: seconds(1) },
  ],
};

const linkBack = (id: typeof WAN, address: string): GroupInput => ({
  kind: "linkBack",
  id,
  primaryAddress: parseIpAddress(address)!,
});

/** Active since 3.609375 s, the next advertisement due at 4.609375 s. */
function active() {
  let state = initialGroup(CONFIG, instant(0));
  const inputs: readonly GroupInput[] = [linkBack(WAN, "10.1.0.2"), linkBack(LAN, "10.2.0.2"), { kind: "startup" }];
  for (const input of inputs) state = step(CONFIG, state, input, instant(0)).state;
  return step(CONFIG, state, { kind: "timeout", drained: true }, instant(3_609_375)).state;
}

describe("a commit", () => {
  test("keeps the role where virtual routers stay, and lets go of those that are gone", () => {
    const config = { ...CONFIG, virtualRouters: CONFIG.virtualRouters.slice(0, 1) };
    const { state, actions } = reconfigure(config, active(), NOW);
    expect(actions).toEqual([
      { kind: "sendAdvertisement", id: LAN, priority: 0 },
      { kind: "removeAddresses", id: LAN },
    ]);
    expect([state.kind, effectivePriority(state), nextTimeout(state)]).toEqual(["active", 100, 4_609_375]);
  });
  test("a shorter interval is kept from the next advertisement on", () => {
    const virtualRouters = CONFIG.virtualRouters.map(({ id }) => ({ id, advertisementInterval: millis(100) }));
    expect(nextTimeout(reconfigure({ ...CONFIG, virtualRouters }, active(), NOW).state)).toBe(4_100_000);
  });
  test("a new virtual router joins with its link", () => {
    const added = { id: DMZ, advertisementInterval: seconds(1) };
    const config = { ...CONFIG, virtualRouters: [...CONFIG.virtualRouters, added] };
    const { state } = reconfigure(config, active(), NOW);
    expect(step(config, state, linkBack(DMZ, "fe80::1"), NOW).actions.slice(0, 3)).toEqual([
      { kind: "sendAdvertisement", id: DMZ, priority: 100 },
      { kind: "installAddresses", id: DMZ },
      { kind: "announce", id: DMZ },
    ]);
  });
  test("nothing linked left: silent, fault", () => {
    const { state, actions } = reconfigure({ ...CONFIG, virtualRouters: [] }, active(), NOW);
    expect(state.kind).toBe("fault");
    expect(actions[0]).toEqual({ kind: "dropLease" });
  });
});
