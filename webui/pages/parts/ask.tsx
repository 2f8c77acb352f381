/** A button whose work is asked about first; what cannot be undone wants a word typed. */
import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { connection } from "../state/live.ts";
import { tell } from "../state/notices.ts";
import { words } from "../state/settings.ts";
import { Dialog } from "./dialog.tsx";
import { Form } from "./form.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { Check, Input } from "./input.tsx";

export interface AskProps {
  readonly title: string;
  readonly text: string;
  /** `force`: what was ticked. */
  readonly act: (force: boolean) => Promise<string | undefined>;
  readonly icon?: IconName;
  readonly kind?: "main" | "danger" | "plain";
  /** Has to be typed. */
  readonly word?: string;
  /** Offers to go on although something speaks against it. */
  readonly force?: string;
  readonly because?: string | undefined;
  readonly children?: ComponentChildren;
}

export function Ask(props: AskProps) {
  const { title, icon, kind = "plain", because } = props;
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class={`button ${kind === "main" ? "main" : kind === "danger" ? "danger" : ""}`}
        disabled={because !== undefined}
        title={because}
        onClick={() => setOpen(true)}
      >
        {icon !== undefined && <Icon name={icon} size={18} />}
        {title}
        {because !== undefined && <small class="quiet"> ({because})</small>}
      </button>
      {open && <Question {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

function Question({ title, text, act, word, force, kind, children, onClose }: AskProps & { onClose: () => void }) {
  const { shell } = words.value;
  const [typed, setTyped] = useState("");
  const [forced, setForced] = useState(false);
  const [sent, setSent] = useState(false);
  // An order may cut the line by which its answer would come: what is known of that stands behind the question.
  useEffect(() => {
    if (sent && connection.value === "lost") onClose();
  }, [sent, connection.value]);
  const send = async () => {
    setSent(true);
    try {
      const said = await act(forced);
      onClose();
      if (said !== undefined && said !== "") tell(said);
    } finally {
      setSent(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <Form
        send={title}
        onSend={send}
        kind={kind === "danger" ? "danger" : "main"}
        because={word !== undefined && typed !== word ? shell.typeToConfirm(word) : undefined}
      >
        {children}
        {force !== undefined && <Check label={force} value={forced} onValue={setForced} />}
        {word !== undefined && <Input label={shell.typeToConfirm(word)} value={typed} onValue={setTyped} />}
      </Form>
    </Dialog>
  );
}
