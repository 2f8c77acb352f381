/** Editing one part of the configuration at a time: which one, and the dialog for it. */
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { ItemDialog, type ItemDialogProps } from "../forms/item-dialog.tsx";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { Icon, type IconName } from "./icon.tsx";

export type Editing = Omit<ItemDialogProps, "onClose">;

/** `edit` opens the dialog; `dialog` is to be shown where it is. */
export function useEditing(): { readonly edit: (editing: Editing) => void; readonly dialog: ComponentChildren } {
  const [editing, edit] = useState<Editing | undefined>(undefined);
  const dialog =
    editing === undefined ? null : (
      <ItemDialog key={editing.names.join(".")} {...editing} onClose={() => edit(undefined)} />
    );
  return { edit, dialog };
}

export interface EditButtonProps {
  /** What is edited, for those who hear the page. */
  readonly of: string;
  readonly onPress: () => void;
  readonly icon?: IconName;
  readonly text?: string;
}

/** Absent for whoever may not change anything. */
export function EditButton({ of, onPress, icon = "pencil", text = words.value.shell.edit }: EditButtonProps) {
  if (!may("configure")) return null;
  return (
    <button type="button" class="button small quiet" aria-label={`${text}: ${of}`} onClick={onPress}>
      <Icon name={icon} size={16} />
      {text}
    </button>
  );
}
