import { describe, expect, it } from "vitest";
import { AlarmBoard } from "./alarm-board.ts";

function board() {
  const changes: string[] = [];
  return { changes, board: new AlarmBoard((alarm, raised) => changes.push(`${raised ? "+" : "-"}${alarm.sentence}`)) };
}

describe("the alarm board", () => {
  it("keeps the first time of an alarm that goes on, with the newest sentence", () => {
    const { board: alarms, changes } = board();
    alarms.set("missing-device", "eth0", "eth0 is missing", "t1");
    alarms.set("missing-device", "eth0", "eth0 is still missing", "t2");
    expect(alarms.alarms).toEqual([{ kind: "missing-device", since: "t1", sentence: "eth0 is still missing" }]);
    expect(changes).toEqual(["+eth0 is missing"]);
  });

  it("ends an alarm once, and starts its time anew when it comes back", () => {
    const { board: alarms, changes } = board();
    alarms.set("core", "", "x", "t1");
    alarms.set("core", "", undefined, "t2");
    alarms.set("core", "", undefined, "t3");
    alarms.set("core", "", "x", "t4");
    expect(alarms.alarms[0]?.since).toBe("t4");
    expect(changes).toEqual(["+x", "-x", "+x"]);
  });

  it("makes one kind exactly what is given and leaves kinds alone whose names begin alike", () => {
    const { board: alarms } = board();
    alarms.set("network-refused", "a", "other kind", "t1");
    alarms.setAll(
      "network",
      new Map([
        ["a", "1"],
        ["b b", "2"],
      ]),
      "t2",
    );
    alarms.setAll("network", new Map([["b b", "3"]]), "t3");
    expect(alarms.alarms.map((alarm) => alarm.sentence)).toEqual(["other kind", "3"]);
  });
});
