/** The seed of all rings: the same on both boxes of a pair, unknown to clients, and never another while flows run. */
import { hkdfSync, randomBytes } from "node:crypto";

const SEED_BYTES = 16;
const SETTING = "ringSeed";

export interface Settings {
  setting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string | undefined): Promise<void>;
}

/** From the pair's key where there is one; else made once and remembered. */
export async function ringSeed(pairKey: Uint8Array | undefined, settings: Settings): Promise<string> {
  if (pairKey !== undefined) {
    // RFC 5869: another info gives another key, so the seed tells nothing of the pair's key.
    return Buffer.from(hkdfSync("sha256", pairKey, new Uint8Array(0), "futago ring seed", SEED_BYTES)).toString("hex");
  }
  const kept = await settings.setting(SETTING);
  if (kept !== undefined) return kept;
  const made = randomBytes(SEED_BYTES).toString("hex");
  await settings.putSetting(SETTING, made);
  return made;
}
