/**
 * Reboot and power-off by a person's order: what this box holds goes to the peer first, and only then does the box end. An
 * active box of a pair whose peer cannot take over refuses, unless it is forced.
 */
import type { PowerEnd } from "../control.ts";
import type { ControlHandlers } from "./control/control-server.ts";
import { badParameter, message } from "./control/handlers.ts";
import { ExitCode, RefusalError } from "../exit-code.ts";
import type { SentinelStatus } from "../messages.ts";
import type { Maintenance } from "./maintenance.ts";
import type { SentinelLink } from "./sentinel-link.ts";

export interface PowerOptions {
  readonly sentinel: Pick<SentinelLink, "command">;
  readonly maintenance: Pick<Maintenance, "on">;
  readonly status: () => SentinelStatus | undefined;
  /** Takes the box down in order, and then the machine. */
  readonly end: (as: PowerEnd) => void;
  /** Changes are made one after the other. */
  readonly inTurn: <T>(change: () => Promise<T>) => Promise<T>;
}

/** The answer goes out before the box does. */
const ANSWER_MILLIS = 100;

export function powerHandlers(options: PowerOptions): Pick<ControlHandlers, "power"> {
  return {
    power: async ({ end, force = false }) => {
      if (end !== "reboot" && end !== "poweroff") throw badParameter("end is reboot or poweroff");
      if (typeof force !== "boolean") throw badParameter("force is true or false");
      return { message: message(await options.inTurn(() => endBox(end, force, options))) };
    },
  };
}

async function endBox(as: PowerEnd, force: boolean, options: PowerOptions): Promise<Parameters<typeof message>[0]> {
  const { sentinel, maintenance, status, end } = options;
  const holds = status()?.groups.some(({ state }) => state === "active") === true;
  const handed = holds ? await sentinel.command({ kind: "maintenance", on: true }) : undefined;
  if (handed?.ok === false && !force) {
    if (!maintenance.on) await sentinel.command({ kind: "maintenance", on: false });
    const why = status()?.peer?.alive === true ? handed.message : "the other box is not there";
    throw new RefusalError({
      exitCode: ExitCode.peerNeeded,
      what: `this box is active, and no peer can take over: ${why}`,
      mend: "--force ends this box all the same, and with it the service.",
    });
  }
  setTimeout(() => end(as), ANSWER_MILLIS);
  const word = as === "reboot" ? "reboots" : "powers off";
  const first = handed === undefined ? "" : handed.ok ? "The peer has taken over. " : "Nobody has taken over. ";
  return { ok: true, message: `${first}This box ${word} now.`, exitCode: ExitCode.done };
}
