import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ip, PairMachine, pass } from "./pair-machine.suite.ts";
import { Witnesses } from "./witnesses.ts";

let machine: PairMachine;
let witnesses: Witnesses;
/** When the probe was sent that a witness has just answered, in milliseconds since the start. */
let seen: number[];

beforeEach(() => {
  vi.useFakeTimers();
  machine = new PairMachine();
  seen = [];
  witnesses = new Witnesses(machine.icmp, machine.hal.clock, (sentAt) => seen.push(sentAt / 1_000 - 100_000));
});
afterEach(() => {
  witnesses.close();
  vi.useRealTimers();
});

test("a witness is asked once a second, and its answer counts from when it was asked", async () => {
  machine.icmp.setHost(ip("10.1.0.254"), "answers");
  witnesses.configure([ip("10.1.0.254")]);
  await pass(3_100);
  expect(seen).toEqual([1_000, 2_000, 3_000]);
});

test("witnesses of both families are asked", async () => {
  machine.icmp.setHost(ip("10.1.0.254"), "answers");
  machine.icmp.setHost(ip("fd00::fe"), "answers");
  witnesses.configure([ip("10.1.0.254"), ip("fd00::fe")]);
  await pass(1_000);
  expect(seen).toEqual([1_000, 1_000]);
});

test("a witness that is silent or out of reach has not been seen", async () => {
  machine.icmp.setHost(ip("10.1.0.254"), "silent");
  witnesses.configure([ip("10.1.0.254"), ip("10.9.0.1")]);
  await pass(5_000);
  expect(seen).toEqual([]);
});

test("in a hurry witnesses are asked at once and at every beat, until there is none", async () => {
  machine.icmp.setHost(ip("10.1.0.254"), "answers");
  witnesses.configure([ip("10.1.0.254")]);
  witnesses.hurry(15);
  await pass(45);
  expect(seen).toEqual([0, 15, 30, 45]);
  // Said again with every report: nothing new.
  witnesses.hurry(15);
  expect(seen).toHaveLength(4);
  witnesses.hurry(undefined);
  await pass(1_500);
  expect(seen.slice(4)).toEqual([1_045]);
});

test("without witnesses nobody is asked", async () => {
  witnesses.configure([ip("10.1.0.254")]);
  machine.icmp.setHost(ip("10.1.0.254"), "answers");
  witnesses.configure([]);
  await pass(3_000);
  expect(seen).toEqual([]);
});

test("answers to other people's questions are not counted", async () => {
  machine.icmp.setHost(ip("10.1.0.254"), "answers");
  witnesses.configure([ip("10.1.0.254")]);
  const other = machine.icmp.open("ipv4", () => undefined);
  other.sendEcho(ip("10.1.0.254"), (process.pid + 1) & 0xffff, 1);
  // Ours, but never sent.
  other.sendEcho(ip("10.1.0.254"), process.pid & 0xffff, 777);
  await pass(10);
  expect(seen).toEqual([]);
});
