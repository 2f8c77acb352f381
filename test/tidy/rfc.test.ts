import { expect, test } from "vitest";
import { covered, idsOf, requirements, requirementsOf, uncovered } from "./rfc.ts";

test("every RFC id in a test is a row of a requirements table", () => {
  const known = new Set(requirements.map(({ id }) => id));
  expect([...covered].filter((id) => !known.has(id))).toEqual([]);
});

test("every MUST has a test, or a reason why it needs none", () => {
  expect(requirements.length).toBeGreaterThan(0);
  expect(uncovered(requirements, covered).map(({ id, text }) => `${id} ${text}`)).toEqual([]);
});

test("every id stands once", () => {
  const ids = requirements.map(({ id }) => id);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
});

test("a MUST without a test is listed, a SHOULD and one that is not ours are not", () => {
  const table = [
    "| id | level | requirement | where |",
    "|---|---|---|---|",
    "| RFC9568-6.4.2-a | MUST | adopts the interval | machine |",
    "| RFC9568-6.4.2-b | MUST NOT | answers ARP | not ours: the gate's |",
    "| RFC9568-7.1-a | SHOULD | logs | |",
    "| RFC9568-7.1-b | MUST | discards | packet |",
  ].join("\n");
  const rows = requirementsOf(table);
  expect(rows.map(({ id }) => id)).toEqual(["RFC9568-6.4.2-a", "RFC9568-6.4.2-b", "RFC9568-7.1-a", "RFC9568-7.1-b"]);
  const tests = [{ path: "a.test.ts", text: `test("RFC9568-7.1-b: a packet of version 2 is discarded", () => {});` }];
  expect(uncovered(rows, idsOf(tests)).map(({ id }) => id)).toEqual(["RFC9568-6.4.2-a"]);
});
