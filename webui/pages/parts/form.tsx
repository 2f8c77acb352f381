/** A form that sends by Enter, shows that it works, and what came of it. */
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Trouble } from "./trouble.tsx";

export interface FormProps {
  readonly send: string;
  readonly onSend: () => Promise<void>;
  readonly children: ComponentChildren;
  readonly kind?: "main" | "danger";
  readonly because?: string | undefined;
  /** Takes errors that are shown at their fields; true: nothing is left to show. */
  readonly onTrouble?: (error: unknown) => boolean;
}

export function Form({ send, onSend, children, kind = "main", because, onTrouble }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const submit = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onSend();
    } catch (caught) {
      if (onTrouble?.(caught) !== true) setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && because === undefined) void submit();
      }}
    >
      {children}
      <Trouble error={error} />
      <div class="actions">
        <button type="submit" class={`button ${kind}`} disabled={busy || because !== undefined} title={because}>
          {busy && <span class="spinner" aria-hidden="true" />}
          {send}
        </button>
      </div>
    </form>
  );
}
