/** A passphrase: out of a file, or from whoever sits at the terminal, which does not show it. */
import { readFileSync } from "node:fs";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";

const FILE_BYTES_MAX = 4_096;
/** Of a new one. */
const CHARACTERS_MIN = 8;

export interface PassphraseWords {
  readonly passphraseFile: string | undefined;
}

/** Asked for twice: nobody sees what they type, and a file with a slip in its passphrase is lost. */
export async function newPassphrase({ passphraseFile }: PassphraseWords): Promise<string> {
  const first = passphraseFile === undefined ? await typed("Passphrase of the backup: ") : fromFile(passphraseFile);
  if (first.length < CHARACTERS_MIN) {
    const what = `a passphrase of ${first.length} characters is soon guessed`;
    throw refuse(ExitCode.usage, what, `Take ${CHARACTERS_MIN} or more; four words out of a book are good.`);
  }
  if (passphraseFile === undefined && (await typed("The same again: ")) !== first)
    throw refuse(ExitCode.failed, "the two were not the same", "Try again; nothing was written.");
  return first;
}

export async function knownPassphrase({ passphraseFile }: PassphraseWords): Promise<string> {
  return passphraseFile === undefined ? typed("Passphrase of the backup: ") : fromFile(passphraseFile);
}

/** The first line. */
function fromFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const what = `the passphrase cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`;
    throw refuse(ExitCode.usage, what, "Give --passphrase-file a file whose first line is the passphrase.", path);
  }
  const [line = ""] = text.slice(0, FILE_BYTES_MAX).split(/\r?\n/);
  if (line === "") throw refuse(ExitCode.usage, "the passphrase is empty", "Write it in the file's first line.", path);
  return line;
}

const ENTER = ["\r", "\n"];
const ERASE = ["\u007f", "\b"];
const INTERRUPT = ["\u0003", "\u0004"];

function typed(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    const mend = "Give it with --passphrase-file, or give the command at a terminal.";
    throw refuse(ExitCode.usage, "there is no terminal to ask for the passphrase", mend);
  }
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  return new Promise<string>((resolve, reject) => {
    let letters: string[] = [];
    const end = () => {
      stdin.off("data", read);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
    };
    function read(chunk: string): void {
      const all = Array.from(chunk);
      for (const [i, letter] of all.entries()) {
        if (INTERRUPT.includes(letter)) {
          end();
          return reject(refuse(ExitCode.failed, "nobody gave a passphrase", "Nothing was done."));
        }
        if (ENTER.includes(letter)) {
          end();
          // What was typed ahead is the answer to the next question.
          const ahead = all.slice(i + 1).join("");
          if (ahead !== "") stdin.unshift(ahead);
          return resolve(letters.join(""));
        }
        if (ERASE.includes(letter)) letters = letters.slice(0, -1);
        else if (letter >= " ") letters.push(letter);
      }
    }
    stdin.on("data", read);
    stdin.resume();
  });
}

function refuse(exitCode: ExitCode, what: string, mend: string, where?: string): RefusalError {
  return new RefusalError({ exitCode, what, mend, ...(where === undefined ? {} : { where }) });
}
