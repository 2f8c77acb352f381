/** The kernel's verifier and the compiler behind it, program by program. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

interface Verdict {
  readonly program: string;
  readonly taken: boolean;
  /** Machine code; 0 when the program would be interpreted. */
  readonly jitedBytes: number;
  readonly log: string;
}

const VERIFY = fileURLToPath(new URL("../build/verify", import.meta.url));
const OBJECTS = {
  balancer: ["futago_balancer", "futago_capture", "futago_fragments", "futago_oddities", "futago_root"],
  gate: ["futago_egress", "futago_ingress"],
};

describe.each(Object.entries(OBJECTS))("of %s, this kernel", (object, programs) => {
  const path = fileURLToPath(new URL(`../../../hal/build/${object}.bpf.o`, import.meta.url));
  const verdicts = execFileSync(VERIFY, [path], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Verdict);

  it("knows every program", () => {
    expect(verdicts.map((verdict) => verdict.program).toSorted()).toEqual(programs);
  });

  it.each(programs)("takes %s and compiles it", (program) => {
    const verdict = verdicts.find((one) => one.program === program);
    expect(verdict?.taken, verdict?.log).toBe(true);
    expect(verdict?.jitedBytes).toBeGreaterThan(0);
  });
});

it("compiles BPF programs, as Debian's kernels do by default", () => {
  expect(readFileSync("/proc/sys/net/core/bpf_jit_enable", "utf8").trim()).toBe("1");
});
