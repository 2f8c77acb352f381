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
    board: text(values, "board"),
  };
}

/** The address is written as a number: the web process looks no name up. */
function isListenAddress(web: string): boolean {
  const [, six, four, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]*)):(\d{1,5})$/.exec(web) ?? [];
  const isAddress = six === undefined ? four === "" || isIPv4(four ?? "") : isIPv6(six);
  return isAddress && Number(port) > 0 && Number(port) <= 65_535;
}
