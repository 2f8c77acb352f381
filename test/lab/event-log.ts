/** What happened in the lab, in the words of a person watching it: what was done, and what was then seen. */

export interface LabEvent {
  readonly at: Date;
  readonly text: string;
}

const EVENTS_MAX = 500;

export class EventLog {
  readonly #events: LabEvent[] = [];
  readonly #listeners = new Set<(event: LabEvent) => void>();

  add(text: string): void {
    const event = { at: new Date(), text };
    this.#events.push(event);
    if (this.#events.length > EVENTS_MAX) this.#events.shift();
    for (const listener of this.#listeners) listener(event);
  }

  latest(count: number): readonly LabEvent[] {
    return this.#events.slice(-count);
  }

  listen(listener: (event: LabEvent) => void): void {
    this.#listeners.add(listener);
  }

  forget(listener: (event: LabEvent) => void): void {
    this.#listeners.delete(listener);
  }
}

/** "19:30:04.125" in the terminal's own time zone. */
export function formatTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const millis = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
}
