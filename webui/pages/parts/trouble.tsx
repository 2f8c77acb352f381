/** What went wrong, in the words of the language chosen where there are some, and how to mend it. */
import { ApiProblem, NoAnswer } from "../../client/problem.ts";
import { words } from "../state/settings.ts";
import { Icon } from "./icon.tsx";

export interface Told {
  readonly text: string;
  readonly mend: string | undefined;
}

export function told(error: unknown): Told {
  const { shell } = words.value;
  if (error instanceof NoAnswer) return { text: shell.noAnswer, mend: undefined };
  if (!(error instanceof ApiProblem)) return { text: shell.trouble, mend: String(error) };
  const { reason, detail, mend } = error.problem;
  const { problems } = shell;
  const known = Object.hasOwn(problems, reason) ? problems[reason as keyof typeof problems] : undefined;
  const wait = error.retryAfterSeconds === undefined ? undefined : shell.retryIn(error.retryAfterSeconds);
  return { text: known ?? detail, mend: wait ?? mend };
}

export function Trouble({ error }: { readonly error: unknown }) {
  if (error === undefined) return null;
  const { text, mend } = told(error);
  return (
    <div class="trouble" role="alert">
      <Icon name="alert" />
      <div>
        <p>{text}</p>
        {mend !== undefined && <p class="quiet">{mend}</p>}
      </div>
    </div>
  );
}
