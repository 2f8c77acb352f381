/** What was changed and is not in force: how much, a look at it, the commit. On every page, where there is something. */
import { useState } from "preact/hooks";
import { Act } from "../parts/act.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { diff, discard } from "../state/candidate.ts";
import { may, who } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { Review } from "./review.tsx";

export function ChangeBar() {
  const [open, setOpen] = useState<"review" | "discard" | undefined>(undefined);
  const shown = diff.value;
  const { change } = words.value;
  if (shown === undefined || shown.changes.length === 0) return null;
  const others = shown.authors.map(({ author }) => author).filter((author) => author !== who.value?.name);
  const close = () => setOpen(undefined);
  return (
    <section class="change-bar" aria-label={change.bar}>
      <Icon name={shown.problems.length > 0 ? "alert" : "pencil"} />
      <p>
        <strong>{change.changes(shown.changes.length)}</strong>
        {others.length > 0 && <small> {change.alsoBy(others.join(", "))}</small>}
      </p>
      {may("configure") && (
        <button type="button" class="button quiet" onClick={() => setOpen("discard")}>
          {change.discard}
        </button>
      )}
      <button type="button" class="button main" onClick={() => setOpen("review")}>
        {may("configure") ? change.commit : change.review}
      </button>
      {open === "review" && <Review shown={shown} onClose={close} />}
      {open === "discard" && (
        <Dialog title={change.discardAsk} onClose={close}>
          {others.length > 0 && <p>{change.discardOthers}</p>}
          <div class="actions">
            <Act
              kind="danger"
              act={async () => {
                await discard(others.length > 0);
                close();
              }}
            >
              {change.discardYes}
            </Act>
          </div>
        </Dialog>
      )}
    </section>
  );
}
