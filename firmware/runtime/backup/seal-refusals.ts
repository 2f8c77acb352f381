/** Why a sealed file cannot be opened, in sentences. */
import { ExitCode, RefusalError } from "../exit-code.ts";
import type { SealRefusal } from "./container.ts";

export function notUnsealed(reason: SealRefusal, where: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.failed, where, reason, parameters: {}, ...sealRefusals[reason] });
}

const sealRefusals: Readonly<Record<SealRefusal, { readonly what: string; readonly mend: string }>> = {
  notSealed: { what: "this is no backup", mend: "Give a file that `futago backup` wrote." },
  tooLarge: { what: "this is larger than any backup", mend: "Give a file that `futago backup` wrote." },
  tooCostly: {
    what: "opening this takes more memory than a box has for it",
    mend: "Give a file that `futago backup` wrote.",
  },
  wrongPassphrase: { what: "the passphrase is another one", mend: "Try again; nothing was changed." },
  damaged: { what: "the backup is damaged", mend: "Take another copy of it; nothing was changed." },
};
