/** The ways to the pages: a column where there is room, five tabs and a sheet where there is not. */
import { useEffect } from "preact/hooks";
import type { Page } from "../logic/routes.ts";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { place } from "../state/place.ts";
import { leave } from "../state/session.ts";
import { words } from "../state/settings.ts";

const shown: readonly Page[] = [
  "overview",
  "services",
  "addresses",
  "network",
  "pair",
  "history",
  "system",
  "logs",
  "diagnostics",
];
const tabs: readonly Page[] = ["overview", "services", "pair", "logs"];

export function Nav({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const { shell } = words.value;
  useEffect(() => {
    if (!open) return undefined;
    const close = (event: KeyboardEvent) => {
      if (event.key === "Escape") onClose();
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [open]);
  return (
    <nav class={open ? "nav open" : "nav"} aria-label={shell.menu}>
      {shown.map((page) => (
        <Link key={page} page={page} current={place.value?.page === page} onGo={onClose}>
          <Icon name={page} />
          {shell.pages[page]}
        </Link>
      ))}
      <button type="button" class="nav-out" onClick={() => void leave().catch(() => undefined)}>
        <Icon name="power" />
        {shell.signOut}
      </button>
    </nav>
  );
}

export function Tabs({ menu, onMenu }: { readonly menu: boolean; readonly onMenu: () => void }) {
  const { shell } = words.value;
  return (
    <div class="tabs" role="navigation" aria-label={shell.pages.overview}>
      {tabs.map((page) => (
        <Link key={page} page={page} current={place.value?.page === page}>
          <Icon name={page} />
          <span>{shell.pages[page]}</span>
        </Link>
      ))}
      <button type="button" aria-expanded={menu} onClick={onMenu}>
        <Icon name={menu ? "cross" : "menu"} />
        <span>{shell.menu}</span>
      </button>
    </div>
  );
}
