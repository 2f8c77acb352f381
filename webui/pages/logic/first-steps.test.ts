import { validate } from "@futago/firmware/config/validate.ts";
import { expect, test } from "vitest";
import {
  doneSteps,
  mayRepeat,
  proposedPorts,
  type ServiceWish,
  withAddresses,
  withFirstService,
  withPeer,
  withPorts,
} from "./first-steps.ts";

const ports = [
  { device: "eth0", carrier: false },
  { device: "eth1", carrier: true },
  { device: "eth2", carrier: true },
];
const named = withPorts({}, [
  { device: "eth0", name: "wan" },
  { device: "eth1", name: "lan" },
  { device: "eth2", name: "" },
]);
const addressed = withAddresses(
  named,
  [
    { name: "wan", addresses: "10.1.0.2/24" },
    { name: "lan", addresses: "10.2.0.2/24 2001:db8::2/64" },
  ],
  "10.1.0.254",
);
const paired = withPeer(addressed, "a", [
  { name: "wan", device: "eth0", addresses: "10.1.0.3/24" },
  { name: "lan", device: "enp1s0", addresses: "10.2.0.3/24 2001:db8::3/64" },
]);
const wish: ServiceWish = {
  interface: "wan",
  address: "10.1.0.1/24",
  name: "www",
  port: "80",
  mode: "nat",
  inside: { interface: "lan", address: "10.2.0.1/24" },
  backends: "10.2.0.11:8080\n10.2.0.12",
};
const problemsOf = (document: unknown, box?: "a" | "b") => {
  const result = validate(document, { box });
  return result.ok ? [] : result.problems.map(({ path, code }) => `${path} ${code}`);
};

test("ports with a cable get the usual names first", () => {
  expect(proposedPorts(ports).map(({ name }) => name)).toEqual(["sync", "wan", "lan"]);
});

test("named and addressed ports are a configuration of a box alone", () => {
  expect(problemsOf(addressed)).toEqual([]);
  expect(addressed).toMatchObject({
    interfaces: [
      { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
      { name: "lan", device: "eth1", addresses: ["10.2.0.2/24", "2001:db8::2/64"] },
    ],
    routes: [{ to: "default", via: "10.1.0.254" }],
  });
});

test("the other box's ports make it one of a pair, whichever letter this box has", () => {
  for (const box of ["a", "b"] as const) expect(problemsOf(paired, box)).toEqual([]);
  const fromB = withPeer(addressed, "b", [{ name: "wan", device: "eth0", addresses: "10.1.0.3/24" }]);
  expect(fromB).toMatchObject({ interfaces: [{ addresses: { a: ["10.1.0.3/24"], b: ["10.1.0.2/24"] } }, {}] });
});

test("the first service is one that can be committed, in either mode, with a peer or without", () => {
  expect(problemsOf(withFirstService(paired, wish), "a")).toEqual([]);
  expect(problemsOf(withFirstService(addressed, wish))).toEqual([]);
  expect(problemsOf(withFirstService(paired, { ...wish, mode: "one-arm", inside: undefined }), "b")).toEqual([]);
  expect(withFirstService(paired, wish)).toMatchObject({
    pools: [{ backends: [{ port: 8080 }, { name: "s2", address: "10.2.0.12", port: 80 }] }],
  });
});

test("a step is not done again where it would overwrite what it does not ask for", () => {
  expect(mayRepeat("addresses", addressed, [])).toBe(true);
  expect(mayRepeat("ports", {}, [])).toBe(false);
  expect(mayRepeat("addresses", paired, [])).toBe(false);
  expect(mayRepeat("ports", withFirstService(addressed, wish), [])).toBe(false);
  expect(mayRepeat("service", withFirstService(paired, wish), [])).toBe(false);
  expect(mayRepeat("pair", addressed, ["pair"])).toBe(true);
});

test("the steps that are done are told from the document and the pair", () => {
  const standing = { document: {}, revision: "", paired: false, drilled: false, pending: [] };
  expect([...doneSteps(standing)]).toEqual(["claim"]);
  expect([...doneSteps({ ...standing, document: addressed })]).toEqual(["claim", "ports"]);
  const whole = { document: withFirstService(paired, wish), revision: "r", paired: true, drilled: true, pending: [] };
  expect([...doneSteps(whole)]).toEqual(["claim", "ports", "addresses", "pair", "service", "drill"]);
  // Refused: the form stays until it is in force.
  const refused = { ...whole, pending: ["pair", "services.www.port", "pairs"] };
  expect([...doneSteps(refused)]).toEqual(["claim", "ports", "addresses", "drill"]);
});
