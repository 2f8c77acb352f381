/** How a command speaks: answers on standard output, refusals on standard error, JSON when asked for. */
import { ExitCode, formatRefusal, type Refusal } from "../runtime/exit-code.ts";

export function said(command: { readonly json: boolean }, message: string): number {
  print(command.json ? json({ message }) : `${message}\n`);
  return ExitCode.done;
}

export function refuse(refusal: Refusal, asJson: boolean): number {
  if (asJson) print(json({ error: refusal }));
  process.stderr.write(`futago: ${formatRefusal(refusal)}\n`);
  return refusal.exitCode;
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

export function print(text: string): void {
  process.stdout.write(text);
}
