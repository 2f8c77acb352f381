/** The pair's key as a file: 32 random bytes in hexadecimal, the same on both boxes. */
import { readFileSync } from "node:fs";
import { fromHex } from "@futago/hal/units/bytes.ts";
import { ExitCode, RefusalError } from "../exit-code.ts";
import { fileTrouble } from "../files.ts";

const KEY_BYTES = 32;

/** Refuses, naming the file and how to make one, whatever is no key. The key itself is never part of the message. */
export function readPairKey(path: string): Uint8Array {
  const key = fromHex(readText(path).trim());
  if (key?.length === KEY_BYTES) return key;
  throw new RefusalError({
    exitCode: ExitCode.usage,
    what: `a pair key is ${2 * KEY_BYTES} hexadecimal digits; this file holds something else`,
    where: path,
    mend: `Make one with \`openssl rand -hex 32 > ${path}\` and give the same file to both boxes.`,
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new RefusalError({
      exitCode: ExitCode.usage,
      what: `the pair key cannot be read: ${fileTrouble(error)}`,
      where: path,
      mend: `Make one with \`openssl rand -hex 32 > ${path}\` and give the same file to both boxes.`,
    });
  }
}
