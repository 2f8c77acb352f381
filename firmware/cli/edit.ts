/**
 * `futago edit`: the configuration in somebody's editor, until the box takes it or somebody gives up. What was written
 * is never thrown away: it is in the candidate, or in a file that is named.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ExitCode, formatRefusal, type Refusal, RefusalError } from "../runtime/exit-code.ts";
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { readDocumentFile } from "./document-file.ts";
import { answer, author, json, printed, said } from "./output.ts";
import { renderChanged } from "./render-configuration.ts";

const LEAVING = ["SIGINT", "SIGHUP", "SIGTERM"] as const;
/** Where neither VISUAL nor EDITOR says which: Debian's choice, then what small systems have. */
const EDITORS = ["sensible-editor", "editor", "nano", "vi"];

export async function edit(command: CommandOf<"edit">): Promise<number> {
  const { document } = await ask(command.stateDirectory, "config", { candidate: true });
  const was = json(await asRead(document));
  const directory = mkdtempSync(join(tmpdir(), "futago-edit-"));
  const file = join(directory, "configuration.json");
  writeFileSync(file, was, { mode: 0o600 });
  const outcome = await untilTaken(command, was, file);
  // The file as the editor was given it holds nothing of anybody's.
  const isKept = outcome.kind === "left" && existsSync(file) && readFileSync(file, "utf8") !== was;
  if (!isKept) rmSync(directory, { recursive: true });
  if (outcome.kind === "done") return outcome.exitCode;
  throw new RefusalError(isKept ? keptIn(outcome.refusal, file) : outcome.refusal);
}

/** In the order in which people read it. The schema is loaded for that alone. */
export async function asRead(document: unknown): Promise<unknown> {
  const { inReadingOrder } = await import("../config/reading-order.ts");
  return inReadingOrder(document);
}

type Outcome =
  | { readonly kind: "done"; readonly exitCode: number }
  /** What somebody wrote is in the file and nowhere else. */
  | { readonly kind: "left"; readonly refusal: Refusal };

async function untilTaken(command: CommandOf<"edit">, was: string, file: string): Promise<Outcome> {
  for (;;) {
    const trouble = await runEditor(file);
    if (trouble !== undefined) return { kind: "left", refusal: trouble };
    let anyway = false;
    do {
      const refusal = await hand(command, was, file, anyway);
      if (typeof refusal === "number") return { kind: "done", exitCode: refusal };
      const wish = await whatNow(refusal);
      if (wish === "quit") return { kind: "left", refusal };
      anyway = wish === "keep";
    } while (anyway);
  }
}

/** Gives the file's text to the box; its refusal when it does not take it. */
async function hand(command: CommandOf<"edit">, was: string, file: string, anyway: boolean): Promise<number | Refusal> {
  try {
    const document = readDocumentFile(file);
    if (document === was) return said(command, "Nothing changed.");
    const params = { document, was, author: author(), anyway };
    return answer(command, await ask(command.stateDirectory, "edit", params), renderChanged);
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  }
}

/** Without a terminal there is nobody to ask. */
async function whatNow(refusal: Refusal): Promise<"again" | "keep" | "quit"> {
  if (!process.stdin.isTTY) return "quit";
  process.stderr.write(`futago: ${printed(formatRefusal(refusal))}\n`);
  process.stderr.write("Edit again (Enter), keep it like this in the candidate (k), or leave it (q)? ");
  const letter = (await readLine()).trim().toLowerCase()[0];
  if (letter === undefined) return "again";
  return letter === "k" ? "keep" : "quit";
}

/** "q" when somebody pressed Ctrl-C or Ctrl-D instead, or went away. */
function readLine(): Promise<string> {
  // The terminal edits the line by itself.
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise<string>((resolve) => {
    const quit = () => resolve("q");
    for (const signal of LEAVING) process.once(signal, quit);
    lines.once("close", () => {
      for (const signal of LEAVING) process.off(signal, quit);
    });
    lines.once("close", quit);
    lines.once("line", resolve);
  }).finally(() => lines.close());
}

/** Why there is no use in looking at the file; undefined when somebody edited it. No shell: words are split at blanks. */
async function runEditor(file: string): Promise<Refusal | undefined> {
  const chosen = process.env["VISUAL"] ?? process.env["EDITOR"] ?? "";
  const wanted = chosen.trim() === "" ? EDITORS.map((name) => [name]) : [chosen.trim().split(/\s+/)];
  for (const [program = "", ...words] of wanted) {
    const code = await run(program, [...words, file]);
    if (code === 0) return undefined;
    if (code === "ENOENT") continue;
    const what = `the editor ${JSON.stringify(program)} ended with ${code}`;
    return { exitCode: ExitCode.failed, what, mend: "Nothing was changed." };
  }
  const names = wanted.map(([program]) => program).join(", ");
  const what = `there is no editor here: ${names}`;
  return { exitCode: ExitCode.failed, what, mend: "Say in the variable EDITOR which one to use." };
}

/** The exit code, or why there is none. */
function run(program: string, words: readonly string[]): Promise<number | string> {
  // Ctrl-C belongs to the editor as long as it runs.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number | string>((resolve) => {
    const child = spawn(program, words, { stdio: "inherit", shell: false });
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "no exit code"));
  }).finally(() => process.off("SIGINT", ignore));
}

function keptIn(refusal: Refusal, file: string): Refusal {
  return { ...refusal, also: [...(refusal.also ?? []), { what: `Your text is in ${file}.` }] };
}
