/** What an image says of itself, from the repository it is made from. */
import { readFileSync } from "node:fs";
import type { Architecture } from "./debian/wanted.ts";
import { REPOSITORY } from "./runtime/bundle.ts";
import type { ImageFacts } from "./runtime/place.ts";
import { output } from "./tree/unpack.ts";

export function factsOf(architecture: Architecture): ImageFacts {
  const { version } = JSON.parse(readFileSync(`${REPOSITORY}package.json`, "utf8")) as { version: string };
  const git = (...argv: readonly string[]) => output("git", "-C", REPOSITORY, ...argv).trim();
  const changed = git("status", "--porcelain") !== "";
  const commit = `${git("rev-parse", "HEAD")}${changed ? "+" : ""}`;
  const told = process.env["SOURCE_DATE_EPOCH"];
  const time = Number(told ?? git("log", "-1", "--format=%ct"));
  if (!Number.isSafeInteger(time)) throw new Error(`SOURCE_DATE_EPOCH is no number of seconds: ${told}`);
  return { version, architecture, commit, time };
}
