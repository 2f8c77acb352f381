/** A button whose work takes a while: it says so, cannot be pressed twice, and tells how it ended. */
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { tell } from "../state/notices.ts";
import { Icon, type IconName } from "./icon.tsx";
import { told } from "./trouble.tsx";

export interface ActProps {
  readonly children: ComponentChildren;
  /** A text that it gives back is told. */
  readonly act: () => Promise<string | undefined | void>;
  readonly icon?: IconName;
  readonly kind?: "main" | "plain" | "danger" | "quiet";
  readonly small?: boolean;
  /** Why it cannot be used now. */
  readonly because?: string | undefined;
  /** Failures are told here; left out, by a notice. */
  readonly onTrouble?: (error: unknown) => void;
}

export function Act({ children, act, icon, kind = "plain", small = false, because, onTrouble }: ActProps) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    setBusy(true);
    onTrouble?.(undefined);
    try {
      const said = await act();
      if (typeof said === "string" && said !== "") tell(said);
    } catch (error) {
      if (onTrouble !== undefined) onTrouble(error);
      else tell([told(error).text, told(error).mend].filter(Boolean).join(" "), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={`button ${kind} ${small ? "small" : ""}`}
      disabled={busy || because !== undefined}
      title={because}
      aria-busy={busy}
      onClick={() => void press()}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon !== undefined && <Icon name={icon} size={18} />}
      <span>{children}</span>
      {because !== undefined && <span class="hidden"> ({because})</span>}
    </button>
  );
}
