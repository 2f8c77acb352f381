/** How a command speaks: answers on standard output, refusals on standard error, JSON when asked for. */
import { ExitCode, formatRefusal, type Refusal } from "../runtime/exit-code.ts";
import { printable } from "./table.ts";

export function answer<T>(command: { readonly json: boolean }, value: T, render: (value: T) => string): number {
  print(command.json ? json(value) : render(value));
  return ExitCode.done;
}

export function said(command: { readonly json: boolean }, message: string): number {
  print(command.json ? json({ message }) : `${message}\n`);
  return ExitCode.done;
}

export function refuse(refusal: Refusal, asJson: boolean): number {
  if (asJson) print(json({ error: refusal }));
  process.stderr.write(`futago: ${printed(formatRefusal(refusal))}\n`);
  return refusal.exitCode;
}

/** The letters that a terminal would obey are escaped, which is the same to whoever reads JSON. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2).replace(OBEYED, escaped)}\n`;
}

/** JSON escapes the controls below U+0020 by itself. */
const OBEYED = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

export function print(text: string): void {
  process.stdout.write(text);
}

/** Lines that may hold a stranger's words, with what a terminal would obey taken out. */
export function printed(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** Whoever gives the command; behind sudo that is not root. */
export function author(): string {
  return process.env["SUDO_USER"] ?? process.env["USER"] ?? "root";
}
