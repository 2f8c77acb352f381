import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { deepestChain, type Function, functionsOf } from "./stack.ts";

/** What Linux allows, MAX_BPF_STACK, less one more call: growth is to be noticed before a kernel refuses it. */
const STACK_BYTES_MAX = 512 - 32;

const functionsIn = (name: string) =>
  functionsOf(readFileSync(fileURLToPath(new URL(`../../hal/build/${name}.bpf.o`, import.meta.url))));

describe("the stack of", () => {
  it.each([
    ["balancer", "futago_balancer"],
    ["balancer", "futago_oddities"],
    ["balancer", "futago_fragments"],
    ["balancer", "futago_capture"],
    ["balancer", "futago_root"],
    ["gate", "futago_ingress"],
    ["gate", "futago_egress"],
  ])("%s's %s leaves room for a call, as Linux 6.1 counts", (object, program) => {
    const chain = deepestChain(functionsIn(object), program);
    expect(chain.bytes, chain.frames.join(" > ")).toBeLessThanOrEqual(STACK_BYTES_MAX);
  });

  it("a program is found through its calls, in other sections too", () => {
    const functions = functionsIn("balancer");
    expect(functions.get("futago_balancer")?.calls).toContain("choose_slowly");
    expect(functions.get("choose_slowly")?.calls).toContain("establish_both");
    expect(functions.get("translate_quotation")?.calls).toEqual(["put_checksum"]);
  });
});

describe("a chain of calls", () => {
  const of = (name: string, stackBytes: number, ...calls: string[]): [string, Function] => [
    name,
    { name, stackBytes, calls },
  ];

  it("costs 32 bytes a call at least, in steps of 32, and is as deep as its deepest branch", () => {
    const functions = new Map([of("top", 240, "none", "deep"), of("none", 0), of("deep", 33, "leaf"), of("leaf", 64)]);
    expect(deepestChain(functions, "none").bytes).toBe(32);
    expect(deepestChain(functions, "top")).toEqual({ bytes: 256 + 64 + 64, frames: ["top 240", "deep 33", "leaf 64"] });
  });
});
