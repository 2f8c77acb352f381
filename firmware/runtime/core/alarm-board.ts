/** What is wrong now, each since when. An alarm that goes on keeps its first time; one that ended is gone. */
import type { Alarm } from "../messages.ts";

export class AlarmBoard {
  readonly #alarms = new Map<string, Alarm>();
  readonly #onChange: (alarm: Alarm, raised: boolean) => void;

  readonly #now: () => string;

  /** `now` gives RFC 3339. */
  constructor(onChange: (alarm: Alarm, raised: boolean) => void, now = () => new Date().toISOString()) {
    this.#onChange = onChange;
    this.#now = now;
  }

  get alarms(): readonly Alarm[] {
    return [...this.#alarms.values()];
  }

  /** Raises or renews the alarm, or ends it when `sentence` is undefined. `subject` tells alarms of one kind apart. */
  set(kind: string, subject: string, sentence: string | undefined): void {
    const key = `${kind} ${subject}`;
    const before = this.#alarms.get(key);
    if (sentence === undefined) {
      this.#alarms.delete(key);
      if (before !== undefined) this.#onChange(before, false);
      return;
    }
    const alarm = { kind, since: before?.since ?? this.#now(), sentence };
    this.#alarms.set(key, alarm);
    if (before === undefined) this.#onChange(alarm, true);
  }

  /** Makes the alarms of a kind exactly these, by subject. */
  setAll(kind: string, sentences: ReadonlyMap<string, string>): void {
    for (const key of this.#alarms.keys()) {
      const subject = key.slice(kind.length + 1);
      if (key.startsWith(`${kind} `) && !sentences.has(subject)) this.set(kind, subject, undefined);
    }
    for (const [subject, sentence] of sentences) this.set(kind, subject, sentence);
  }
}
