/** The fields of an object: what is usual first, the rest behind a word. */
import { useContext } from "preact/hooks";
import type { Field } from "../logic/schema.ts";
import { at, isTree, withAt } from "../logic/document.ts";
import { below } from "../logic/position.ts";
import { words } from "../state/settings.ts";
import { type FieldsProps, FormKnows, type OneFieldProps } from "./context.ts";
import { PerBoxField } from "./per-box.tsx";
import { ValueField } from "./value-field.tsx";

export function Fields({ fields, value, onValue, path, first, hide = [] }: FieldsProps) {
  const shown = fields.filter(({ key }) => !hide.includes(key));
  const isFirst = (field: Field) =>
    first === undefined ? field.required || isFilled(value, field.key) : first.includes(field.key);
  const ordered = first === undefined ? shown : shown.toSorted((a, b) => rank(first, a.key) - rank(first, b.key));
  const some = ordered.filter(isFirst);
  const rest = ordered.filter((field) => !isFirst(field));
  const { errors } = useContext(FormKnows);
  const isWithin = (one: string, other: string) => one === other || one.startsWith(`${other}.`);
  // What is wrong is not left behind a word.
  const isWrong = errors.some((one) => rest.some((field) => isWithin(one.path, below(path, field.key))));
  const show = (field: Field) => (
    <OneField
      key={field.key}
      field={field}
      path={below(path, field.key)}
      value={at(value, [field.key])}
      onValue={(after) => onValue(withAt(isTree(value) ? value : {}, [field.key], after))}
    />
  );
  return (
    <div class="form">
      {some.map(show)}
      {rest.length > 0 && (
        <details class="more" open={isWrong}>
          <summary>{words.value.shell.more}</summary>
          <div class="form">{rest.map(show)}</div>
        </details>
      )}
    </div>
  );
}

function rank(first: readonly string[], key: string): number {
  const index = first.indexOf(key);
  return index < 0 ? first.length : index;
}

function isFilled(value: unknown, key: string): boolean {
  return key !== "note" && at(value, [key]) !== undefined;
}

function OneField(props: OneFieldProps) {
  return props.field.perBox ? <PerBoxField {...props} /> : <ValueField {...props} />;
}
