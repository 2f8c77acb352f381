/** Who did what from where, on both boxes. */
import { useState } from "preact/hooks";
import type { AuditEntry } from "@futago/firmware/runtime/control-access.ts";
import { Act } from "../parts/act.tsx";
import { Awaited, Card, Empty } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { BoxMark } from "../parts/role.tsx";
import { Table } from "../parts/table.tsx";
import { clock } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

const pageRows = 50;

export function AuditCard() {
  const say = words.value.tools;
  const [older, setOlder] = useState<readonly AuditEntry[]>([]);
  const asked = useAsked(() => api.call("GET audit", { query: { limit: pageRows } }));
  const all = [...(asked.answer ?? []), ...older];
  const more = async () => {
    const before = all.at(-1)?.at;
    const query = { limit: pageRows, ...(before === undefined ? {} : { before }) };
    const found = await api.call("GET audit", { query });
    setOlder([...older, ...found]);
  };
  return (
    <Card title={say.audit} icon="user">
      <Awaited asked={asked}>
        {() =>
          all.length === 0 ? (
            <Empty text={say.noAudit} />
          ) : (
            <Table
              label={say.audit}
              columns={[say.time, say.box, say.who, say.from, say.what, say.about, say.outcome]}
              rows={all.map((entry, index) => ({
                key: `${entry.at} ${entry.box} ${index}`,
                cells: [
                  clock(entry.at),
                  <BoxMark box={entry.box} />,
                  entry.who,
                  <code>{entry.from}</code>,
                  <code>{entry.what}</code>,
                  entry.about,
                  <span class={entry.outcome === "done" ? "good-text" : "bad-text"}>
                    <Icon name={entry.outcome === "done" ? "check" : "cross"} size={15} /> {say.outcomes[entry.outcome]}
                  </span>,
                ],
              }))}
            />
          )
        }
      </Awaited>
      {all.length >= pageRows && <Act act={more}>{say.older}</Act>}
    </Card>
  );
}
