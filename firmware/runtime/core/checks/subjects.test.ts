import { atOnce } from "@futago/hal/units/steps.ts";
import { describe, expect, it } from "vitest";
import { compileSystem } from "../../../config/compile-system.ts";
import { validate } from "../../../config/validate.ts";
import { balancedDevices, deviceOfService, devicesOfServices } from "../balancer/balanced-services.ts";
import { describeCheck, penaltiesOf } from "./penalties.ts";
import { sourceFor, type Subject, SubjectList } from "./subjects.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";

const judged = validate(
  {
    interfaces: [
      { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
      { name: "lan", device: "eth1", addresses: ["10.2.0.2/24", "fd00::2/64"] },
      { name: "other", device: "eth2", addresses: ["10.3.0.2/24"] },
    ],
    routes: [
      { to: "default", via: "10.1.0.254" },
      { to: "10.9.0.0/16", via: "10.2.0.99" },
    ],
    failoverGroups: [
      {
        name: "edge",
        track: [
          { check: { type: "http", path: "/alive" }, weight: -50 },
          { check: { type: "tcp", port: 22, address: "10.3.0.7" }, weight: -10 },
        ],
        virtualRouters: [
          { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"] },
          { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"] },
        ],
      },
    ],
    pools: [
      {
        name: "web",
        backends: [
          { name: "near", address: "10.2.0.11", port: 8080, weight: 3 },
          { name: "far", address: "10.9.1.1", port: 80, backup: true },
        ],
        check: { type: "tcp" },
      },
      { name: "unseen", backends: [{ name: "x", address: "10.2.0.12", port: 80 }], check: { type: "none" } },
    ],
    services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web" }],
  },
  { box: undefined },
);
if (!judged.ok) throw new Error(JSON.stringify(judged.problems));
const config = judged.resolved;
const system = compileSystem(config);
const list = new SubjectList();
const subjects = atOnce(list.configure(config, system));

describe("what core looks at", () => {
  it("is every checked backend, every tracked check and every default gateway, by its path", () => {
    expect(subjects.map(({ path, address, port, source }) => [path, address, port, source])).toEqual([
      ["pools.web.backends.near", "10.2.0.11", 8080, "10.2.0.2"],
      ["pools.web.backends.far", "10.9.1.1", 80, "10.2.0.2"],
      ["failoverGroups.edge.track.0", "127.0.0.1", 80, undefined],
      ["failoverGroups.edge.track.1", "10.3.0.7", 22, "10.3.0.2"],
      ["routes.default.10.1.0.254", "10.1.0.254", 0, undefined],
    ]);
  });

  it("of a pool that is the same object is the same objects, unless the box's own addresses are others", () => {
    const again = atOnce(list.configure({ ...config }, system));
    expect(again.map((one, i) => one === subjects[i])).toEqual([true, true, false, false, false]);
    const moved = { ...system, links: [] };
    expect(atOnce(list.configure(config, moved))[0]).toMatchObject({ address: "10.2.0.11", source: undefined });
  });

  it("is asked from the box's own address: on the link, else on the way to the gateway, else the kernel's choice", () => {
    const from = (to: string) => sourceFor(system, to as IpAddress);
    expect(from("10.2.0.200")).toBe("10.2.0.2");
    expect(from("10.9.7.7")).toBe("10.2.0.2");
    expect(from("8.8.8.8")).toBe("10.1.0.2");
    expect(from("fd00::9")).toBe("fd00::2");
    expect(from("fd99::9")).toBeUndefined();
  });
});

describe("penalties", () => {
  const bad = (wanted: string) => (subject: Subject) =>
    subject.path === wanted ? { healthy: false, blind: false, reason: "no connection within 500 ms" } : undefined;

  it("are what the failed check weighs, for its group, with a sentence", () => {
    expect(penaltiesOf(subjects, bad("failoverGroups.edge.track.0"))).toEqual([
      {
        group: "edge",
        cause: "check",
        weight: 50,
        sentence: "check http 127.0.0.1:80 failed: no connection within 500 ms",
      },
    ]);
  });

  it("are 40 for every group when a gateway is lost, and none for a backend", () => {
    expect(penaltiesOf(subjects, bad("routes.default.10.1.0.254"))).toMatchObject([{ cause: "gateway", weight: 40 }]);
    expect(penaltiesOf(subjects, bad("routes.default.10.1.0.254"))[0]?.group).toBeUndefined();
    expect(penaltiesOf(subjects, bad("pools.web.backends.near"))).toEqual([]);
  });

  it("are none for what was not looked at yet", () => {
    expect(penaltiesOf(subjects, () => undefined)).toEqual([]);
  });

  it("name an IPv6 target in brackets", () => {
    const [subject] = subjects;
    expect(describeCheck({ ...subject!, address: "fd00::1" as IpAddress })).toBe("tcp [fd00::1]:8080");
  });
});

describe("the services as the balancer gets them", () => {
  it("need the balancer where clients come in and where backends sit, and nowhere else", () => {
    expect(balancedDevices(devicesOfServices(config, system))).toEqual(["eth0", "eth1"]);
    expect(deviceOfService(config, config.services[0]!)).toBe("eth0");
    expect(balancedDevices(devicesOfServices({ ...config, services: [] }, system))).toEqual([]);
  });
});
