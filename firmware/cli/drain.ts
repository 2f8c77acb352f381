/** `futago drain` and `undrain`: orders it, and waits until the backend is idle when asked to. */
import { ExitCode } from "../runtime/exit-code.ts";
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { json, print, refuse } from "./output.ts";

const LOOK_MILLIS = 500;

export async function drain(command: CommandOf<"drain">): Promise<number> {
  const { stateDirectory, backend, on, untilIdleSeconds } = command;
  const ordered = await ask(stateDirectory, "drain", { backend, on });
  if (untilIdleSeconds === undefined) {
    print(command.json ? json(ordered) : `${ordered.message}\n`);
    return ExitCode.done;
  }
  if (!command.json) print(`${ordered.message}\n`);
  const name = `${ordered.pool}/${ordered.backend}`;
  const open = await untilIdle(stateDirectory, name, untilIdleSeconds);
  if (open > 0) {
    const what = `${name} still has ${open === 1 ? "1 connection" : `${open} connections`} after ${untilIdleSeconds} s`;
    const mend = `The drain stays in force. \`futago show flows --backend ${name}\` lists them.`;
    return refuse({ exitCode: ExitCode.failed, what, mend }, command.json);
  }
  print(command.json ? json({ ...ordered, open }) : `${name} has no connection left.\n`);
  return ExitCode.done;
}

/** How many connections are left when the time is over or none is. */
async function untilIdle(stateDirectory: string, backend: string, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  while (true) {
    const { open } = await ask(stateDirectory, "flows", { backend, limit: 1 });
    const left = end - performance.now();
    if (open === 0 || left <= 0) return open;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MILLIS, left)));
  }
}
