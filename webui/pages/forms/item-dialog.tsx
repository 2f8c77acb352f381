/** A part of the configuration in a dialog: made from the schema, put among the changes, refused at its fields. */
import { useMemo, useState } from "preact/hooks";
import type { PlacedProblem } from "../../client/problem.ts";
import { ApiProblem } from "../../client/problem.ts";
import { parsePath } from "@futago/firmware/config/path.ts";
import { at, withAt } from "../logic/document.ts";
import { type Names, newItem, pathOfPosition, positionOf } from "../logic/position.ts";
import { problemsBelow } from "../logic/placed.ts";
import { fieldsAt } from "../logic/schema.ts";
import { Act } from "../parts/act.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Form } from "../parts/form.tsx";
import { candidate, changeDocument, diff } from "../state/candidate.ts";
import { tell } from "../state/notices.ts";
import { schema } from "../state/schema.ts";
import { words } from "../state/settings.ts";
import { FormKnows } from "./context.ts";
import { problemText } from "./field-words.ts";
import { Fields } from "./fields.tsx";

export interface ItemDialogProps {
  readonly title: string;
  /** Where in the document, by names; the last one is {@link newItem} for what is not there yet. */
  readonly names: Names;
  /** Of the schema: "pools.backends". */
  readonly place: string;
  readonly first?: readonly string[];
  readonly hide?: readonly string[];
  /** What a new one begins with. */
  readonly begin?: unknown;
  readonly onClose: () => void;
  readonly canRemove?: boolean;
}

export function ItemDialog(props: ItemDialogProps) {
  const { title, place, onClose } = props;
  const [names, setNames] = useState(props.names);
  const say = words.value;
  const start = useMemo(() => {
    const keys = positionOf(candidate.value, names);
    return (keys === undefined ? undefined : at(candidate.value, keys)) ?? props.begin ?? {};
  }, []);
  const [draft, setDraft] = useState<unknown>(start);
  const [errors, setErrors] = useState<readonly PlacedProblem[]>([]);
  const shown = useMemo(() => new Set<string>(), []);
  const knows = useMemo(() => ({ errors, shown, Inner: Fields }), [errors]);
  const put = (value: unknown) => (document: unknown) => {
    const keys = positionOf(document, names);
    return keys === undefined ? document : withAt(document, keys, value);
  };
  const keys = positionOf(candidate.value, names) ?? [];
  const path = pathOfPosition(put(draft)(candidate.value), keys);
  const send = async () => {
    await changeDocument(put(draft));
    const wrong = problemsBelow(diff.value?.problems ?? [], path);
    setErrors(wrong);
    if (wrong.length === 0) {
      tell(say.change.added);
      onClose();
      return;
    }
    // It is among the changes with what is wrong: the next try is about the item that is there.
    setNames(parsePath(path) ?? names);
  };
  const others = errors.filter((one) => !shown.has(one.path));
  return (
    <Dialog title={title} onClose={onClose}>
      <FormKnows.Provider value={knows}>
        <Form
          send={say.shell.save}
          onSend={send}
          onTrouble={(error) => {
            const found = error instanceof ApiProblem ? error.problem.errors : [];
            setErrors(found);
            return found.length > 0;
          }}
        >
          <Fields
            fields={fieldsAt(schema.value, place)}
            value={draft}
            onValue={setDraft}
            path={path}
            {...(props.first === undefined ? {} : { first: props.first })}
            {...(props.hide === undefined ? {} : { hide: props.hide })}
          />
          <OtherErrors errors={others} />
        </Form>
      </FormKnows.Provider>
      {(props.canRemove === true || names !== props.names) && names.at(-1) !== newItem && (
        <Act
          kind="danger"
          icon="bin"
          act={async () => {
            await changeDocument(put(undefined));
            onClose();
            return say.change.added;
          }}
        >
          {say.shell.remove}
        </Act>
      )}
    </Dialog>
  );
}

function OtherErrors({ errors }: { readonly errors: readonly PlacedProblem[] }) {
  if (errors.length === 0) return null;
  return (
    <div class="trouble" role="alert">
      <ul>
        {errors.map((one) => (
          <li key={`${one.path} ${one.detail}`}>
            <code>{one.path}</code> {problemText(one)}
          </li>
        ))}
      </ul>
    </div>
  );
}
