/** A list of words, one a row. */
import { useContext, useId } from "preact/hooks";
import { itemsBelow } from "../logic/position.ts";
import { suggestionsFor } from "../logic/suggest.ts";
import { Icon } from "../parts/icon.tsx";
import { Below } from "../parts/input.tsx";
import { candidate } from "../state/candidate.ts";
import { boxes } from "../state/live.ts";
import { words } from "../state/settings.ts";
import { FormKnows, type OneFieldProps } from "./context.ts";
import { problemText } from "./field-words.ts";

interface TextsProps extends OneFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly error: string | undefined;
}

export function TextsField({ field, value, onValue, path, label, hint, error }: TextsProps) {
  const id = useId();
  const knows = useContext(FormKnows);
  const { shell } = words.value;
  const list = Array.isArray(value) ? value.map(String) : [];
  const rows = list.length === 0 ? [""] : list;
  const paths = itemsBelow(path, list);
  for (const one of paths) knows.shown.add(one);
  const suggestions = suggestionsFor(field.place, candidate.value, boxes.value)?.words;
  const put = (after: readonly string[]) => onValue(after.every((one) => one === "") ? undefined : after);
  const wrong = knows.errors.find((one) => paths.includes(one.path));
  return (
    <div class={`field ${error === undefined && wrong === undefined ? "" : "wrong"}`} role="group" aria-labelledby={id}>
      <span class="label" id={id}>
        {label}
      </span>
      {rows.map((text, index) => (
        // Rows have no name but their place.
        // oxlint-disable-next-line react/no-array-index-key -- see above.
        <div class="list-row" key={index}>
          <input
            value={text}
            aria-label={`${label} ${index + 1}`}
            autocapitalize="none"
            spellcheck={false}
            list={`${id}-list`}
            onInput={(event) => put(rows.with(index, event.currentTarget.value))}
          />
          {rows.length > 1 && (
            <button
              type="button"
              class="button quiet round"
              aria-label={`${shell.remove}: ${text}`}
              onClick={() => put(rows.toSpliced(index, 1))}
            >
              <Icon name="cross" size={18} />
            </button>
          )}
        </div>
      ))}
      <datalist id={`${id}-list`}>
        {(suggestions ?? []).map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <div>
        <button type="button" class="button small quiet" onClick={() => onValue([...rows, ""])}>
          <Icon name="plus" size={16} />
          {shell.add}
        </button>
      </div>
      <Below id={id} hint={hint} error={error ?? (wrong === undefined ? undefined : problemText(wrong))} />
    </div>
  );
}
