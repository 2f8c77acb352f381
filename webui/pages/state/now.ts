/** The time by this browser's clock, once a second, for what counts down. */
import { signal } from "@preact/signals";

export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1_000);
