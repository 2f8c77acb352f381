/**
 * The backends that somebody drains. The document does not hold them: the pair's boxes remember them, and tell each
 * other. Of two that differ about a backend the one that was told later is right, whichever box that was.
 */
import { lookup } from "../../../config/lookup.ts";
import type { Resolved } from "../../../config/resolved.ts";
import type { DrainShown } from "../../control.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { type Drain, DRAINS_MAX } from "../peer-link/drain.ts";
import { drainSentence, NO_CONFIGURATION } from "../sentences.ts";
import { backendName, backendNamed } from "./named.ts";

const SETTING = "drains";

interface Settings {
  setting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string | undefined): Promise<void>;
}

export class Drains {
  readonly #settings: Settings;
  /** By "pool/backend"; one that is off is kept, so that a peer that has it on learns of it. */
  #drains: ReadonlyMap<string, Drain>;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(settings: Settings, drains: readonly Drain[]) {
    this.#settings = settings;
    this.#drains = new Map(drains.map((one) => [nameOf(one), one]));
  }

  static async load(settings: Settings): Promise<Drains> {
    const text = await settings.setting(SETTING);
    return new Drains(settings, text === undefined ? [] : (JSON.parse(text) as readonly Drain[]));
  }

  /** Those that drain now. */
  get names(): ReadonlySet<string> {
    return new Set([...this.#drains].filter(([, { on }]) => on).map(([name]) => name));
  }

  /** For the peer. */
  get all(): readonly Drain[] {
    return [...this.#drains.values()];
  }

  /** What somebody wishes of a backend, as they wrote its name. Remembered when it resolves. */
  order(config: Resolved | undefined, written: string, on: boolean): Promise<DrainShown> {
    return this.#inTurn(async () => {
      if (config === undefined) throw new RefusalError({ exitCode: ExitCode.failed, what: NO_CONFIGURATION });
      const named = backendNamed(config, written);
      const name = backendName(named);
      const changes = (this.#drains.get(name)?.on ?? false) !== on;
      const { pool } = named;
      const backend = named.backend.name;
      if (changes) await this.#keep(config, { pool, backend, on, version: 1 + this.#newest() });
      const isUsed = lookup(config).users.has(pool);
      return { pool, backend, draining: on, message: drainSentence(name, on, changes, isUsed) };
    });
  }

  /** What the peer told. Resolves to whether anything was news here. */
  merge(told: readonly Drain[]): Promise<boolean> {
    return this.#inTurn(async () => {
      const news = told.filter((one) => isNewer(one, this.#drains.get(nameOf(one))));
      const merged = new Map([...this.#drains, ...news.map((one) => [nameOf(one), one] as const)]);
      if (news.length === 0 || merged.size > DRAINS_MAX) return false;
      await this.#store(merged);
      return true;
    });
  }

  /** Forgets what is over and whose backend is not there any more. */
  async #keep(config: Resolved, drain: Drain): Promise<void> {
    const { pools } = lookup(config);
    const isKnown = (one: Drain) => pools.get(one.pool)?.backends.some(({ name }) => name === one.backend) === true;
    const kept = [...this.#drains].filter(([, one]) => one.on || isKnown(one));
    await this.#store(new Map([...kept, [nameOf(drain), drain]]));
  }

  async #store(drains: ReadonlyMap<string, Drain>): Promise<void> {
    await this.#settings.putSetting(SETTING, JSON.stringify([...drains.values()]));
    this.#drains = drains;
  }

  #newest(): number {
    return Math.max(0, ...this.all.map(({ version }) => version));
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function nameOf({ pool, backend }: Drain): string {
  return `${pool}/${backend}`;
}

/** Told to both at once, a drain wins: it harms nobody. */
function isNewer(told: Drain, mine: Drain | undefined): boolean {
  if (mine === undefined || told.version > mine.version) return true;
  return told.version === mine.version && told.on && !mine.on;
}
