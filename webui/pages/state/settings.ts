/** How this browser wants to see the pages. */
import { computed, effect, signal } from "@preact/signals";
import type { Language } from "../logic/figures.ts";
import { catalogues, languageOf } from "../words/words.ts";

export type Theme = "system" | "light" | "dark";

const kept = (name: string): string | null => localStorage.getItem(`futago-${name}`);
const themeKept = kept("theme");
const languageKept = kept("language");

export const theme = signal<Theme>(themeKept === "light" || themeKept === "dark" ? themeKept : "system");
export const language = signal<Language>(
  languageKept === "en" || languageKept === "ja" ? languageKept : languageOf(navigator.languages),
);
/** The words of the language that is chosen. */
export const words = computed(() => catalogues[language.value]);

/** Counts up whenever colours change, for what is painted on a canvas. */
export const colours = signal(0);

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
  localStorage.setItem("futago-theme", theme.value);
  colours.value = colours.peek() + 1;
});
effect(() => {
  document.documentElement.lang = language.value;
});

export function chooseLanguage(chosen: Language): void {
  localStorage.setItem("futago-language", chosen);
  language.value = chosen;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours.value += 1;
});
