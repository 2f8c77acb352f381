import { expect, test } from "vitest";
import { readEvents } from "./event-stream.ts";

test("events are read as they are completed, and comments are none", () => {
  const first = readEvents(': beat\n\nid: e-1\nevent: status\ndata: {"a":1}\n\nid: e-2\neve');
  expect(first.events).toEqual([{ id: "e-1", event: "status", data: '{"a":1}' }]);
  const second = readEvents(`${first.rest}nt: boxes\ndata: 1\ndata: 2\n\n`);
  expect(second.events).toEqual([{ id: "e-2", event: "boxes", data: "1\n2" }]);
  expect(second.rest).toBe("");
});

test("an event without an id or a name is read all the same", () => {
  expect(readEvents("data: x\r\n\r\n").events).toEqual([{ id: undefined, event: "message", data: "x" }]);
});
