/** The system that the software was started from: an image in one of two slots, or a directory of a developer. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bootRequest, bootWord } from "./supervisor/boot-request.ts";
import { releaseOf } from "./release.ts";

export interface SystemShown {
  /** Of the image; of the software where there is none. */
  readonly version: string;
  /** The one that runs; null where the system has no slots. */
  readonly slot: "a" | "b" | null;
  /** Somebody chose at the boot menu that a password may be set at the console without knowing one. */
  readonly passwordRequest: boolean;
}

/** Does not change while the machine runs. */
export function systemShown(): SystemShown {
  const image = readImage();
  const words = image === undefined ? "" : readText("/proc/cmdline");
  const slot = bootWord(words, "futago.slot");
  return {
    version: image?.version ?? releaseOf(),
    slot: slot === "a" || slot === "b" ? slot : null,
    passwordRequest: bootRequest(words) === "reset-password",
  };
}

/** What lies beside the software on an image, and nowhere else. */
function readImage(): { readonly version: string } | undefined {
  const text = readText(new URL("../../image.json", import.meta.url));
  if (text === "") return undefined;
  const { version } = JSON.parse(text) as { readonly version?: unknown };
  return typeof version === "string" ? { version } : undefined;
}

function readText(path: string | URL): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "";
  }
}

/** Of files that were taken from a USB stick while the box has no configuration, as paths. */
export function foundBackupFiles(runDirectory = process.env["RUNTIME_DIRECTORY"] ?? "/run/futago"): readonly string[] {
  const place = join(runDirectory, "stick");
  try {
    const names = readdirSync(place).filter((name) => /^\d-[\w.-]{1,60}$/.test(name));
    return names.toSorted().map((name) => join(place, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return [];
  }
}
