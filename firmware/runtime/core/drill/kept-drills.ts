/** The results of drills, which both boxes keep: the newest first, so many at most. */
import { drillSentence } from "../../../pair/drill/judge.ts";
import type { DrillResult } from "../../../pair/drill/types.ts";
import type { LastDrill } from "../../control-drill.ts";

const SETTING = "drills";
const KEPT_MAX = 50;

export interface DrillSettings {
  setting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string | undefined): Promise<void>;
}

export class KeptDrills {
  readonly #settings: DrillSettings;
  #results: readonly DrillResult[];

  private constructor(settings: DrillSettings, results: readonly DrillResult[]) {
    this.#settings = settings;
    this.#results = results;
  }

  static async load(settings: DrillSettings): Promise<KeptDrills> {
    const text = await settings.setting(SETTING);
    return new KeptDrills(settings, text === undefined ? [] : (JSON.parse(text) as readonly DrillResult[]));
  }

  get results(): readonly DrillResult[] {
    return this.#results;
  }

  /** Once each, whichever way it comes. */
  async keep(result: DrillResult): Promise<void> {
    const others = this.#results.filter(({ id }) => id !== result.id);
    // By when they were: what the peer kept while the two could not speak may be older.
    const sorted = [result, ...others].toSorted((one, other) => other.at.localeCompare(one.at));
    this.#results = sorted.slice(0, KEPT_MAX);
    await this.#settings.putSetting(SETTING, JSON.stringify(this.#results));
  }

  /** What the status says; null before the first one. */
  get last(): LastDrill | null {
    const [newest] = this.#results;
    if (newest === undefined) return null;
    const proven = this.#results.find(({ worse }) => worse.length === 0);
    return {
      at: newest.at,
      how: newest.how,
      passed: newest.worse.length === 0,
      lost: lostOf(newest),
      silenceMicros: silenceOf(newest),
      sentence: drillSentence(newest),
      provenAt: proven?.at ?? null,
      provenLost: proven === undefined ? null : lostOf(proven),
    };
  }
}

function lostOf({ vips }: DrillResult): number {
  return vips.reduce((sum, { lost }) => sum + lost, 0);
}

function silenceOf({ vips }: DrillResult): number | null {
  const known = vips.flatMap(({ silenceMicros }) => silenceMicros ?? []);
  return known.length === 0 ? null : Math.max(...known);
}
