/** While the box does not answer: where else the pair is. */
import { resumeUrl } from "../logic/resume.ts";
import { Icon } from "../parts/icon.tsx";
import { connection, elsewhere } from "../state/live.ts";
import { ticket } from "../state/session.ts";
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
              <a key={origin} href={resumeUrl(origin, location.pathname, ticket)}>
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
