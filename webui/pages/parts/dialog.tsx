/** A question or a form over the page. The browser keeps the focus in it; whatever opened it gets it back. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { words } from "../state/settings.ts";
import { Icon } from "./icon.tsx";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly wide?: boolean;
}

export function Dialog({ title, onClose, children, wide = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  // Its last event comes when it is gone, and would close what was opened meanwhile.
  const isGone = useRef(false);
  useLayoutEffect(() => {
    const dialog = element.current;
    const opener = document.activeElement;
    dialog?.showModal();
    return () => {
      isGone.current = true;
      dialog?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  // Escape is whoever opened it to carry out: closed by the browser first, it would take the next press with it.
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog
      ref={element}
      class={wide ? "wide" : ""}
      aria-label={title}
      onCancel={cancel}
      onClose={() => isGone.current || onClose()}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" class="button quiet round" aria-label={words.value.shell.close} onClick={onClose}>
          <Icon name="cross" />
        </button>
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
