import { describe, expect, test } from "vitest";
import { type Allowed, breach, importsOf } from "./layers.ts";
import { typescript } from "./source.ts";

/** Each line is a decision; its reason says why the rule would make the place worse. */
const ALLOWED: readonly Allowed[] = [
  {
    from: "firmware/runtime/supervisor/state-lock.ts",
    to: "hal/board/file-lock.ts",
    reason: "taken before there is a hal, by a process that has no other use for one",
  },
  { from: "hal/units/address.ts", to: "node:net", reason: "isIPv4 and isIPv6 are pure, and exact" },
];

const imports = typescript.flatMap((file) => importsOf(file));

test("the import graph was read", () => {
  expect(imports.length).toBeGreaterThan(50);
  expect(imports).toContainEqual({ from: "hal/contract/machine.ts", to: "hal/units/time.ts", typeOnly: true });
});

test("no import breaks the layers", () => {
  const broken = imports.flatMap((one) => {
    const why = breach(one);
    const allowed = ALLOWED.some(({ from, to }) => from === one.from && to === one.to);
    return why === undefined || allowed ? [] : [`${one.from} imports ${one.to}: ${why}`];
  });
  expect(broken).toEqual([]);
});

test("every allowed line is still needed", () => {
  const idle = ALLOWED.filter(
    ({ from, to }) => !imports.some((one) => one.from === from && one.to === to && breach(one)),
  );
  expect(idle).toEqual([]);
});

describe("the rules themselves", () => {
  const cases: readonly (readonly [from: string, statement: string, why: string | undefined])[] = [
    ["firmware/standby/a.ts", `import { x } from "../runtime/b.ts";`, "hal/units"],
    ["firmware/standby/a.ts", `import { readFileSync } from "node:fs";`, "node"],
    ["firmware/standby/a.ts", `import { y } from "../config/b.ts";`, "types of firmware/config only"],
    ["firmware/standby/a.ts", `import { type Y } from "../config/b.ts";`, undefined],
    ["firmware/standby/a.ts", `import type { Y } from "../config/b.ts";`, undefined],
    ["firmware/standby/a.ts", `import {\n  x,\n} from "@futago/hal/units/time.ts";`, undefined],
    ["firmware/standby/a.ts", `export * from "@futago/hal/contract/hal.ts";`, "hal/units"],
    ["firmware/runtime/core/a.ts", `import { openNetwork } from "@futago/hal/netlink/network.ts";`, "mains"],
    ["firmware/runtime/core/main.ts", `import { openNetwork } from "@futago/hal/netlink/network.ts";`, undefined],
    ["firmware/cli/a.ts", `import type { Hal } from "@futago/hal/contract/hal.ts";`, "only firmware/runtime"],
    ["firmware/cli/a.ts", `const x = await import("better-sqlite3");`, "belongs to"],
    ["firmware/cli/a.ts", `import "left-pad";`, "no room"],
    ["hal/board/a.ts", `import { x } from "@futago/firmware/config/b.ts";`, "hal only"],
    ["hal/units/a.ts", `import { x } from "../contract/error.ts";`, "itself"],
    ["hal/board/a.ts", `import { x } from "@futago/test/netns/a.ts";`, "nothing imports test"],
  ];
  test.each(cases)("%s: %s", (path, text, why) => {
    const found = importsOf({ path, text }).map(breach);
    expect(found).toHaveLength(1);
    expect(found[0] ?? "right").toContain(why ?? "right");
  });
});
