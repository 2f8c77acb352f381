/** `futago ping` and `futago traceroute`: prints each thing as it is heard; with --json all of it at the end. */
import type { PingEvent, TracerouteEvent } from "../runtime/control-ports.ts";
import { ExitCode } from "../runtime/exit-code.ts";
import { watch } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { json, print, refuse } from "./output.ts";
import { renderHop, renderPing } from "./render-diagnosis.ts";

type Diagnosis = CommandOf<"ping"> | CommandOf<"traceroute">;

export async function diagnose(command: Diagnosis): Promise<number> {
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort());
  const { stateDirectory, json: asJson } = command;
  const events: (PingEvent | TracerouteEvent)[] = [];
  let isReached = false;
  const hear = <Event extends PingEvent | TracerouteEvent>(event: Event, render: (event: Event) => string) => {
    events.push(event);
    if (!asJson) print(render(event));
    if (event.kind !== "ended") return false;
    isReached = "reached" in event ? event.reached : event.received > 0;
    return true;
  };
  const isWhole =
    command.kind === "ping"
      ? await watch(stateDirectory, "ping", (event) => hear(event, renderPing), stopped.signal, command.query)
      : await watch(stateDirectory, "traceroute", (event) => hear(event, renderHop), stopped.signal, command.query);
  if (!isWhole && !stopped.signal.aborted) {
    return refuse({ exitCode: ExitCode.boxNotRunning, what: "the box went away while it asked" }, asJson);
  }
  if (asJson) print(json(events));
  return isReached || stopped.signal.aborted ? ExitCode.done : ExitCode.failed;
}
