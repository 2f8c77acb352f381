/** What went wrong, in the words of the language chosen where there are some, and how to mend it. */
import { ApiProblem, NoAnswer, type PlacedProblem } from "../../client/problem.ts";
import { problemText } from "../forms/field-words.ts";
import { withoutCommands } from "../logic/without-commands.ts";
import { Unfit } from "../state/candidate.ts";
import { language, words } from "../state/settings.ts";
import { Icon } from "./icon.tsx";

/** The kinds of refusals that have no word of their own. */
const vague: ReadonlySet<string> = new Set(["usage", "conflict", "peerNeeded", "failed", "invalidConfiguration"]);

export interface Told {
  readonly text: string;
  readonly mend: string | undefined;
}

export function told(error: unknown): Told {
  const { shell } = words.value;
  if (error instanceof NoAnswer) return { text: shell.noAnswer, mend: undefined };
  if (error instanceof Unfit) return { text: words.value.change.problemsTitle, mend: undefined };
  if (!(error instanceof ApiProblem)) return { text: shell.trouble, mend: String(error) };
  const { reason, detail, mend } = error.problem;
  const { problems } = shell;
  const known = Object.hasOwn(problems, reason) ? problems[reason as keyof typeof problems] : undefined;
  const wait = error.retryAfterSeconds === undefined ? undefined : shell.retryIn(error.retryAfterSeconds);
  const text = known ?? problemText({ ...error.problem, path: "" }, false);
  // Where only the kind of refusal can be said in another language, the box's own sentence tells the rest.
  const more = language.value === "en" ? withoutCommands(mend) : vague.has(reason) ? detail : undefined;
  return { text, mend: wait ?? more };
}

function partsOf(error: unknown): readonly PlacedProblem[] {
  if (error instanceof Unfit) return error.problems;
  return error instanceof ApiProblem ? error.problem.errors : [];
}

export function Trouble({ error }: { readonly error: unknown }) {
  if (error === undefined) return null;
  const { text, mend } = told(error);
  const more = partsOf(error);
  return (
    <div class="trouble" role="alert">
      <Icon name="alert" />
      <div>
        <p>{text}</p>
        {mend !== undefined && more.length === 0 && <p class="quiet">{mend}</p>}
        {more.length > 0 && (
          <ul>
            {more.map((one) => (
              <li key={`${one.path} ${one.detail}`}>
                <code>{one.path}</code> {problemText(one)}
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
