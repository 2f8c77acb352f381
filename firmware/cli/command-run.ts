/** Reads `futago run`. Pure. */
import { isIPv4, isIPv6 } from "node:net";
import type { RunOptions } from "../runtime/main.ts";
import { quote, type Refused, text, usageOf, type Values } from "./command-words.ts";
import type { Verb } from "./verb.ts";

export interface RunCommand extends RunOptions {
  readonly kind: "run";
}

export function buildRun(verb: Verb, values: Values, stateDirectory: string): RunCommand | Refused {
  const box = text(values, "box");
  if (box !== undefined && box !== "a" && box !== "b") return usageOf(verb, `--box is a or b, not ${quote(box)}`);
  const web = text(values, "web");
  if (web !== undefined && !isListenAddress(web)) {
    return usageOf(verb, `--web is ADDR:PORT or :PORT, not ${quote(web)}`);
  }
  const updatePace = text(values, "update-pace");
  if (updatePace !== undefined && !isPace(updatePace)) {
    return usageOf(verb, `--update-pace is PROVE,WATCH in seconds, each 1 to 3600, not ${quote(updatePace)}`);
  }
  return {
    kind: "run",
    stateDirectory,
    box,
    importFile: text(values, "import"),
    pairKeyFile: text(values, "pair-key"),
    web,
    power: text(values, "power"),
    system: text(values, "system"),
    updater: text(values, "updater"),
    updatePace,
    board: text(values, "board"),
  };
}

function isPace(pace: string): boolean {
  const seconds = pace.split(",").map((word) => (/^\d{1,4}$/.test(word) ? Number(word) : 0));
  return seconds.length === 2 && seconds.every((one) => one >= 1 && one <= 3_600);
}

/** The address is written as a number: the web process looks no name up. */
function isListenAddress(web: string): boolean {
  const [, six, four, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]*)):(\d{1,5})$/.exec(web) ?? [];
  const isAddress = six === undefined ? four === "" || isIPv4(four ?? "") : isIPv6(six);
  return isAddress && Number(port) > 0 && Number(port) <= 65_535;
}
