import { expect, it } from "vitest";
import { DISK_BYTES, FACTORY_ID, MEBIBYTE, placed } from "./layout.ts";

it("partitions follow each other on whole mebibytes, in the order that the loader counts on", () => {
  const all = placed();
  expect(all.map(({ name }) => name)).toEqual([
    "bios",
    "esp",
    "bs0",
    "bs1",
    "boot-a",
    "boot-b",
    "root-a",
    "root-b",
    "data",
  ]);
  expect(all.map(({ startBytes }) => startBytes / MEBIBYTE)).toEqual([1, 2, 66, 67, 68, 196, 324, 1092, 1860]);
  const end = Math.max(...all.map(({ startBytes, bytes }) => startBytes + bytes));
  expect(DISK_BYTES - end).toBe(MEBIBYTE);
  // It must fit into what is sold as 4 GB.
  expect(DISK_BYTES).toBeLessThan(3.6e9);
});

it("GUIDs are fixed and no two are the same", () => {
  expect(FACTORY_ID).toBe("911a77f1-fcad-8adc-8670-7321e41d6fe2");
  expect(new Set(placed().map(({ guid }) => guid)).size).toBe(9);
  for (const { guid } of placed())
    expect(guid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});
