/** The `futago` command: reads the arguments, talks to the box, prints the answer, ends with an exit code. */
import type { BoxStatus } from "../runtime/control.ts";
import { ExitCode, type Refusal, RefusalError } from "../runtime/exit-code.ts";
import { access } from "./access.ts";
import { ask, watch } from "./client.ts";
import { type Command, type CommandOf, readCommand } from "./command.ts";
import { given } from "./command-words.ts";
import { renderHelp } from "./help.ts";
import { renderHealth, renderLog, renderNeighbours } from "./render-shown.ts";
import { capture } from "./capture.ts";
import { diagnose } from "./diagnose.ts";
import { drain } from "./drain.ts";
import { drill } from "./drill.ts";
import { changeConfiguration } from "./configuration.ts";
import { factoryReset } from "./factory-reset.ts";
import { answer, json, print, refuse, said } from "./output.ts";
import { pair } from "./pair.ts";
import { renderBoxes } from "./render-boxes.ts";
import { renderFlows, renderTrace } from "./render-flows.ts";
import { renderServices } from "./render-services.ts";
import { renderStatus } from "./render-status.ts";
import { spare } from "./spare.ts";

import { ssh } from "./ssh.ts";
import { update } from "./update.ts";
import { renderWhy } from "./render-why.ts";

const RETRY_MILLIS = 50;

async function execute(command: Exclude<Command, { kind: "refused" }>): Promise<number> {
  switch (command.kind) {
    case "help":
      print(renderHelp(command.verb));
      return ExitCode.done;
    case "run": {
      // Loaded only here, so that the other verbs start without it.
      const { runBox } = await import("../runtime/main.ts");
      return runBox(command);
    }
    case "status":
      return status(command);
    case "wait":
      return waitForRole(command);
    case "show":
      return show(command);
    case "set":
    case "delete":
    case "edit":
    case "diff":
    case "discard":
    case "commit":
    case "confirm":
    case "rollback":
    case "history":
    case "apply":
    case "showConfig":
      return changeConfiguration(command);
    case "switchover":
    case "maintenance":
    case "locate":
      return order(command);
    case "power":
      return power(command);
    case "factoryReset":
      return factoryReset(command);
    case "spare":
      return spare(command);
    case "pair":
      return pair(command);
    case "flows":
      return answer(command, await ask(command.stateDirectory, "flows", command.query), renderFlows);
    case "trace":
      return answer(command, await ask(command.stateDirectory, "trace", command.query), renderTrace);
    case "drill":
    case "drillReport":
      return drill(command);
    case "drain":
      return drain(command);
    case "ping":
    case "traceroute":
      return diagnose(command);
    case "capture":
      return capture(command);
    case "backup":
    case "restore": {
      // Loaded only here, with what it takes to judge a configuration.
      const { backup, restore } = await import("./backup.ts");
      return command.kind === "backup" ? backup(command) : restore(command);
    }
    case "update":
      return update(command);
    case "access":
      return access(command);
    case "ssh":
      return ssh(command);
    case "console":
      return (await import("./console.ts")).runConsole(command);
  }
}

async function order(command: CommandOf<"switchover" | "maintenance" | "locate">): Promise<number> {
  const { stateDirectory: at } = command;
  switch (command.kind) {
    case "switchover":
      return said(command, (await ask(at, "switchover", given({ group: command.group }))).message);
    case "maintenance":
      return said(command, (await ask(at, "maintenance", { on: command.on })).message);
    case "locate":
      return said(command, (await ask(at, "locate", { on: command.on })).message);
  }
}

async function power({ stateDirectory, end, force, json: asJson }: CommandOf<"power">): Promise<number> {
  return said({ json: asJson }, (await ask(stateDirectory, "power", { end, force })).message);
}

async function status(command: CommandOf<"status">): Promise<number> {
  const put = (value: BoxStatus) => print(command.json ? json(value) : renderStatus(value));
  if (!command.watch) {
    put(await ask(command.stateDirectory, "status", {}));
    return ExitCode.done;
  }
  const clear = !command.json && process.stdout.isTTY;
  await watch(command.stateDirectory, "watchStatus", (value) => {
    if (clear) print("\u001b[H\u001b[2J");
    if (command.json) print(`${JSON.stringify(value)}\n`);
    else put(value);
    return false;
  });
  return refuse({ exitCode: ExitCode.boxNotRunning, what: "the box went away" }, command.json);
}

/** Goes on trying while the box is not there yet: people type `futago run &` and `futago wait` in one breath. */
async function waitForRole(command: CommandOf<"wait">): Promise<number> {
  const timeout = AbortSignal.timeout(command.timeoutSeconds * 1_000);
  let seen: string | undefined;
  let away: Refusal | undefined;
  while (true) {
    try {
      const onStatus = (value: BoxStatus) => {
        seen = value.role;
        return value.role === command.role;
      };
      if (await watch(command.stateDirectory, "watchStatus", onStatus, timeout, { services: [] }))
        return said(command, `role ${command.role}`);
    } catch (error) {
      if (!(error instanceof RefusalError) || error.refusal.exitCode !== ExitCode.boxNotRunning) throw error;
      away = error.refusal;
    }
    if (timeout.aborted) break;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
  }
  if (seen === undefined && away !== undefined) return refuse(away, command.json);
  const what = `the role is ${seen ?? "unknown"}, not ${command.role}, after ${command.timeoutSeconds} s`;
  return refuse({ exitCode: ExitCode.failed, what, mend: "`futago show why` tells why." }, command.json);
}

async function show(command: CommandOf<"show">): Promise<number> {
  const put = <T>(value: T, render: (value: T) => string) => answer(command, value, render);
  const { stateDirectory } = command;
  switch (command.what) {
    case "services": {
      // As JSON the services alone, which scripts have always got; `status --json` has the counters.
      const query = command.service === undefined ? {} : { services: [command.service] };
      const { services, counters } = await ask(stateDirectory, "status", query);
      return put(services, () => renderServices({ services, counters }));
    }
    case "boxes":
      return put(await ask(stateDirectory, "boxes", {}), renderBoxes);
    case "health": {
      const query = command.service === undefined ? {} : { service: command.service };
      return put(await ask(stateDirectory, "health", query), renderHealth);
    }
    case "neighbours":
      return put(await ask(stateDirectory, "neighbours", {}), renderNeighbours);
    case "why":
      return put(await ask(stateDirectory, "timeline", {}), renderWhy);
    case "log":
      return put(await ask(stateDirectory, "log", {}), renderLog);
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const command = readCommand(argv);
  // What could not be read says by its words alone how to answer.
  if (command.kind === "refused") return refuse(command.refusal, argv.includes("--json"));
  try {
    return await execute(command);
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    return refuse(error.refusal, "json" in command && command.json);
  }
}

process.stdout.on("error", () => {
  // The reader of a pipe went away (`futago show log | head`): nothing more to say to anybody.
  process.exit(ExitCode.done);
});
process.exitCode = await main(process.argv.slice(2));
