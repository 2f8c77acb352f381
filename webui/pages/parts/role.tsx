/** A box's role, and which box: by colour, picture and word at once. */
import { words } from "../state/settings.ts";
import { Icon, type IconName } from "./icon.tsx";

const icons: Readonly<Record<string, IconName>> = {
  active: "active",
  standby: "standby",
  spare: "spare",
  maintenance: "maintenance",
  fault: "fault",
  alone: "alone",
  initialize: "initialize",
  silent: "fault",
};

export function roleIcon(role: string): IconName {
  return icons[role] ?? "unknown";
}

export function roleWord(role: string): string {
  const { roles } = words.value.shell;
  return Object.hasOwn(roles, role) ? roles[role as keyof typeof roles] : role;
}

export function RoleChip({ role }: { readonly role: string }) {
  return (
    <span class={`chip role-${role}`}>
      <Icon name={roleIcon(role)} size={16} />
      {roleWord(role)}
    </span>
  );
}

/** A round mark for a, a square one for b. */
export function BoxMark({ box }: { readonly box: string }) {
  return (
    <span class={`box-mark box-${box}`} aria-hidden="true">
      {box === "alone" ? "1" : box}
    </span>
  );
}
