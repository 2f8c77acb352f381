/** Short words, read aloud as they come. */
import { Icon } from "../parts/icon.tsx";
import { dismiss, notices } from "../state/notices.ts";
import { words } from "../state/settings.ts";

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, kind, text }) => (
        <div key={id} class={`notice ${kind}`}>
          <Icon name={kind === "good" ? "check" : "alert"} />
          <p>{text}</p>
          <button
            type="button"
            class="button quiet round"
            aria-label={words.value.shell.close}
            onClick={() => dismiss(id)}
          >
            <Icon name="cross" size={16} />
          </button>
        </div>
      ))}
    </div>
  );
}
