import { expect, it } from "vitest";
import { compileOrders } from "../../../config/compile-orders.ts";
import { exampleDocument } from "../../../config/example.test-support.ts";
import { validate } from "../../../config/validate.ts";
import { addressesByPort } from "./dark-probe.ts";

it("asks on each port for its virtual addresses and for what the other box has there", () => {
  const judged = validate(exampleDocument, { box: "a" });
  if (!judged.ok) throw new Error(JSON.stringify(judged.problems));
  expect([...addressesByPort(compileOrders(judged.resolved, "ab".repeat(32)))]).toEqual([
    ["eth0", ["10.1.0.1", "10.1.0.3"]],
    ["eth1", ["10.2.0.1", "10.2.0.3"]],
  ]);
});
