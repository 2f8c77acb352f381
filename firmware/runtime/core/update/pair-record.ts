/** What is known of the newest update of the pair: kept on both boxes, so that it outlasts their starts. */
import type { PairUpdateShown, UpdateStep } from "../../control-update.ts";
import type { PairUpdate } from "../../../update/pair-types.ts";
import { canStop as canBeStopped } from "../../../update/pair-update.ts";
import { FINDINGS_MAX, type PairRecord, SENTENCE_LENGTH_MAX, STEPS_MAX } from "./update-message.ts";

const SETTING = "pairUpdate";

export interface RecordSettings {
  setting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string | undefined): Promise<void>;
}

export class RecordKeeper {
  readonly #settings: RecordSettings;
  readonly #onChange: (record: PairRecord) => void;
  #record: PairRecord | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(settings: RecordSettings, onChange: (record: PairRecord) => void) {
    this.#settings = settings;
    this.#onChange = onChange;
  }

  /** Resolves when what was kept is known. */
  async load(): Promise<void> {
    const text = await this.#settings.setting(SETTING);
    if (text !== undefined) this.#record ??= JSON.parse(text) as PairRecord;
  }

  get record(): PairRecord | undefined {
    return this.#record;
  }

  set(record: PairRecord): void {
    const former = this.#record;
    this.#record = record;
    if (former === undefined || isNews(former, record)) this.#write(record);
    this.#onChange(record);
  }

  /** What was set so far is on the disk. */
  written(): Promise<void> {
    return this.#written;
  }

  #write(record: PairRecord): void {
    const before = this.#written;
    const write = async () => {
      await before;
      await this.#settings.putSetting(SETTING, JSON.stringify(record));
    };
    this.#written = write();
  }
}

/** Percents and seconds are not worth the disk. */
function isNews(former: PairRecord, record: PairRecord): boolean {
  const { id, stage, box, outcome, steps } = record;
  const isSame = former.id === id && former.stage === stage && former.box === box && former.outcome === outcome;
  return !isSame || former.steps.length !== steps.length;
}

export function recordOf(
  state: PairUpdate,
  of: { readonly author: string; readonly startedAt: string; readonly steps: readonly UpdateStep[] },
): PairRecord {
  const { id, version, build, leader, stage, box, percent, secondsLeft, outcome } = state;
  return {
    id,
    version,
    build,
    leader,
    author: of.author,
    startedAt: of.startedAt,
    stage,
    box,
    percent,
    secondsLeft,
    findings: state.findings.slice(0, FINDINGS_MAX).map(sentenceOf),
    steps: of.steps.slice(-STEPS_MAX),
    outcome,
    failure: state.failure === null || outcome === "running" ? null : sentenceOf(state.failure),
    canStop: canBeStopped(state),
  };
}

export function shownRecord(record: PairRecord): PairUpdateShown {
  const { id, version, author, startedAt, stage, box, percent, secondsLeft } = record;
  const { findings, steps, outcome, failure, canStop } = record;
  const at = { id, version, author, startedAt, stage, box, percent, secondsLeft };
  return { ...at, findings, steps, outcome, failure, canStop };
}

export function stepNow(sentence: string): UpdateStep {
  return { at: new Date().toISOString(), sentence: sentenceOf(sentence) };
}

export function sentenceOf(text: string): string {
  return text.slice(0, SENTENCE_LENGTH_MAX);
}
