/** What the control socket's methods do, by asking the parts of core. */
import type { NeighbourEntry } from "@futago/hal/contract/network.ts";
import type {
  CaptureQuery,
  DrainShown,
  FlowsQuery,
  FlowsShown,
  LogLine,
  NeighbourShown,
  StatusQuery,
  TimelineEvent,
  TraceQuery,
  TraceShown,
} from "../../control.ts";
import type { AccessMethods } from "../../control-access.ts";
import type { BackupMethods } from "../../control-backup.ts";
import type { ConfigurationMethods } from "../../control-configuration.ts";
import type { DrillMethods } from "../../control-drill.ts";
import type { PanelMethods } from "../../control-panel.ts";
import type { PortsMethods } from "../../control-ports.ts";
import type { PairingMethods } from "../../control-pairing.ts";
import type { SpareMethods } from "../../control-spare.ts";
import type { UpdateMethods } from "../../control-update.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { JsonInPieces } from "../../json-pieces.ts";
import type { SentinelEvent } from "../../messages.ts";
import type { CommandResult } from "../sentinel-link.ts";
import type { ControlHandlers } from "./control-server.ts";

/** What core lets be asked of it. */
export interface Answers {
  /** A {@link BoxStatus}, of the services asked for. */
  status(query: StatusQuery): Promise<JsonInPieces>;
  /** A list of {@link CheckStatus}, of all or of one service. */
  health(service: string | undefined): JsonInPieces;
  events(): readonly SentinelEvent[];
  /** Of both boxes. */
  timeline(): Promise<readonly TimelineEvent[]>;
  log(): readonly LogLine[];
  neighbours(): Promise<readonly (NeighbourEntry & { readonly device: string })[]>;
  switchover(group: string | undefined): Promise<CommandResult>;
  maintenance(on: boolean): Promise<CommandResult>;
  flows(query: FlowsQuery): Promise<FlowsShown>;
  trace(query: TraceQuery): Promise<TraceShown>;
  /** `backend` as somebody wrote it. */
  drain(backend: string, on: boolean): Promise<DrainShown>;
}

/** All but what its neighbours `…-handlers.ts` answer. */
export function controlHandlers(
  answers: Answers,
): Omit<
  ControlHandlers,
  | "power"
  | "factoryReset"
  | keyof AccessMethods
  | keyof BackupMethods
  | keyof DrillMethods
  | keyof ConfigurationMethods
  | keyof PairingMethods
  | keyof PanelMethods
  | keyof PortsMethods
  | keyof SpareMethods
  | keyof UpdateMethods
> {
  return {
    status: (query) => answers.status(query),
    health: (query) => answers.health(checkedQuery(query, { service: "text" }).service),
    why: () => answers.events(),
    timeline: () => answers.timeline(),
    log: () => answers.log(),
    neighbours: async () => (await answers.neighbours()).filter(isHost).map(shown),
    switchover: async ({ group }) => {
      if (group !== undefined && typeof group !== "string") throw badParameter("group is the name of a failover group");
      return { message: message(await answers.switchover(group)) };
    },
    maintenance: async ({ on }) => {
      if (typeof on !== "boolean") throw badParameter("on is true or false");
      return { message: message(await answers.maintenance(on)) };
    },
    flows: (query) =>
      answers.flows(checkedQuery(query, { service: "text", client: "text", backend: "text", limit: "count" })),
    trace: (query) => {
      const checked = checkedQuery(query, { client: "text", clientPort: "count", service: "text" });
      if (checked.client === undefined || checked.service === undefined)
        throw badParameter("client and service are needed");
      return answers.trace(checked);
    },
    drain: ({ backend, on }) => {
      if (typeof backend !== "string" || typeof on !== "boolean") {
        throw badParameter("backend is the name of a backend, and on is true or false");
      }
      return answers.drain(backend, on);
    },
  };
}

/** The names of the services that a status is asked for; undefined: all. */
export function statusQuery(query: unknown): ReadonlySet<string> | undefined {
  const { services } = query as StatusQuery;
  if (services === undefined) return undefined;
  const isList = Array.isArray(services) && services.every((name) => typeof name === "string");
  if (!isList) throw badParameter("services is a list of names");
  return new Set(services);
}

/** The parameters of a capture, which is begun and not answered. */
export function captureQuery(query: CaptureQuery): CaptureQuery {
  return checkedQuery(query, { service: "text", client: "text", count: "count", seconds: "count", snap: "count" });
}

/** Whoever writes to the socket by hand is told what was wrong. */
export function checkedQuery<Query extends object>(
  query: Query,
  kinds: Readonly<Record<string, "text" | "count" | "flag">>,
): Query {
  for (const [name, value] of Object.entries(query)) {
    const kind = kinds[name];
    if (kind === undefined) throw badParameter(`there is no parameter ${JSON.stringify(name)}`);
    if (kind === "text" && typeof value !== "string") throw badParameter(`${name} is a text`);
    if (kind === "flag" && typeof value !== "boolean") throw badParameter(`${name} is true or false`);
    if (kind === "count" && !(Number.isFinite(value) && Number(value) > 0))
      throw badParameter(`${name} is a number above 0`);
  }
  return query;
}

/** What a command came to, or a refusal with its words. */
export function message(result: Pick<CommandResult, "ok" | "message" | "exitCode">): string {
  if (result.ok) return result.message;
  const codes: readonly number[] = Object.values(ExitCode);
  const exitCode = codes.includes(result.exitCode) ? (result.exitCode as ExitCode) : ExitCode.failed;
  throw new RefusalError({ exitCode, what: result.message });
}

export function badParameter(what: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.usage, what });
}

/** NUD_* of linux/neighbour.h. */
const NEIGHBOUR_STATES: readonly (readonly [bit: number, name: string])[] = [
  [0x01, "incomplete"],
  [0x02, "reachable"],
  [0x04, "stale"],
  [0x08, "delay"],
  [0x10, "probe"],
  [0x20, "failed"],
  [0x40, "noarp"],
  [0x80, "permanent"],
];

/** NUD_NOARP: multicast and loopback entries, which tell nobody anything. */
function isHost(entry: NeighbourEntry): boolean {
  return (entry.state & 0x40) === 0;
}

function shown(entry: NeighbourEntry & { readonly device: string }): NeighbourShown {
  const names = NEIGHBOUR_STATES.filter(([bit]) => (entry.state & bit) !== 0).map(([, name]) => name);
  const { device, address, managed } = entry;
  return { device, address, mac: entry.mac ?? null, state: names.join(" ") || "none", managed };
}
