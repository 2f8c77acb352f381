/** One value by its shape. */
import { useContext } from "preact/hooks";
import { typed } from "../logic/schema.ts";
import { suggestionsFor } from "../logic/suggest.ts";
import { unitOf } from "../logic/schema.ts";
import { Check, Input, Select } from "../parts/input.tsx";
import { candidate } from "../state/candidate.ts";
import { boxes } from "../state/live.ts";
import { words } from "../state/settings.ts";
import { FormKnows, type OneFieldProps } from "./context.ts";
import { choiceWord, hintOf, labelOf, problemText } from "./field-words.ts";
import { FieldsGroup, ItemsField, VariantsField } from "./nested.tsx";
import { TextsField } from "./texts-field.tsx";

export interface ValueFieldProps extends OneFieldProps {
  /** Instead of the field's own. */
  readonly label?: string;
}

export function ValueField(props: ValueFieldProps) {
  const { field, path } = props;
  const knows = useContext(FormKnows);
  knows.shown.add(path);
  const found = knows.errors.find((one) => one.path === path);
  const common = {
    label: props.label ?? labelOf(field),
    hint: hintOf(field),
    error: found === undefined ? undefined : problemText(found),
  };
  switch (field.shape.kind) {
    case "text":
    case "number":
      return <LineField {...props} {...common} />;
    case "switch":
      return (
        <Check
          {...common}
          value={props.value === undefined ? field.usual === "true" : props.value === true}
          onValue={(on) => props.onValue(String(on) === field.usual ? undefined : on)}
        />
      );
    case "choice":
      return (
        <Select
          {...common}
          value={typeof props.value === "string" ? props.value : ""}
          options={[...leftOut(field), ...field.shape.words.map((word) => [word, choiceWord(word)] as const)]}
          onValue={(word) => props.onValue(word === "" ? undefined : word)}
        />
      );
    case "texts":
      return <TextsField {...props} {...common} />;
    case "fields":
      return <FieldsGroup {...props} shape={field.shape} {...common} />;
    case "items":
      return <ItemsField {...props} shape={field.shape} {...common} />;
    case "variants":
      return <VariantsField {...props} shape={field.shape} {...common} />;
  }
}

/** The choice to say nothing, which means the default. */
function leftOut(field: OneFieldProps["field"]): readonly (readonly [string, string])[] {
  const say = words.value.fields;
  if (field.required) return [["", say.choose]];
  return [["", field.usual === undefined ? say.leftOut : say.usual(choiceWord(field.usual))]];
}

interface LineProps extends ValueFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly error: string | undefined;
}

function LineField({ field, value, onValue, label, hint, error }: LineProps) {
  const suggestions = suggestionsFor(field.place, candidate.value, boxes.value);
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  if (suggestions?.only === true) {
    const known = text === "" || suggestions.words.includes(text) ? suggestions.words : [...suggestions.words, text];
    return (
      <Select
        label={label}
        hint={hint}
        error={error}
        value={text}
        options={[...leftOut(field), ...known.map((word) => [word, word] as const)]}
        onValue={(word) => onValue(word === "" ? undefined : word)}
      />
    );
  }
  return (
    <Input
      label={label}
      hint={hint}
      error={error}
      value={text}
      placeholder={field.usual}
      unit={unitOf(field.key)}
      numeric={field.shape.kind === "number"}
      suggestions={suggestions?.words}
      onValue={(after) => onValue(typed(field.shape, after))}
    />
  );
}
