/** Fields that hold fields: an object, a list of objects, and an object whose fields depend on one word. */
import { useContext } from "preact/hooks";
import { at, isTree, withAt } from "../logic/document.ts";
import { itemsBelow } from "../logic/position.ts";
import type { Field, Shape } from "../logic/schema.ts";
import { Icon } from "../parts/icon.tsx";
import { Select } from "../parts/input.tsx";
import { words } from "../state/settings.ts";
import { FormKnows, type OneFieldProps } from "./context.ts";
import { choiceWord } from "./field-words.ts";

interface NestedProps<Kind extends Shape["kind"]> extends OneFieldProps {
  readonly shape: Extract<Shape, { kind: Kind }>;
  readonly label: string;
  readonly hint: string;
  readonly error: string | undefined;
}

export function FieldsGroup({ shape, value, onValue, path, label, error }: NestedProps<"fields">) {
  const { Inner } = useContext(FormKnows);
  return (
    <fieldset>
      <legend>{label}</legend>
      {error !== undefined && <p class="field-error">{error}</p>}
      <Inner
        fields={shape.fields}
        value={value}
        path={path}
        onValue={(after) => onValue(isTree(after) && Object.keys(after).length === 0 ? undefined : after)}
      />
    </fieldset>
  );
}

export function ItemsField({ shape, value, onValue, path, label, error }: NestedProps<"items">) {
  const { Inner } = useContext(FormKnows);
  const { shell } = words.value;
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const paths = itemsBelow(path, list);
  return (
    <fieldset>
      <legend>{label}</legend>
      {error !== undefined && <p class="field-error">{error}</p>}
      {list.map((item, index) => (
        // Items have no name until they are given one.
        // oxlint-disable-next-line react/no-array-index-key -- see above.
        <fieldset key={index}>
          <legend>{`${label} ${index + 1}`}</legend>
          <Inner
            fields={shape.fields}
            value={item}
            path={paths[index] ?? path}
            onValue={(after) => onValue(list.with(index, after))}
          />
          <div>
            <button type="button" class="button small quiet" onClick={() => onValue(list.toSpliced(index, 1))}>
              <Icon name="bin" size={16} />
              {shell.remove}
            </button>
          </div>
        </fieldset>
      ))}
      <div>
        <button type="button" class="button small" onClick={() => onValue([...list, {}])}>
          <Icon name="plus" size={16} />
          {shell.add}
        </button>
      </div>
    </fieldset>
  );
}

export function VariantsField(props: NestedProps<"variants">) {
  const { Inner } = useContext(FormKnows);
  const { shape, value, onValue, path, label, hint, error, field } = props;
  const word = at(value, [shape.by]);
  const chosen = typeof word === "string" ? word : "";
  const fields: readonly Field[] = Object.hasOwn(shape.variants, chosen) ? (shape.variants[chosen] ?? []) : [];
  const choose = (after: string) => {
    if (after === "") return onValue(undefined);
    // What only the former kind has would be refused with the new one.
    const known = (shape.variants[after] ?? []).map(({ key }) => key);
    const kept = Object.entries(isTree(value) ? value : {}).filter(([key]) => known.includes(key));
    return onValue(withAt(Object.fromEntries(kept), [shape.by], after));
  };
  return (
    <fieldset>
      <legend>{label}</legend>
      <Select
        label={words.value.fields.labels.type}
        hint={hint}
        error={error}
        value={chosen}
        options={[
          ["", field.required ? words.value.fields.choose : words.value.fields.leftOut],
          ...Object.keys(shape.variants).map((one) => [one, choiceWord(one)] as const),
        ]}
        onValue={choose}
      />
      {/* Where a check looks is what its place means; only what a group tracks may name another address. */}
      {chosen !== "" && (
        <Inner
          key={chosen}
          fields={fields}
          value={value}
          onValue={onValue}
          path={path}
          hide={field.place.startsWith("pools.") ? ["address"] : []}
        />
      )}
    </fieldset>
  );
}
