/** A passphrase or a password: out of a file, or from whoever sits at the terminal, which does not show it. */
import { readFileSync } from "node:fs";
import { passwordRefusal, PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from "../access/rules.ts";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { fileTrouble } from "../runtime/files.ts";

const FILE_BYTES_MAX = 4_096;
/** Of a new one. */
const CHARACTERS_MIN = 8;

const OF_BACKUP = "Passphrase of the backup: ";

export interface PassphraseWords {
  readonly passphraseFile: string | undefined;
}

/** What is asked for, and the option that names its file. */
interface Called {
  readonly word: "passphrase" | "password";
  readonly option: string;
}

const PASSPHRASE: Called = { word: "passphrase", option: "--passphrase-file" };
const PASSWORD: Called = { word: "password", option: "--password-file" };

/** Of a user, asked for twice. */
export async function newPassword(words: {
  readonly name: string;
  readonly passwordFile: string | undefined;
}): Promise<string> {
  const { name, passwordFile } = words;
  if (passwordFile !== undefined) return good(fromFile(passwordFile, PASSWORD), name);
  return atTerminal(() => typedTwice(`Password of ${name}: `, PASSWORD, (text) => good(text, name)), PASSWORD);
}

function good(password: string, name: string): string {
  const reason = passwordRefusal(password, name);
  if (reason === undefined) return password;
  const bounds = `${PASSWORD_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX} characters`;
  const what = `a password has ${bounds} and is not the name`;
  throw refuse(ExitCode.usage, what, "Take another one; a few words do well.");
}

async function typedTwice(question: string, called: Called, check: (text: string) => string): Promise<string> {
  const first = check(await typed(question, called));
  if ((await typed("The same again: ", called)) === first) return first;
  throw refuse(ExitCode.failed, "the two were not the same", "Try again; nothing was written.");
}

/** Asked for twice: nobody sees what they type, and a file with a slip in its passphrase is lost. */
export async function newPassphrase({ passphraseFile }: PassphraseWords): Promise<string> {
  if (passphraseFile !== undefined) return long(fromFile(passphraseFile, PASSPHRASE));
  return atTerminal(() => typedTwice(OF_BACKUP, PASSPHRASE, long), PASSPHRASE);
}

function long(passphrase: string): string {
  if (passphrase.length >= CHARACTERS_MIN) return passphrase;
  const what = `a passphrase of ${passphrase.length} characters is soon guessed`;
  throw refuse(ExitCode.usage, what, `Take ${CHARACTERS_MIN} or more; four words out of a book are good.`);
}

export async function knownPassphrase({ passphraseFile }: PassphraseWords): Promise<string> {
  if (passphraseFile !== undefined) return fromFile(passphraseFile, PASSPHRASE);
  return atTerminal(() => typed(OF_BACKUP, PASSPHRASE), PASSPHRASE);
}

/** The first line. */
function fromFile(path: string, { word, option }: Called): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const what = `the ${word} cannot be read: ${fileTrouble(error)}`;
    throw refuse(ExitCode.usage, what, `Give ${option} a file whose first line is the ${word}.`, path);
  }
  const [line = ""] = text.slice(0, FILE_BYTES_MAX).split(/\r?\n/);
  if (line === "") throw refuse(ExitCode.usage, `the ${word} is empty`, "Write it in the file's first line.", path);
  return line;
}

const ENTER = ["\r", "\n"];
const ERASE = ["\u007f", "\b"];
/** Ctrl-U. */
const CLEAR = "\u0015";
const INTERRUPT = ["\u0003", "\u0004"];

/** The terminal shows nothing of what is typed from before the first question to after the last answer. */
async function atTerminal(questions: () => Promise<string>, { word, option }: Called): Promise<string> {
  const { stdin } = process;
  if (!stdin.isTTY) {
    const mend = `Give it with ${option}, or give the command at a terminal.`;
    throw refuse(ExitCode.usage, `there is no terminal to ask for the ${word}`, mend);
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

function typed(question: string, { word }: Called): Promise<string> {
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
          return reject(refuse(ExitCode.failed, `nobody gave a ${word}`, "Nothing was done."));
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
