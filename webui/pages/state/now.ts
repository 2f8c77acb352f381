/** The time, once a second, for what counts down and for how long ago something was. */
import { computed, signal } from "@preact/signals";

/** By this browser's clock. */
const own = signal(Date.now());
setInterval(() => {
  own.value = Date.now();
}, 1_000);

/** How far the box's clock is ahead of this browser's: what the box says is by its own. */
export const aheadMillis = signal(0);
export const now = computed(() => own.value + aheadMillis.value);
