import { readFileSync } from "node:fs";
import { validate } from "@futago/firmware/config/validate.ts";
import { expect, test } from "vitest";
import { BOXES } from "./topology.ts";
import { ownAddress, webServersDocument } from "./web-servers.ts";

const document = webServersDocument({ profile: "default", preempt: false });

test("the pair of web servers in the lab is configured as its page says", () => {
  const page = readFileSync(new URL("../../docs/two-web-servers.md", import.meta.url), "utf8");
  const shown = /```json\n(.*?)```/s.exec(page)?.[1];
  expect(JSON.parse(shown ?? "")).toEqual(document);
});

test.each(BOXES)("box %s takes that configuration", (box) => {
  expect(validate(document, { box })).toMatchObject({ ok: true });
});

test("a host is asked at its own address of the VIP's family", () => {
  expect(BOXES.map((box) => [ownAddress(box, "10.2.0.1"), ownAddress(box, "fd00:2::1")])).toEqual([
    ["10.2.0.2", "fd00:2::2"],
    ["10.2.0.3", "fd00:2::3"],
  ]);
});
