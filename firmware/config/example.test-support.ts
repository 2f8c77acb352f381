import type { Problem } from "./problem.ts";
import { validate, type ValidateContext } from "./validate.ts";

/** A complete pair, two web servers and a spare one behind one address: the base of tests. */
export const exampleDocument = {
  system: { hostname: { a: "edge-a", b: "edge-b" }, timezone: "Asia/Tokyo" },
  interfaces: [
    { name: "wan", device: "eth0", addresses: { a: ["10.1.0.2/24"], b: ["10.1.0.3/24"] } },
    { name: "lan", device: "eth1", addresses: { a: ["10.2.0.2/24"], b: ["10.2.0.3/24"] } },
    { name: "sync", device: "eth2", addresses: { a: ["10.3.0.1/30"], b: ["10.3.0.2/30"] } },
  ],
  routes: [{ to: "default", via: "10.1.0.254" }],
  pair: {
    standby: "hot",
    partition: "availability",
    witnesses: ["10.1.0.254"],
    heartbeat: { over: ["sync", "lan", "wan"], profile: "default" },
  },
  failoverGroups: [
    {
      name: "edge",
      preferred: "a",
      preempt: false,
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
        { name: "s1", address: "10.2.0.11", port: 80 },
        { name: "s2", address: "10.2.0.12", port: 80, weight: 2 },
        { name: "s3", address: "10.2.0.13", port: 80, backup: true },
      ],
      check: {
        type: "http",
        path: "/",
        expectStatus: "200-399",
        intervalMs: 1000,
        timeoutMs: 500,
        rise: 2,
        fall: 2,
      },
    },
  ],
  services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web", mode: "nat" }],
};

/** The example after a change; while under change a document has no type. */
// oxlint-disable-next-line typescript/no-explicit-any -- see above.
export function changed(change: (document: any) => void): any {
  const document = structuredClone(exampleDocument);
  change(document);
  return document;
}

export const boxA: ValidateContext = { box: "a" };

export function problemsOf(document: unknown, context: ValidateContext = boxA): readonly Problem[] {
  const result = validate(document, context);
  return result.ok ? [] : result.problems;
}

/** Path and code of every problem. */
export function briefly(document: unknown, context: ValidateContext = boxA): readonly string[] {
  return problemsOf(document, context).map((problem) => `${problem.path} ${problem.code}`);
}
