/** `futago spare activate|release`: says at once what takes a second, so that nobody thinks that it hangs. */
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { author, json, print, printed } from "./output.ts";
import { ExitCode } from "../runtime/exit-code.ts";

export async function spare(command: CommandOf<"spare">): Promise<number> {
  const { stateDirectory, word, force } = command;
  const order = { force, author: author() };
  if (word === "activate" && process.stderr.isTTY) process.stderr.write("Asking whether the other box is dark...\n");
  const done = await ask(stateDirectory, word === "activate" ? "spareActivate" : "spareRelease", order);
  print(command.json ? json(done) : `${printed(done.message)}\n`);
  return ExitCode.done;
}
