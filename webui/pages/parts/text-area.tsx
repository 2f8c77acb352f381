/** A labelled field for several lines. */
import { useId } from "preact/hooks";
import { Below } from "./input.tsx";

export interface TextAreaProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly rows?: number;
  readonly error?: string | undefined;
}

export function TextArea({ label, value, onValue, rows = 6, error }: TextAreaProps) {
  const id = useId();
  return (
    <div class={`field ${error === undefined ? "" : "wrong"}`}>
      <label for={id}>{label}</label>
      <textarea
        id={id}
        class="mono"
        rows={rows}
        spellcheck={false}
        autocomplete="off"
        value={value}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      <Below id={id} error={error} />
    </div>
  );
}
