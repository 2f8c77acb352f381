/** The shell behind the console's menu on a box that has accounts: it asks for an admin's. */
import type { Machine } from "./machine.ts";

const KEY_MILLIS = 120_000;
const ENTER = "\r";

export interface Account {
  readonly name: string;
  readonly password: string;
}

/** From the banner. */
export async function signInAtConsole({ serial }: Machine, { name, password }: Account): Promise<void> {
  const type = async (keys: string, seen: string) => {
    serial.skip();
    serial.send(keys);
    await serial.expect(seen, KEY_MILLIS);
  };
  // What is offered before the box was asked is another menu.
  await type(ENTER, "1  Status");
  await type("s", "The name of the account:");
  await type(`${name}${ENTER}`, `The password of ${name}:`);
  await type(`${password}${ENTER}`, `Welcome, ${name}.`);
  await type(" ", "Factory reset");
  await type("s", "/ #");
}
