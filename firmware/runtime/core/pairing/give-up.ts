/** Who joins another box gives up the configuration that it had. */
import { RefusalError } from "../../exit-code.ts";
import type { PairingFile } from "../../pairing-file.ts";
import type { Configuration } from "../configuration.ts";
import type { Log } from "../log.ts";

export type GivesUp = Pick<Configuration, "willGiveUp" | "giveUp">;

/** The pairing is on the disk. */
export async function giveUp(
  { certificate }: PairingFile,
  { configuration, log }: { readonly configuration: GivesUp; readonly log: Log },
): Promise<void> {
  try {
    // Somebody else may have begun to join, and not gone on.
    await configuration.willGiveUp(certificate);
    await configuration.giveUp(certificate);
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    // It is done when core starts again, or core does not start.
    log.error("configuration-not-given-up", { error: error.refusal.what });
  }
}
