/** The seed of all rings: the same on both boxes of a pair, unknown to clients, and never another while flows run. */
import { randomBytes } from "node:crypto";

const SEED_BYTES = 16;
const SETTING = "ringSeed";

export interface Settings {
  setting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string | undefined): Promise<void>;
}

/** The pair's where there is one; else made once and remembered. */
export async function ringSeed(pairs: string | undefined, settings: Settings): Promise<string> {
  if (pairs !== undefined) return pairs;
  const kept = await settings.setting(SETTING);
  if (kept !== undefined) return kept;
  const made = randomBytes(SEED_BYTES).toString("hex");
  await settings.putSetting(SETTING, made);
  return made;
}

/** Of a box that was of a pair and is alone from now on: its flows run by the pair's seed. */
export async function keepRingSeed(seed: string, settings: Settings): Promise<void> {
  await settings.putSetting(SETTING, seed);
}
