/** A labelled field with its hint and its error. */
import { useId } from "preact/hooks";

export interface InputProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly type?: "text" | "password";
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  readonly autocomplete?: string;
  readonly placeholder?: string | undefined;
  readonly unit?: string | undefined;
  readonly suggestions?: readonly string[] | undefined;
  readonly numeric?: boolean;
}

export function Input(props: InputProps) {
  const id = useId();
  const { label, value, onValue, type = "text", hint, error, unit, suggestions, numeric = false } = props;
  const described = [hint !== undefined ? `${id}-hint` : "", error !== undefined ? `${id}-error` : ""].join(" ").trim();
  return (
    <div class={`field ${error === undefined ? "" : "wrong"}`}>
      <label for={id}>{label}</label>
      <div class="input-row">
        <input
          id={id}
          {...kindOf(type, suggestions === undefined ? undefined : `${id}-list`)}
          value={value}
          placeholder={props.placeholder}
          autocomplete={props.autocomplete ?? "off"}
          autocapitalize="none"
          spellcheck={false}
          inputMode={numeric ? "numeric" : undefined}
          aria-invalid={error !== undefined}
          aria-describedby={described === "" ? undefined : described}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
        {unit !== undefined && <span class="unit">{unit}</span>}
      </div>
      {suggestions !== undefined && (
        <datalist id={`${id}-list`}>
          {suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      <Below id={id} hint={hint} error={error} />
    </div>
  );
}

function kindOf(type: "text" | "password", list: string | undefined) {
  if (type === "password") return { type } as const;
  return list === undefined ? ({ type } as const) : ({ type, list } as const);
}

export function Below(props: {
  readonly id: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
}) {
  const { id, hint, error } = props;
  return (
    <>
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </>
  );
}

export interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly options: readonly (readonly [string, string])[];
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
}

export function Select({ label, value, onValue, options, hint, error }: SelectProps) {
  const id = useId();
  return (
    <div class={`field ${error === undefined ? "" : "wrong"}`}>
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        aria-invalid={error !== undefined}
        onChange={(event) => onValue(event.currentTarget.value)}
      >
        {options.map(([key, word]) => (
          <option key={key} value={key} selected={key === value}>
            {word}
          </option>
        ))}
      </select>
      <Below id={id} hint={hint} error={error} />
    </div>
  );
}

export function Check(props: {
  readonly label: string;
  readonly value: boolean;
  readonly onValue: (value: boolean) => void;
  readonly hint?: string | undefined;
}) {
  const id = useId();
  return (
    <div class="field check">
      <input
        id={id}
        type="checkbox"
        checked={props.value}
        onChange={(event) => props.onValue(event.currentTarget.checked)}
      />
      <label for={id}>{props.label}</label>
      <Below id={id} hint={props.hint} />
    </div>
  );
}
