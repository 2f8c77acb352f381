/** A passphrase: out of a file, or from whoever sits at the terminal, which does not show it. */
import { readFileSync } from "node:fs";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { fileTrouble } from "../runtime/files.ts";

const FILE_BYTES_MAX = 4_096;
/** Of a new one. */
const CHARACTERS_MIN = 8;

export interface PassphraseWords {
  readonly passphraseFile: string | undefined;
}

/** Asked for twice: nobody sees what they type, and a file with a slip in its passphrase is lost. */
export async function newPassphrase({ passphraseFile }: PassphraseWords): Promise<string> {
  if (passphraseFile !== undefined) return long(fromFile(passphraseFile));
  return atTerminal(async () => {
    const first = long(await typed("Passphrase of the backup: "));
    if ((await typed("The same again: ")) === first) return first;
    throw refuse(ExitCode.failed, "the two were not the same", "Try again; nothing was written.");
  });
}

function long(passphrase: string): string {
  if (passphrase.length >= CHARACTERS_MIN) return passphrase;
  const what = `a passphrase of ${passphrase.length} characters is soon guessed`;
  throw refuse(ExitCode.usage, what, `Take ${CHARACTERS_MIN} or more; four words out of a book are good.`);
}

export async function knownPassphrase({ passphraseFile }: PassphraseWords): Promise<string> {
  if (passphraseFile !== undefined) return fromFile(passphraseFile);
  return atTerminal(() => typed("Passphrase of the backup: "));
}

/** The first line. */
function fromFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const what = `the passphrase cannot be read: ${fileTrouble(error)}`;
    throw refuse(ExitCode.usage, what, "Give --passphrase-file a file whose first line is the passphrase.", path);
  }
  const [line = ""] = text.slice(0, FILE_BYTES_MAX).split(/\r?\n/);
  if (line === "") throw refuse(ExitCode.usage, "the passphrase is empty", "Write it in the file's first line.", path);
  return line;
}

const ENTER = ["\r", "\n"];
const ERASE = ["\u007f", "\b"];
/** Ctrl-U. */
const CLEAR = "\u0015";
const INTERRUPT = ["\u0003", "\u0004"];

/** The terminal shows nothing of what is typed from before the first question to after the last answer. */
async function atTerminal(questions: () => Promise<string>): Promise<string> {
  const { stdin } = process;
  if (!stdin.isTTY) {
    const mend = "Give it with --passphrase-file, or give the command at a terminal.";
    throw refuse(ExitCode.usage, "there is no terminal to ask for the passphrase", mend);
  }
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  try {
    return await questions();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

function typed(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  return new Promise<string>((resolve, reject) => {
    let letters: string[] = [];
    const end = () => {
      stdin.off("data", read);
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
        else if (letter === CLEAR) letters = [];
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
