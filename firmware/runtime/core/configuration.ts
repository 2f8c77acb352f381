/**
 * The configuration in force on this box: opened from the store, taken from `--import`, judged before it is committed.
 * What commits while the box runs is commit/'s.
 */
import assert from "node:assert/strict";
import type { Log } from "./log.ts";
import { readFileSync } from "node:fs";
import { mendSentence } from "../../config/nearest.ts";
import type { Problem } from "../../config/problem.ts";
import type { Resolved } from "../../config/resolved.ts";
import type { ProblemShown } from "../control-configuration.ts";
import { ExitCode, type Refusal, RefusalError } from "../exit-code.ts";
import type { Box } from "../messages.ts";
import type { Past } from "./commit/named-revision.ts";
import { type DocumentText, judgeAside, type Judged } from "./judge.ts";
import { Store, StoreError, type StoreRefusal } from "../store/store.ts";
import type { Revision } from "../store/revision.ts";
import { fileTrouble } from "../files.ts";
import { localTime } from "../local-time.ts";

export interface InForce {
  readonly revision: Revision;
  readonly resolved: Resolved;
}

export interface Applied {
  readonly inForce: InForce;
  readonly changed: boolean;
  readonly warnings: readonly Problem[];
}

export interface ConfigurationOptions {
  readonly stateDirectory: string;
  readonly box: Box | undefined;
  readonly hasPairKey: boolean;
  /** The box's network devices now. */
  readonly devices: () => Promise<readonly string[]>;
  /** Names the pairing that this box joined; undefined where it joined none. */
  readonly joined: string | undefined;
  /** Told of the stored configuration before all of it was checked, so that what takes long can begin. */
  readonly onResolved?: (config: Resolved, settings: Configuration) => void;
}

/** A problem list longer than this helps nobody. */
const PROBLEMS_SHOWN_MAX = 20;
/** How far back a revision is looked for that this version can run. */
const FALL_BACK_MAX = 50;
const WARNINGS_LOGGED_MAX = 20;
/** The setting of a box that joins another: for which pairing it gives its own configuration up. */
const GIVES_UP = "givesUp";

export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #store: Store;
  readonly #troubles = new Map<string, string>();
  #inForce: InForce | undefined;

  private constructor(options: ConfigurationOptions, store: Store) {
    this.#options = options;
    this.#store = store;
  }

  /**
   * Refuses when the store cannot be used, or when the box was started wrongly for what it holds. A head that this version
   * cannot run stays the head; the newest revision before it that can be run is in force.
   */
  static async open(options: ConfigurationOptions): Promise<Configuration> {
    const opened = await Store.open(options.stateDirectory);
    if (!opened.ok) throw new RefusalError(storeRefusal(opened, options.stateDirectory));
    const configuration = new Configuration(options, opened.store);
    const { recovered } = opened;
    if (recovered !== undefined) configuration.#troubles.set("configuration-recovered", recovered);
    try {
      // Where the disk refuses that it does not run on with what it gave up.
      await configuration.giveUp(options.joined);
      await configuration.#findUsable();
    } catch (error) {
      await opened.store.close();
      throw error;
    }
    return configuration;
  }

  /**
   * Said before that pairing is on the disk, and forgotten where it never comes there: a box that dies before it has
   * given its configuration up does so when it starts.
   */
  willGiveUp(pairing: string): Promise<void> {
    return refusedBy(this.#options.stateDirectory, () => this.#store.putSetting(GIVES_UP, pairing));
  }

  /** Who joined another box by that pairing has no configuration then; what it had stays in the history. */
  giveUp(pairing: string | undefined): Promise<void> {
    return refusedBy(this.#options.stateDirectory, async () => {
      const kept = await this.#store.setting(GIVES_UP);
      if (kept === undefined) return;
      if (kept === pairing) await this.#store.forgetHead();
      await this.#store.putSetting(GIVES_UP, undefined);
    });
  }

  async #findUsable(): Promise<void> {
    let first: Refusal | undefined;
    for (const { id } of await this.#store.lineage(FALL_BACK_MAX)) {
      const revision = await this.#store.get(id);
      if (revision === undefined) continue;
      try {
        this.#inForce = { revision, resolved: await this.#resolveStored(revision.text) };
        break;
      } catch (error) {
        if (!(error instanceof RefusalError) || error.refusal.exitCode !== ExitCode.invalidConfiguration) throw error;
        first ??= error.refusal;
      }
    }
    if (first !== undefined) this.#troubles.set("configuration-unusable", unusable(first, this.#inForce?.revision));
  }

  async #resolveStored(text: string): Promise<Resolved> {
    const onResolved = (config: Resolved) => this.#options.onResolved?.(config, this);
    // Devices are not asked for: one that is missing at boot must not keep the rest from running.
    const judged = await judgeAside(text, { box: this.#options.box }, undefined, onResolved);
    return accepted(judged, this.#options, "the stored configuration").resolved;
  }

  /** What was found wrong at opening, by the kind of its alarm. */
  get troubles(): ReadonlyMap<string, string> {
    return this.#troubles;
  }

  get inForce(): InForce | undefined {
    return this.#inForce;
  }

  /** Takes the document in the file, if it differs from the one in force. */
  async importFile(path: string): Promise<Applied> {
    const before = this.#inForce;
    const { text, resolved, warnings } = await this.judge(readText(path), path);
    if (before !== undefined && text === before.revision.text) return { inForce: before, changed: false, warnings };
    const revision = await this.#append(text, { author: "import", comment: `imported from ${path}` });
    this.#inForce = { revision, resolved };
    return { inForce: this.#inForce, changed: true, warnings };
  }

  /** Judges a document, JSON text or a value made from it, as this box would run it. Throws RefusalError. */
  async judge(input: unknown, where: string): Promise<Extract<Judged, { readonly ok: true }>> {
    const given = asText(input);
    const { box } = this.#options;
    const before = this.#inForce;
    const former = before?.resolved;
    const judged = await judgeAside(given, { box, devices: await this.#options.devices() }, former);
    if (before === undefined || !onlyDevicesMissing(judged)) return accepted(judged, this.#options, where);
    // What is in force already is not asked for its devices: one that was unplugged must not stop an import at boot.
    const known = await judgeAside(given, { box }, former);
    return accepted(known.ok && known.text === before.revision.text ? known : judged, this.#options, where);
  }

  /** As {@link judge}, of a revision that was accepted before: devices that are gone now are waited for. */
  async resolve(text: string): Promise<Resolved> {
    const judged = await judgeAside(text, { box: this.#options.box }, this.#inForce?.resolved);
    return accepted(judged, this.#options, "the stored configuration").resolved;
  }

  /** The revision is what the box is brought to from now on. */
  use(inForce: InForce): void {
    this.#inForce = inForce;
  }

  get store(): Store {
    return this.#store;
  }

  /** What the box remembers of its revisions. */
  get past(): Past {
    return this.#store;
  }

  setting(key: string): Promise<string | undefined> {
    return this.#store.setting(key);
  }

  putSetting(key: string, value: string | undefined): Promise<void> {
    return this.#store.putSetting(key, value);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #append(text: string, by: { readonly author: string; readonly comment: string }): Promise<Revision> {
    const [head] = await this.#store.lineage(1);
    try {
      const appended = await this.#store.append({ text, parent: head?.id, ...by, time: new Date().toISOString() });
      assert(appended.ok, "nobody else commits before the box is up");
      return appended.revision;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new RefusalError({ exitCode: ExitCode.failed, what: error.message, mend: error.mend });
    }
  }
}

/** The text of a value that a program gave instead of text; what is no JSON becomes a text that is none either. */
function asText(input: unknown): DocumentText {
  if (typeof input === "string" || input instanceof Uint8Array) return input;
  // Its type does not say that there are values without JSON.
  const text = JSON.stringify(input) as string | undefined;
  return text ?? "";
}

function onlyDevicesMissing(judged: Judged): boolean {
  return !judged.ok && judged.problems.every((problem) => problem.code === "missingDevice");
}

/** What was judged, when it can run here. */
function accepted(judged: Judged, options: ConfigurationOptions, where: string): Extract<Judged, { ok: true }> {
  if (!judged.ok) throw new RefusalError(problemsRefusal(judged.problems, where));
  if (judged.resolved.pair !== undefined && !options.hasPairKey) {
    throw new RefusalError({
      exitCode: ExitCode.usage,
      what: "the configuration describes a pair, but this box has no peer",
      where,
      mend: "Pair the two boxes first: `futago pair invite` on one, `futago pair join` on the other. Or start both with --pair-key and the same file, made by `openssl rand -hex 32`.",
    });
  }
  return judged;
}

/** The first problems, as a refusal says them. `where` is the file that they are in, or "". */
export function problemsShown(problems: readonly Problem[], where: string): readonly ProblemShown[] {
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX).map((problem) => ({
    where: [where, problem.path].filter((part) => part !== "").join(": "),
    what: problem.what,
    mend: mendSentence(problem.mend),
    reason: problem.code,
    ...(problem.parameters === undefined ? {} : { parameters: problem.parameters }),
  }));
  const left = problems.length - shown.length;
  return left > 0 ? [...shown, { what: `${left} more problems`, mend: "Mend these first." }] : shown;
}

function unusable({ what, where }: Refusal, instead: Revision | undefined): string {
  const runs =
    instead === undefined
      ? "the box runs without any"
      : `revision ${instead.id.slice(0, 16)} of ${localTime(instead.time)} is in force instead`;
  return `${where === undefined ? "" : `${where}: `}${what}; this version cannot run the newest configuration, and ${runs}; commit one that it can`;
}

export function problemsRefusal(problems: readonly Problem[], where: string): Refusal {
  const [first, ...also] = problemsShown(problems, where);
  // A box that was not told which one it is was started wrongly; its document is right.
  const exitCode = problems.some((problem) => problem.code === "boxUnknown")
    ? ExitCode.usage
    : ExitCode.invalidConfiguration;
  return { exitCode, what: "the configuration is invalid", ...first, ...(also.length === 0 ? {} : { also }) };
}

async function refusedBy(directory: string, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new RefusalError(storeRefusal({ code: error.code, what: error.message, mend: error.mend }, directory));
  }
}

function storeRefusal(refusal: StoreRefusal, directory: string): Refusal {
  const exitCode = refusal.code === "inUse" ? ExitCode.conflict : ExitCode.failed;
  return { exitCode, what: refusal.what, where: directory, mend: `${refusal.mend}.` };
}

function readText(path: string): string | Uint8Array {
  try {
    // The bytes as they are: the judge refuses what is not UTF-8.
    return readFileSync(path);
  } catch (error) {
    throw new RefusalError({
      exitCode: ExitCode.invalidConfiguration,
      what: `the configuration cannot be read: ${fileTrouble(error)}`,
      where: path,
      mend: "Give --import the path of a configuration document in JSON.",
    });
  }
}

export function logApplied(log: Log, applied: Applied): void {
  const { revision } = applied.inForce;
  for (const { path, what, mend } of applied.warnings.slice(0, WARNINGS_LOGGED_MAX)) {
    log.warn("configuration-warning", { path, what, mend });
  }
  const left = applied.warnings.length - WARNINGS_LOGGED_MAX;
  if (left > 0) log.warn("configuration-warnings-left", { count: left });
  if (applied.changed) log.info("configuration-committed", { revision: revision.id, author: revision.author });
}
