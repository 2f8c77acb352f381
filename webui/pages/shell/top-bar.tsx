/** Which box answers, its role, whether the page is live, and who is signed in. */
import { useEffect } from "preact/hooks";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { BoxMark, RoleChip } from "../parts/role.tsx";
import { connection, status } from "../state/live.ts";
import { access, leave, who } from "../state/session.ts";
import { words } from "../state/settings.ts";

/** A box without a configuration has no name yet. */
function nameOf(hostname: string, box: string): string {
  return hostname === "" ? words.value.shell.boxName(box) : hostname;
}

export function TopBar() {
  const { shell } = words.value;
  const box = status.value?.box ?? access.value?.box ?? "alone";
  const hostname = nameOf(status.value?.hostname ?? access.value?.hostname ?? "", box);
  useEffect(() => {
    document.title = `${hostname} · ${shell.product}`;
    document.documentElement.dataset["box"] = box;
  }, [hostname, box, shell]);
  return (
    <header class="top-bar">
      <Link page="overview" class="here">
        <BoxMark box={box} />
        <span class="here-words">
          <strong>{hostname}</strong>
          <small>{shell.youAreOn(box)}</small>
        </span>
      </Link>
      {status.value !== undefined && status.value.revision !== "" && <RoleChip role={status.value.role} />}
      <span class={`live ${connection.value}`} title={shell.connection[connection.value]}>
        <span class="live-dot" aria-hidden="true" />
        <span class="live-word">{shell.connection[connection.value]}</span>
      </span>
      <span class="who">
        <Icon name="user" size={18} />
        <span>{who.value?.name}</span>
      </span>
      <button type="button" class="button quiet sign-out" onClick={() => void leave().catch(() => undefined)}>
        {shell.signOut}
      </button>
    </header>
  );
}
