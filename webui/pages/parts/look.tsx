/** Language and colours, each in its own words so that nobody is lost in a foreign one. */
import { chooseLanguage, language, theme, type Theme, words } from "../state/settings.ts";

const themes: readonly Theme[] = ["system", "light", "dark"];

export function LookChoice() {
  const say = words.value.look;
  return (
    <div class="look">
      <div class="choice" role="group" aria-label={say.language}>
        {(["en", "ja"] as const).map((one) => (
          <button
            key={one}
            type="button"
            lang={one}
            aria-pressed={language.value === one}
            onClick={() => chooseLanguage(one)}
          >
            {one === "en" ? "English" : "日本語"}
          </button>
        ))}
      </div>
      <div class="choice" role="group" aria-label={say.theme}>
        {themes.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={theme.value === one}
            onClick={() => {
              theme.value = one;
            }}
          >
            {say.themes[one]}
          </button>
        ))}
      </div>
    </div>
  );
}
