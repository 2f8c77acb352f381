/** The changes one by one, why they cannot be committed where they cannot, and the commit. */
import { useState } from "preact/hooks";
import type { CandidateDiff } from "@futago/firmware/runtime/control-configuration.ts";
import { problemText } from "../forms/field-words.ts";
import { placed } from "../logic/placed.ts";
import { Form } from "../parts/form.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Input, Select } from "../parts/input.tsx";
import { commit } from "../state/candidate.ts";
import { status } from "../state/live.ts";
import { tell } from "../state/notices.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { committedText } from "./committed-text.ts";
import { confirmWaits, isFirst, waitWish } from "./confirm-waits.ts";
import { Changes } from "./changes.tsx";

export function Review({ shown, onClose }: { readonly shown: CandidateDiff; readonly onClose: () => void }) {
  const { change } = words.value;
  return (
    <Dialog title={change.reviewTitle} onClose={onClose} wide>
      {shown.remarks.map((remark) => (
        <p key={remark} class="quiet">
          {remark}
        </p>
      ))}
      <Changes changes={shown.changes} />
      {shown.problems.length > 0 && (
        <div class="trouble" role="alert">
          <Icon name="alert" />
          <div>
            <p>
              <strong>{change.problemsTitle}</strong>
            </p>
            <ul>
              {shown.problems.map(placed).map((problem) => (
                <li key={`${problem.path} ${problem.detail}`}>
                  <code>{problem.path}</code> {problemText(problem)}
                </li>
              ))}
            </ul>
          </div>
        </div>
      )}
      {may("configure") && shown.problems.length === 0 && <CommitForm onDone={onClose} />}
    </Dialog>
  );
}

function CommitForm({ onDone }: { readonly onDone: () => void }) {
  const { change } = words.value;
  const [comment, setComment] = useState("");
  const [wait, setWait] = useState("60");
  const isAlone = status.value?.peer === null;
  const send = async () => {
    const done = await commit({ ...(comment === "" ? {} : { comment }), ...waitWish(Number(wait)) });
    onDone();
    tell(committedText(done));
  };
  return (
    <Form send={isAlone ? change.commitAlone : change.commitNow} onSend={send}>
      <Input label={change.comment} value={comment} onValue={setComment} />
      {!isFirst() && <Select label={change.confirmWithin} value={wait} onValue={setWait} options={confirmWaits()} />}
    </Form>
  );
}
