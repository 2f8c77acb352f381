/** What `show flows` and `trace` print for people. Pure. */
import type { FlowShown, FlowsShown, TraceShown } from "../runtime/control.ts";
import { printable, table } from "./table.ts";

export function renderFlows({ flows, open, total }: FlowsShown): string {
  if (total === 0) return "The balancer knows no such flow.\n";
  const rows = flows.map((flow) => [
    place(flow.client, flow.clientPort),
    `${place(flow.vip, flow.vipPort)}/${flow.protocol}`,
    flow.service ?? "-",
    flow.mode ?? "-",
    backend(flow),
    flow.state,
    idle(flow.idleMillis),
    flow.remarks.join(", "),
  ]);
  const head = ["CLIENT", "SERVICE AT", "SERVICE", "MODE", "BACKEND", "STATE", "IDLE", ""];
  const align = ["left", "left", "left", "left", "left", "left", "right"] as const;
  return `${table(head, rows, align)}\n\n${sum(flows.length, open, total)}\n`;
}

/** "12 flows in all, 10 of them open." */
function sum(shown: number, open: number, total: number): string {
  const all = total === 1 ? "1 flow in all" : `${total} flows in all`;
  const part = shown < total ? `; the ${shown} newest are shown, --limit shows more` : "";
  return `${all}, ${open} of them open${part}.`;
}

function backend({ backend: name, backendAddress, backendPort, sourcePort }: FlowShown): string {
  const at = place(backendAddress, backendPort);
  const from = sourcePort === null ? "" : `, from port ${sourcePort}`;
  return `${name === null ? at : `${name} (${at}`}${from}${name === null ? "" : ")"}`;
}

function idle(millis: number): string {
  const seconds = Math.floor(millis / 1_000);
  if (seconds < 1) return "< 1 s";
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}

/** The steps first, the outcome last: a person reads down the way of the packet. */
export function renderTrace(shown: TraceShown): string {
  const width = Math.max(...shown.steps.map(({ step }) => step.length));
  const lines = shown.steps.map(({ step, sentence }) => `  ${step.padEnd(width)}  ${printable(sentence)}`);
  return `${lines.join("\n")}\n\n${outcome(shown)}\n`;
}

function outcome({ outcome: what, backends, counter }: TraceShown): string {
  const counted = counter === null ? "" : ` (${counter})`;
  switch (what) {
    case "backend":
      return `The packet goes to ${printable(backends[0]?.id ?? "a backend")}${counted}.`;
    case "shares": {
      const parts = backends.map(({ id, share }) => `${printable(id)} (${(share * 100).toFixed(1)} %)`);
      return `The packet goes to one of ${parts.join(", ")}: say CLIENT:PORT to know which.`;
    }
    case "dropped":
      return `The packet is DROPPED${counted}.`;
    case "kernel":
      return `The packet is not balanced${counted}: it is left to the kernel.`;
  }
}

export function place(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
