/** A cold pair: who serves is decided by people. */
import { Ask } from "../parts/ask.tsx";
import { Card } from "../parts/card.tsx";
import { RoleChip } from "../parts/role.tsx";
import { status } from "../state/live.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function SpareCard() {
  const say = words.value.pair;
  const shown = status.value;
  if (shown === undefined) return null;
  const serves = shown.role === "active";
  return (
    <Card title={say.spare} icon="spare">
      <p>
        <RoleChip role={shown.role} /> <span class="quiet">{say.spareLead}</span>
      </p>
      {may("operate") && (
        <div class="actions">
          {serves ? (
            <Ask
              key="release"
              title={say.release}
              text={say.releaseAsk}
              icon="power"
              kind="danger"
              force={say.force}
              act={async (force) => (await api.call("POST spare/release", { body: { force } })).message}
            />
          ) : (
            <Ask
              key="activate"
              title={say.activate}
              text={say.activateAsk}
              icon="active"
              kind="main"
              force={say.force}
              act={async (force) => (await api.call("POST spare/activate", { body: { force } })).message}
            />
          )}
        </div>
      )}
    </Card>
  );
}
