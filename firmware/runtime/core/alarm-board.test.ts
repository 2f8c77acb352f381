import { describe, expect, it } from "vitest";
import type { Alarm } from "../messages.ts";
import { AlarmBoard } from "./alarm-board.ts";

/** Its clock goes on by one each time that somebody looks. */
function board() {
  const changes: string[] = [];
  let looks = 0;
  const onChange = (alarm: Alarm, raised: boolean) => void changes.push(`${raised ? "+" : "-"}${alarm.sentence}`);
  return { changes, board: new AlarmBoard(onChange, () => `t${++looks}`) };
}

describe("the alarm board", () => {
  it("keeps the first time of an alarm that goes on, with the newest sentence", () => {
    const { board: alarms, changes } = board();
    alarms.set("missing-device", "eth0", "eth0 is missing");
    alarms.set("missing-device", "eth0", "eth0 is still missing");
    expect(alarms.alarms).toEqual([{ kind: "missing-device", since: "t1", sentence: "eth0 is still missing" }]);
    expect(changes).toEqual(["+eth0 is missing"]);
  });

  it("ends an alarm once, and starts its time anew when it comes back", () => {
    const { board: alarms, changes } = board();
    alarms.set("core", "", "x");
    alarms.set("core", "", undefined);
    alarms.set("core", "", undefined);
    alarms.set("core", "", "x");
    expect(alarms.alarms[0]?.since).toBe("t2");
    expect(changes).toEqual(["+x", "-x", "+x"]);
  });

  it("makes one kind exactly what is given and leaves kinds alone whose names begin alike", () => {
    const { board: alarms } = board();
    alarms.set("network-refused", "a", "other kind");
    alarms.setAll(
      "network",
      new Map([
        ["a", "1"],
        ["b b", "2"],
      ]),
    );
    alarms.setAll("network", new Map([["b b", "3"]]));
    expect(alarms.alarms.map((alarm) => alarm.sentence)).toEqual(["other kind", "3"]);
  });
});
