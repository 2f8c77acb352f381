import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { accessEntriesMax, backendsPerPoolMax, groupsMax, vipsMax } from "./limits.ts";

it("accepts no more than the BPF maps hold", () => {
  const header = readFileSync(new URL("../../hal/xdp/consts.h", import.meta.url), "utf8");
  const inKernel = (name: string): number => Number(new RegExp(`^#define ${name} (\\d+)$`, "m").exec(header)?.[1]);
  expect([groupsMax, vipsMax, accessEntriesMax, backendsPerPoolMax]).toEqual(
    ["GROUPS_MAX", "VIPS_MAX", "ACCESS_MAX", "SERVICE_BACKENDS_MAX"].map(inKernel),
  );
});
