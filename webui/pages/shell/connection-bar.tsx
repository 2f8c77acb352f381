/** While the box does not answer: where else the pair is. */
import { Icon } from "../parts/icon.tsx";
import { connection, elsewhere, hereAt } from "../state/live.ts";
import { words } from "../state/settings.ts";

export function ConnectionBar() {
  if (connection.value !== "lost") return null;
  const { connection: say } = words.value.shell;
  return (
    <div class="banner bad" role="status">
      <span class="spinner" aria-hidden="true" />
      <div>
        <p>{say.lost}</p>
        {elsewhere.value.length > 0 && (
          <p class="quiet">
            {say.others}{" "}
            {elsewhere.value.map((origin) => (
              <a key={origin} href={hereAt(origin)}>
                {say.open(new URL(origin).host)} <Icon name="next" size={14} />
              </a>
            ))}{" "}
            {say.moved}
          </p>
        )}
      </div>
    </div>
  );
}
