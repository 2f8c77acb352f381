/** In the guest: the panel of a box on the machine's own lines, by the code that a box runs, but without a box around it. */
import { openBoard } from "@futago/hal/board/board.ts";
import { openClock } from "@futago/hal/board/clock.ts";
import { chooseBoard } from "@futago/hal/board/describe.ts";
import type { Log } from "@futago/firmware/runtime/core/log.ts";
import { PanelRoom } from "@futago/firmware/runtime/core/panel/panel-room.ts";
import { SentinelHardware } from "@futago/firmware/runtime/sentinel/hardware.ts";

const LOOK_MILLIS = 1_000;
const LIMIT_MILLIS = 600_000;

const say = (event: string, fields: object = {}) => console.log(`panel: ${event} ${JSON.stringify(fields)}`);
const board = openBoard();
const clock = openClock();
const chosen = chooseBoard("auto", "/none", board.identity());
const sentinel: SentinelHardware = new SentinelHardware(board, clock, chosen.description, () => undefined);
sentinel.setRole("active");
const room = new PanelRoom({
  board,
  clock,
  chosen,
  log: { info: say, warn: say } as unknown as Log,
  facts: () => ({ role: "active", peer: "none", alarms: 0, claimed: true, mayActivate: false }),
  sendLight: (light) => {
    sentinel.override(light ?? undefined);
    return true;
  },
  setAlarm: (kind, _, sentence) => say("alarm", { kind, sentence }),
  onChange: () => undefined,
});
room.look();
setInterval(() => sentinel.look({ pulseSilence: undefined, followingSince: undefined }), LOOK_MILLIS);
// A press before the button was found is heard by nobody.
const finding = setInterval(() => {
  if (room.shown?.button === "missing") return;
  clearInterval(finding);
  say("ready", { ...room.shown, ...sentinel.report });
}, LOOK_MILLIS);
setTimeout(() => say("limit"), LIMIT_MILLIS);
