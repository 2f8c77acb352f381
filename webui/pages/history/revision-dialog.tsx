/** A revision: what it changed, what going back to it would change, and its whole text. */
import { diff, formatChange } from "@futago/firmware/config/diff.ts";
import type { HistoryEntry } from "@futago/firmware/runtime/control-configuration.ts";
import { Awaited } from "../parts/card.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { api } from "../state/session.ts";
import { status } from "../state/live.ts";
import { words } from "../state/settings.ts";

const linesMax = 300;

async function ask({ id, parent }: HistoryEntry) {
  const [own, now, before] = await Promise.all([
    api.call("GET config", { query: { revision: id } }),
    api.call("GET config"),
    // Of a pair's oldest revisions the documents may be gone.
    parent === undefined ? undefined : api.call("GET config", { query: { revision: parent } }).catch(() => undefined),
  ]);
  return { own: own.document, now: now.document, before: before?.document };
}

export function RevisionDialog({ entry, onClose }: { readonly entry: HistoryEntry; readonly onClose: () => void }) {
  const say = words.value.history;
  const asked = useAsked(() => ask(entry), [entry.id]);
  const isInForce = entry.id === status.value?.revision;
  return (
    <Dialog title={`${moment(entry.time)} · ${entry.author}`} onClose={onClose} wide>
      <Awaited asked={asked}>
        {({ own, now, before }) => (
          <>
            <h3>{say.changed}</h3>
            {before === undefined ? <p class="quiet">{say.first}</p> : <Lines from={before} to={own} />}
            {!isInForce && (
              <>
                <h3>{say.comparedTo}</h3>
                <Lines from={now} to={own} />
              </>
            )}
            <details>
              <summary>{say.showText}</summary>
              <pre>{JSON.stringify(own, undefined, 2)}</pre>
            </details>
          </>
        )}
      </Awaited>
    </Dialog>
  );
}

function Lines({ from, to }: { readonly from: unknown; readonly to: unknown }) {
  const say = words.value.history;
  const lines = diff(from, to).map(formatChange);
  if (lines.length === 0) return <p class="quiet">{say.same}</p>;
  if (lines.length > linesMax) return <p class="quiet">{say.beyond}</p>;
  return (
    <pre class="diff">
      {lines.map((line) => (
        <span key={line} class={line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : ""}>
          {`${line}\n`}
        </span>
      ))}
    </pre>
  );
}
