/** A change that is in force and goes away by itself: how long, and the button that keeps it. */
import { useEffect, useRef } from "preact/hooks";
import { Act } from "../parts/act.tsx";
import { Ask } from "../parts/ask.tsx";
import { Icon } from "../parts/icon.tsx";
import { askSince, confirm } from "../state/candidate.ts";
import { connection, status } from "../state/live.ts";
import { tell } from "../state/notices.ts";
import { now } from "../state/now.ts";
import { handed, may, who } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function ConfirmBar() {
  const { change } = words.value;
  const waiting = status.value?.unconfirmed ?? undefined;
  useRollBacks(() => tell(change.rolledBack, "bad"));
  if (waiting === undefined) return null;
  const seconds = Math.max(0, Math.ceil((Date.parse(waiting.rollsBackAt) - now.value) / 1000));
  const isOwn = waiting.author === who.value?.name;
  return (
    <div class="banner wait" role="alert">
      <Icon name="clock" />
      <p aria-live="off">{isOwn ? change.waiting(seconds) : change.waitingOther(waiting.author, seconds)}</p>
      {!isOwn && may("configure") && (
        <Ask
          title={change.keepOthers(waiting.author)}
          text={change.keepOthersAsk(waiting.author)}
          icon="check"
          act={async () => {
            await confirm(waiting.revision, true);
            return change.kept;
          }}
        />
      )}
      {isOwn && may("configure") && (
        <Act
          kind="main"
          icon="check"
          act={async () => {
            await confirm(waiting.revision);
            return change.kept;
          }}
        >
          {change.keep}
        </Act>
      )}
    </div>
  );
}

/** Calls `onBack` once for what was rolled back since the page last knew, also while it heard nothing of the box. */
function useRollBacks(onBack: () => void): void {
  const known = useRef(handed.revision);
  const revision = status.value?.revision;
  useEffect(() => {
    const was = known.current;
    if (was === undefined || was === "") known.current = revision;
    if (was === undefined || was === "" || revision === undefined || revision === was) return;
    const look = async () => {
      const { newest, isRolledBack } = await askSince(was);
      if (known.current !== was) return;
      // Over a line that was down meanwhile the answer tells of more than what the page asked for.
      known.current = newest ?? revision;
      if (isRolledBack) onBack();
    };
    // An answer that did not come is asked for again once there is a line.
    look().catch(() => undefined);
  }, [revision, connection.value]);
}
