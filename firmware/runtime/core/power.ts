/**
 * Reboot, power-off and factory reset by a person's order: what this box holds goes to the peer first, and only then does
 * the box end. An active box of a pair whose peer cannot take over refuses, unless it is forced.
 */
import type { ControlMethods, PowerEnd } from "../control.ts";
import type { ControlHandlers } from "./control/control-server.ts";
import { badParameter } from "./control/handlers.ts";
import { ExitCode, RefusalError } from "../exit-code.ts";
import type { SentinelStatus } from "../messages.ts";
import { orderReset } from "../reset.ts";
import type { Configuration } from "./configuration.ts";
import type { Log } from "./log.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Standing } from "./pairing/standing.ts";
import type { SentinelLink } from "./sentinel-link.ts";

export interface PowerOptions {
  readonly sentinel: Pick<SentinelLink, "command">;
  readonly maintenance: Pick<Maintenance, "on">;
  readonly status: () => SentinelStatus | undefined;
  readonly configuration: Pick<Configuration, "inForce">;
  readonly standing: Pick<Standing, "kind">;
  readonly stateDirectory: string;
  readonly log: Log;
  /** Takes the box down in order, and then the machine. */
  readonly end: (as: PowerEnd) => void;
  /** Takes the box down in order; it comes up as one out of its carton. */
  readonly reset: () => void;
  /** Changes are made one after the other. */
  readonly inTurn: <T>(change: () => Promise<T>) => Promise<T>;
}

/** The answer goes out before the box does. */
const ANSWER_MILLIS = 100;
const AUTHOR_LENGTH_MAX = 64;

export interface PowerHandlers extends Pick<ControlHandlers, "power"> {
  factoryReset(order: ControlMethods["factoryReset"]["params"]): Promise<{ readonly message: string }>;
}

export function powerHandlers(options: PowerOptions): PowerHandlers {
  return {
    power: async ({ end, force = false }) => {
      if (end !== "reboot" && end !== "poweroff") throw badParameter("end is reboot or poweroff");
      if (typeof force !== "boolean") throw badParameter("force is true or false");
      return { message: await options.inTurn(() => endBox(end, force, options)) };
    },
    factoryReset: async ({ author, force = false }) => {
      if (typeof author !== "string" || author === "") throw badParameter("author is a name");
      if (typeof force !== "boolean") throw badParameter("force is true or false");
      return { message: await options.inTurn(() => resetBox(author.slice(0, AUTHOR_LENGTH_MAX), force, options)) };
    },
  };
}

/** As a person orders it. */
export function reboot(force: boolean, options: PowerOptions): Promise<string> {
  return options.inTurn(() => endBox("reboot", force, options));
}

async function endBox(as: PowerEnd, force: boolean, options: PowerOptions): Promise<string> {
  const { sentence } = await handOver(options, {
    force,
    forced: "ends this box all the same, and with it the service.",
  });
  setTimeout(() => options.end(as), ANSWER_MILLIS);
  return `${sentence}This box ${as === "reboot" ? "reboots" : "powers off"} now.`;
}

async function resetBox(author: string, force: boolean, options: PowerOptions): Promise<string> {
  const { stateDirectory, standing, log, reset } = options;
  const forced = "resets this box all the same, and with it the service ends.";
  const { sentence, undo } = await handOver(options, { force, forced });
  try {
    orderReset(stateDirectory);
  } catch (error) {
    await undo();
    throw error;
  }
  log.warn("factory-reset", { author });
  setTimeout(reset, ANSWER_MILLIS);
  const kept = standing.kind === "key" ? " It still has the letter and the key that it was started with." : "";
  return `${sentence}This box has forgotten everything, and has no configuration.${kept}`;
}

interface HandOver {
  /** What became of the role, before the next sentence; nothing where there was none. */
  readonly sentence: string;
  /** The box may hold a role again. */
  readonly undo: () => Promise<void>;
}

/** `forced` is what --force does. */
async function handOver(
  { sentinel, maintenance, status, configuration }: PowerOptions,
  { force, forced }: { readonly force: boolean; readonly forced: string },
): Promise<HandOver> {
  const undo = async () => {
    if (!maintenance.on) await sentinel.command({ kind: "maintenance", on: false });
  };
  const before = status();
  const holds = before?.groups.some(({ state }) => state === "active") === true;
  if (!holds) return { sentence: "", undo };
  const handed = await sentinel.command({ kind: "maintenance", on: true });
  if (handed.ok) return { sentence: before.peer === undefined ? "" : "The peer has taken over. ", undo };
  if (force) return { sentence: "Nobody has taken over. ", undo };
  await undo();
  const isThere = status()?.peer?.alive === true;
  const isCold = configuration.inForce?.resolved.pair?.standby === "cold";
  const exitCode = ExitCode.peerNeeded;
  if (isThere && isCold) {
    const what = "this box is the active one of a cold pair, and the other one does not take over by itself";
    throw new RefusalError({ exitCode, what, mend: `Give \`futago spare release\` first; --force ${forced}` });
  }
  const why = isThere ? (handed.cause ?? handed.message) : "the other box is not there";
  const what = `this box is active, and no peer can take over: ${why}`;
  throw new RefusalError({ exitCode, what, mend: `--force ${forced}` });
}
