import { describe, expect, it } from "vitest";
import { type IpAddress, parseInterfaceAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { instant, seconds } from "@futago/hal/units/time.ts";
import type { ResolvedPool, ResolvedService } from "../../../config/resolved.ts";
import { subnetTable } from "../../../config/host-address.ts";
import { PoolStates } from "./pool-states.ts";
import { ServiceList } from "./service-list.ts";

const ip = (text: string) => parseIpAddress(text) as IpAddress;
const at = (value: number) => instant(seconds(value));
const NOBODY: ReadonlySet<string> = new Set();

function pool(slowStartSeconds: number, name = "web"): ResolvedPool {
  const backends = ["s1", "s2"].map((backend, i) => ({
    name: backend,
    address: ip(`10.2.0.1${i}`),
    port: 80,
    weight: 1,
    backup: false,
    maxConnections: i === 0 ? 100 : undefined,
  }));
  return { name, backends, check: { kind: "none" }, slowStartSeconds };
}

function health(s1: boolean, s2 = true) {
  const judged = (healthy: boolean) => ({ healthy, blind: false, reason: "" });
  return [judged(s1), judged(s2)];
}

describe("a pool's backends", () => {
  it("carry limits, life and drains; what nobody judged is alive", () => {
    const { backends } = new PoolStates().update(pool(0), [], new Set(["web/s2"]), at(1));
    expect(backends).toMatchObject([
      { id: "web/s1", alive: true, draining: false, step: 5, flowsMax: 100 },
      { id: "web/s2", alive: true, draining: true, step: 5, flowsMax: 0 },
    ]);
  });

  it("know how many bits name their subnet, where that is on a link", () => {
    const states = new PoolStates();
    const subnet = parseInterfaceAddress("10.2.0.2/28");
    states.keep([pool(0)], subnetTable(subnet === undefined ? [] : [[subnet, subnet]]));
    expect(states.update(pool(0), [], NOBODY, at(1)).backends.map((one) => one.subnetBits)).toEqual([28, 28]);
    states.keep([pool(0)], subnetTable([]));
    expect(states.update(pool(0), [], NOBODY, at(1)).backends.map((one) => one.subnetBits)).toEqual([0, 0]);
  });

  it("are the same object while nothing changes", () => {
    const states = new PoolStates();
    const first = states.update(pool(0), health(true), NOBODY, at(1)).backends;
    expect(states.update(pool(0), health(true), NOBODY, at(2)).backends).toBe(first);
    const second = states.update(pool(0), health(false), NOBODY, at(3)).backends;
    expect(second).not.toBe(first);
    expect(states.backendsOf("web")).toBe(second);
  });

  it("that were there from the start have their whole weight, and those that return grow", () => {
    const states = new PoolStates();
    const steps = (s1: boolean, now: number) => {
      const { backends, nextAt } = states.update(pool(40), health(s1), NOBODY, at(now));
      return [backends.map((one) => one.step), nextAt];
    };
    expect(steps(true, 1)).toEqual([[5, 5], undefined]);
    expect(steps(false, 2)).toEqual([[5, 5], undefined]);
    expect(steps(true, 10)).toEqual([[1, 5], at(20)]);
    expect(steps(true, 20)).toEqual([[2, 5], at(30)]);
    expect(steps(false, 25)).toEqual([[5, 5], undefined]);
    expect(steps(true, 30)).toEqual([[1, 5], at(40)]);
    expect(steps(true, 70)).toEqual([[5, 5], undefined]);
  });

  it("that start dead grow when they come", () => {
    const states = new PoolStates();
    states.update(pool(40), health(false), NOBODY, at(1));
    expect(states.update(pool(40), health(true), NOBODY, at(2)).backends[0]?.step).toBe(1);
  });

  it("are forgotten with their pool", () => {
    const states = new PoolStates();
    states.update(pool(0), health(true), NOBODY, at(1));
    states.keep([pool(0, "mail")], subnetTable([]));
    expect(states.backendsOf("web")).toEqual([]);
  });
});

describe("the list of services", () => {
  const service = (name: string, of: string, sorryPool?: string): ResolvedService => ({
    name,
    addresses: [ip("10.1.0.1"), ip("10.1.0.2")],
    family: "ipv4",
    group: "edge",
    protocol: "tcp",
    port: 80,
    pool: of,
    mode: "one-arm",
    persistence: "source",
    allow: [],
    deny: [],
    sorryPool,
    newConnectionsPerSecond: 9,
    maxConnections: 700,
    maxConnectionsPerClient: undefined,
    idleTimeoutSeconds: 60,
  });

  it("has one for each address, with all that is the service's", () => {
    const list = new ServiceList();
    list.configure([service("www", "web")], () => []);
    expect(list.services).toEqual(
      ["10.1.0.1", "10.1.0.2"].map((address) => ({
        name: "www",
        address,
        port: 80,
        protocol: "tcp",
        mode: "one-arm",
        persistence: "source",
        allow: [],
        deny: [],
        newFlowsPerSecond: 9,
        flowsMax: 700,
        clientFlowsMax: 0,
        idleTimeoutSeconds: 60,
        backends: [],
        sorry: [],
      })),
    );
  });

  it("makes anew those that use a pool that changed, as pool or as sorry pool, and no others", () => {
    const list = new ServiceList();
    const before = list.configure([service("a", "web"), service("b", "mail"), service("c", "mail", "web")], () => []);
    list.refresh("web", () => []);
    expect(list.services?.map((one, i) => one === before[i])).toEqual([false, false, true, true, false, false]);
  });

  it("is not known before somebody configured it, whatever is said of pools", () => {
    const list = new ServiceList();
    list.refresh("web", () => []);
    expect(list.services).toBeUndefined();
  });
});
