/** The pieces that pages are laid out with. */
import type { ComponentChildren } from "preact";
import { words } from "../state/settings.ts";
import { Icon, type IconName } from "./icon.tsx";
import { Trouble } from "./trouble.tsx";
import type { Asked } from "./asked.ts";

export interface CardProps {
  readonly title: string;
  readonly icon?: IconName;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly id?: string;
}

export function Card({ title, icon, actions, children, class: kind = "", id }: CardProps) {
  return (
    <section class={`card ${kind}`} aria-label={title} id={id}>
      <header>
        <h2>
          {icon !== undefined && <Icon name={icon} />}
          {title}
        </h2>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

export function PageHead({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="page-head">
      <h1>{title}</h1>
      {children !== undefined && <div class="actions">{children}</div>}
    </div>
  );
}

/** A page or a part without anything to show says what to do next. */
export function Empty({ text, children }: { readonly text: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{text}</p>
      {children}
    </div>
  );
}

export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What was asked for: the answer, or that it is awaited, or why there is none. */
export function Awaited<Answer>({
  asked,
  children,
}: {
  readonly asked: Asked<Answer>;
  readonly children: (answer: Answer) => ComponentChildren;
}) {
  if (asked.answer !== undefined) return <>{children(asked.answer)}</>;
  if (asked.error !== undefined) return <Trouble error={asked.error} />;
  return <p class="quiet loading">{words.value.shell.loading}</p>;
}
