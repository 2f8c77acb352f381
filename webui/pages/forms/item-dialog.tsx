/** A part of the configuration in a dialog: made from the schema, put among the changes, refused at its fields. */
import { useEffect, useMemo, useState } from "preact/hooks";
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
import { told } from "../parts/trouble.tsx";
import { candidate, changeDocument, diff } from "../state/candidate.ts";
import { tell } from "../state/notices.ts";
import { loadSchema, schema } from "../state/schema.ts";
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

/** The item under change: what of it was typed, what is wrong with it, where it is, and the ways into the candidate. */
function useItem(props: ItemDialogProps) {
  const { onClose } = props;
  const { change } = words.value;
  const [names, setNames] = useState(props.names);
  const start = useMemo(() => {
    const keys = positionOf(candidate.value, names);
    return (keys === undefined ? undefined : at(candidate.value, keys)) ?? props.begin ?? {};
  }, []);
  useEffect(() => {
    // At the start of the page the box may have been away.
    loadSchema().catch(tellTrouble);
  }, []);
  const [draft, setDraft] = useState<unknown>(start);
  const [errors, setErrors] = useState<readonly PlacedProblem[]>([]);
  const put = (value: unknown) => (document: unknown) => {
    const keys = positionOf(document, names);
    return keys === undefined ? document : withAt(document, keys, value);
  };
  const path = pathOfPosition(put(draft)(candidate.value), positionOf(candidate.value, names) ?? []);
  const send = async () => {
    await changeDocument(put(draft));
    const wrong = problemsBelow(diff.value?.problems ?? [], path);
    setErrors(wrong);
    if (wrong.length === 0) {
      tell(change.added);
      onClose();
      return;
    }
    // It is among the changes with what is wrong: the next try is about the item that is there.
    setNames(parsePath(path) ?? names);
  };
  const remove = async () => {
    await changeDocument(put(undefined));
    onClose();
    return change.added;
  };
  const isThere = names.at(-1) !== newItem;
  const mayRemove = isThere && (props.canRemove === true || names !== props.names);
  return { draft, setDraft, errors, setErrors, path, send, remove, mayRemove };
}

export function ItemDialog(props: ItemDialogProps) {
  const { title, place, onClose } = props;
  const { shell } = words.value;
  const item = useItem(props);
  const shown = useMemo(() => new Set<string>(), []);
  const { errors } = item;
  const knows = useMemo(() => ({ errors, shown, Inner: Fields }), [errors]);
  return (
    <Dialog title={title} onClose={onClose}>
      <FormKnows.Provider value={knows}>
        <Form
          send={shell.save}
          onSend={item.send}
          onTrouble={(error) => {
            const found = error instanceof ApiProblem ? error.problem.errors : [];
            item.setErrors(found);
            return found.length > 0;
          }}
        >
          <Fields
            fields={fieldsAt(schema.value, place)}
            value={item.draft}
            onValue={item.setDraft}
            path={item.path}
            {...(props.first === undefined ? {} : { first: props.first })}
            {...(props.hide === undefined ? {} : { hide: props.hide })}
          />
          <OtherErrors errors={errors.filter((one) => !shown.has(one.path))} />
        </Form>
      </FormKnows.Provider>
      {item.mayRemove && (
        <Act kind="danger" icon="bin" act={item.remove}>
          {shell.remove}
        </Act>
      )}
    </Dialog>
  );
}

function tellTrouble(error: unknown): void {
  tell(told(error).text, "bad");
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
