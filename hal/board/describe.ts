/** Which description a machine has: a person's own, else the first that fits what the machine says that it is. */
import { existsSync, readFileSync } from "node:fs";
import { HalError } from "../contract/error.ts";
import type { BoardDescription, ChosenBoard } from "../contract/board.ts";
import type { BoardIdentity } from "../contract/machine.ts";
import { DescriptionError, readDescription } from "./description.ts";
import generic from "./descriptions/generic.json" with { type: "json" };
import nanopiR4s from "./descriptions/nanopi-r4s.json" with { type: "json" };
import nanopiR5s from "./descriptions/nanopi-r5s.json" with { type: "json" };
import pcEnginesApu from "./descriptions/pc-engines-apu.json" with { type: "json" };
import qemuArm64 from "./descriptions/qemu-arm64.json" with { type: "json" };
import qemuX86 from "./descriptions/qemu-x86.json" with { type: "json" };
import raspberryPiCm4 from "./descriptions/raspberry-pi-cm4.json" with { type: "json" };

/** The last one fits everything. */
export const DESCRIPTIONS: readonly unknown[] = [
  pcEnginesApu,
  nanopiR4s,
  nanopiR5s,
  raspberryPiCm4,
  qemuX86,
  qemuArm64,
  generic,
];

/**
 * `choice` is "auto" or the path of a description; `ownFile` counts for "auto" where it is there. A file that cannot be
 * taken is a problem, and the machine has the description that fits it.
 */
export function chooseBoard(choice: string, ownFile: string, identity: BoardIdentity): ChosenBoard {
  const path = choice === "auto" ? ownFile : choice;
  if (choice === "auto" && !existsSync(path)) return { description: fitting(identity), problem: undefined };
  try {
    return { description: readBoardFile(path), problem: undefined };
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    return { description: fitting(identity), problem: error.message };
  }
}

/** Throws HalError EINVAL with everything that is wrong with it, or with what the disk says. */
export function readBoardFile(path: string): BoardDescription {
  try {
    return readDescription(JSON.parse(readFileSync(path, "utf8"))).description;
  } catch (error) {
    const isOurs = error instanceof DescriptionError || error instanceof SyntaxError || "code" in (error as object);
    if (!isOurs) throw error;
    throw new HalError("EINVAL", "board", `${path}: ${(error as Error).message}`);
  }
}

function fitting(identity: BoardIdentity): BoardDescription {
  const found = DESCRIPTIONS.map(readDescription).find(({ fits }) => fits(identity));
  if (found === undefined) throw new Error("no description fits every machine");
  return found.description;
}
