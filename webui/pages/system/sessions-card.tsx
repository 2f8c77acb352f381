/** Who is signed in, from where. */
import { Act } from "../parts/act.tsx";
import { Awaited, Card } from "../parts/card.tsx";
import { Table } from "../parts/table.tsx";
import { ago, moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function SessionsCard() {
  const { system: say, access } = words.value;
  const asked = useAsked(() => api.call("GET sessions"));
  return (
    <Card title={say.sessions} icon="user">
      <Awaited asked={asked}>
        {(sessions) => (
          <Table
            label={say.sessions}
            columns={[access.name, say.from, say.started, say.lastSeen, ""]}
            rows={sessions.map((session) => ({
              key: session.id,
              cells: [
                <strong>{session.user}</strong>,
                <code>{session.from}</code>,
                moment(session.startedAt),
                ago(session.lastSeenAt),
                session.own ? (
                  <span class="quiet">{say.ownSession}</span>
                ) : (
                  <div class="actions">
                    <Act
                      small
                      act={async () => {
                        await api.call("DELETE sessions/:id", { path: { id: session.id } });
                        await asked.again();
                      }}
                    >
                      {say.endSession}
                    </Act>
                  </div>
                ),
              ],
            }))}
          />
        )}
      </Awaited>
    </Card>
  );
}
