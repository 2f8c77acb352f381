/** Every revision, newest first: by whom, when, what for, and the way back to it. */
import { useState } from "preact/hooks";
import type { HistoryEntry } from "@futago/firmware/runtime/control-configuration.ts";
import { Act } from "../parts/act.tsx";
import { Awaited, Card, Empty, PageHead } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { status } from "../state/live.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { RevisionDialog } from "./revision-dialog.tsx";
import { RollBackDialog } from "./roll-back-dialog.tsx";

const pageRows = 20;

export function History() {
  const say = words.value.history;
  const [older, setOlder] = useState<readonly HistoryEntry[]>([]);
  const [shown, setShown] = useState<HistoryEntry | undefined>(undefined);
  const [back, setBack] = useState<HistoryEntry | undefined>(undefined);
  const asked = useAsked(() => api.call("GET history", { query: { limit: pageRows } }), [status.value?.revision]);
  const all = [...(asked.answer ?? []), ...older];
  const more = async () => {
    const last = all.at(-1)?.id;
    const found = await api.call("GET history", {
      query: { limit: pageRows, ...(last === undefined ? {} : { before: last }) },
    });
    setOlder([...older, ...found]);
    return found.length === 0 ? say.none : undefined;
  };
  return (
    <>
      <PageHead title={words.value.shell.pages.history} />
      <p class="quiet">{say.lead}</p>
      <Awaited asked={asked}>
        {() => (
          <Card title={words.value.shell.pages.history} icon="history">
            {all.length === 0 && <Empty text={say.none} />}
            <ol class="revisions">
              {all.map((entry) => (
                <Revision key={entry.id} entry={entry} onShow={() => setShown(entry)} onBack={() => setBack(entry)} />
              ))}
            </ol>
            {all.length >= pageRows && <Act act={more}>{say.older}</Act>}
          </Card>
        )}
      </Awaited>
      {shown !== undefined && <RevisionDialog entry={shown} onClose={() => setShown(undefined)} />}
      {back !== undefined && <RollBackDialog entry={back} onClose={() => setBack(undefined)} />}
    </>
  );
}

interface RevisionProps {
  readonly entry: HistoryEntry;
  readonly onShow: () => void;
  readonly onBack: () => void;
}

function Revision({ entry, onShow, onBack }: RevisionProps) {
  const say = words.value.history;
  const isInForce = entry.id === status.value?.revision;
  const waits = status.value?.unconfirmed?.revision === entry.id;
  return (
    <li class={isInForce ? "revision in-force" : "revision"}>
      <div>
        <p>
          <strong>{entry.comment === "" ? <span class="quiet">{say.noComment}</span> : entry.comment}</strong>
          {isInForce && (
            <span class="chip good">
              <Icon name="check" size={15} />
              {say.inForce}
            </span>
          )}
          {waits && (
            <span class="chip wait">
              <Icon name="clock" size={15} />
              {say.unconfirmed}
            </span>
          )}
        </p>
        <small class="quiet">
          {moment(entry.time)} · {say.by} {entry.author} · <code>{entry.id.slice(0, 12)}</code>
          {entry.age < 0 && ` · ${say.aside}`}
        </small>
      </div>
      <div class="actions">
        {entry.whole ? (
          <button type="button" class="button small quiet" onClick={onShow}>
            {say.show}
          </button>
        ) : (
          <small class="quiet">{say.notWhole}</small>
        )}
        {may("configure") && entry.whole && !isInForce && (
          <button type="button" class="button small" onClick={onBack}>
            <Icon name="history" size={16} />
            {say.rollBack}
          </button>
        )}
      </div>
    </li>
  );
}
