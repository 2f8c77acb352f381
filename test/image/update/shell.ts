/** The shell behind the console's menu, as a person at the serial line has it on a box that nobody has claimed. */
import type { Machine } from "../appliance/machine.ts";

export const BOOT_MILLIS = 1_200_000;
const ANSWER_MILLIS = 300_000;

/** Waits for the banner and goes into the shell. */
export async function enterShell({ serial }: Machine): Promise<void> {
  await serial.expect(/Press Enter for the menu|A key opens the menu/, BOOT_MILLIS);
  serial.send("\r");
  // What is offered before the box was asked is another menu.
  await serial.expect("1  Status", BOOT_MILLIS);
  serial.send("s");
  await serial.expect("/ #", ANSWER_MILLIS);
}

let asked = 0;

/** What the command printed, both ways, and its exit code. */
export async function shell(
  { serial }: Machine,
  command: string,
  limitMillis = ANSWER_MILLIS,
): Promise<{ readonly text: string; readonly code: number }> {
  const mark = `done-${++asked}`;
  serial.skip();
  // The line is echoed: the mark's two halves meet only in what is printed.
  serial.send(`${command}; echo "${mark}""-$?"\r`);
  const end = await serial.expect(new RegExp(`([^]*?)${mark}-(\\d+)`), limitMillis);
  return { text: end[1] ?? "", code: Number(end[2]) };
}
