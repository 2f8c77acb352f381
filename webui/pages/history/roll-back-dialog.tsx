/** Brings a former revision back, with the same way out as any commit. */
import { useState } from "preact/hooks";
import type { HistoryEntry } from "@futago/firmware/runtime/control-configuration.ts";
import { committedText } from "../change/committed-text.ts";
import { confirmWaits } from "../change/confirm-waits.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Form } from "../parts/form.tsx";
import { Input, Select } from "../parts/input.tsx";
import { moment } from "../parts/text.ts";
import { refreshCandidate } from "../state/candidate.ts";
import { tell } from "../state/notices.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function RollBackDialog({ entry, onClose }: { readonly entry: HistoryEntry; readonly onClose: () => void }) {
  const { history: say, change } = words.value;
  const [comment, setComment] = useState("");
  const [wait, setWait] = useState("60");
  const send = async () => {
    const seconds = Number(wait);
    const done = await api.call("POST rollback", {
      body: {
        to: entry.id,
        ...(comment === "" ? {} : { comment }),
        ...(seconds === 0 ? {} : { confirmSeconds: seconds }),
      },
    });
    onClose();
    tell(committedText(done));
    await refreshCandidate().catch(() => undefined);
  };
  return (
    <Dialog title={say.rollBackTitle} onClose={onClose}>
      <p>{say.rollBackAsk(moment(entry.time))}</p>
      <Form send={say.rollBack} onSend={send}>
        <Input label={change.comment} value={comment} onValue={setComment} />
        <Select label={change.confirmWithin} value={wait} onValue={setWait} options={confirmWaits()} />
      </Form>
    </Dialog>
  );
}
