/** The revision that somebody named, or a refusal that helps. */
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Revision, Store } from "../../store/store.ts";
import { NO_CONFIGURATION } from "../sentences.ts";

/** What is asked of the box's memory. */
export type Past = Pick<Store, "head" | "get" | "lineage" | "find" | "history" | "confirm">;

/** Undefined: the head; up to five digits: so many steps back; else how an id begins. */
export async function revisionNamed(past: Past, which: string | undefined): Promise<Revision> {
  if (which === undefined) {
    const head = await past.head();
    if (head === undefined) throw refuse(NO_CONFIGURATION);
    return head;
  }
  const id = await idNamed(past, which);
  const revision = await past.get(id);
  if (revision !== undefined) return revision;
  throw refuse(`the document of revision ${short(id)} is not kept any more`, "`futago history` shows what can be had.");
}

/** The id of the revision that is named so; its document may be gone here. */
export function idNamed(past: Past, which: string): Promise<string> {
  return /^[0-9]{1,5}$/.test(which) ? stepsBack(past, Number(which)) : idOf(past, which);
}

async function stepsBack(past: Past, steps: number): Promise<string> {
  const line = await past.lineage(steps + 1);
  const found = line[steps];
  if (found !== undefined) return found.id;
  if (line.length === 0) throw refuse(NO_CONFIGURATION);
  const back = line.length === 1 ? "there is only the one in force" : `the oldest is ${counted(line.length - 1)} back`;
  throw refuse(`there is no revision ${counted(steps)} back: ${back}`, "`futago history` lists them.");
}

function counted(steps: number): string {
  return steps === 1 ? "1 step" : `${steps} steps`;
}

async function idOf(past: Past, prefix: string): Promise<string> {
  if (!/^[0-9a-f]{4,64}$/.test(prefix)) {
    const what = `${JSON.stringify(prefix.slice(0, 80))} is no revision`;
    const mend = "Write how many steps back it is, or at least 4 digits of its id, as `futago history` shows them.";
    throw new RefusalError({ exitCode: ExitCode.usage, what, mend });
  }
  const [first, second] = await past.find(prefix);
  if (first === undefined) throw refuse(`there is no revision ${prefix}`, "`futago history` lists them.");
  if (second === undefined) return first;
  throw refuse(`more than one revision begins with ${prefix}`, `Say which: ${short(first)} or ${short(second)}.`);
}

function short(id: string): string {
  return id.slice(0, 16);
}

function refuse(what: string, mend?: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.failed, what, ...(mend === undefined ? {} : { mend }) });
}
