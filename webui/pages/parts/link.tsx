/** A link to another page of ours, which needs no new document. */
import type { ComponentChildren } from "preact";
import { type Page, pathOf } from "../logic/routes.ts";
import { goTo } from "../state/place.ts";

export interface LinkProps {
  readonly page: Page;
  readonly rest?: readonly string[];
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly current?: boolean;
  readonly onGo?: () => void;
}

export function Link({ page, rest = [], children, class: kind, current = false, onGo }: LinkProps) {
  const path = pathOf(page, ...rest);
  return (
    <a
      href={path}
      class={kind}
      aria-current={current ? "page" : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        goTo(path);
        onGo?.();
      }}
    >
      {children}
    </a>
  );
}
