/** Which page is shown, and how another one is gone to. */
import { computed, signal } from "@preact/signals";
import { type Page, pathOf, placeOf } from "../logic/routes.ts";

const path = signal(location.pathname);
export const place = computed(() => placeOf(path.value));

addEventListener("popstate", () => {
  path.value = location.pathname;
});

export function go(page: Page, ...rest: readonly string[]): void {
  goTo(pathOf(page, ...rest));
}

export function goTo(to: string): void {
  if (to === path.value) return;
  history.pushState(null, "", to);
  path.value = to;
  scrollTo(0, 0);
  // Whoever hears the page instead of seeing it is told that it is another one.
  queueMicrotask(() => document.querySelector<HTMLElement>("main")?.focus());
}

/** Names where the reader is already, for whoever loads the page anew. */
export function stayAt(page: Page, ...rest: readonly string[]): void {
  const to = pathOf(page, ...rest);
  history.replaceState(null, "", to);
  path.value = to;
}
