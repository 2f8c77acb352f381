/** Short words about what just happened, shown for a while and read aloud. */
import { signal } from "@preact/signals";

export interface Notice {
  readonly id: number;
  readonly kind: "good" | "bad";
  readonly text: string;
}

export const notices = signal<readonly Notice[]>([]);
const shownMillis = 6_000;
let newest = 0;

export function tell(text: string, kind: Notice["kind"] = "good"): void {
  const id = ++newest;
  notices.value = [...notices.value.slice(-2), { id, kind, text }];
  setTimeout(() => dismiss(id), shownMillis);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((one) => one.id !== id);
}
