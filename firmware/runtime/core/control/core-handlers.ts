/** All that core answers, by its rooms. */
import { accessHandlers } from "../access/access-handlers.ts";
import type { AccessRoom } from "../access/access-room.ts";
import type { Candidate } from "../candidate/candidate.ts";
import type { Commits } from "../commit/commits.ts";
import type { Configuration } from "../configuration.ts";
import type { Maintenance } from "../maintenance.ts";
import type { PairLink } from "../pair-link.ts";
import { panelHandlers } from "../panel/panel-handlers.ts";
import type { PanelRoom } from "../panel/panel-room.ts";
import { pairingHandlers } from "../pairing/pairing-handlers.ts";
import type { PairingRoom } from "../pairing/pairing-room.ts";
import { powerHandlers, type PowerOptions } from "../power.ts";
import { updateHandlers } from "../update/update-handlers.ts";
import { spareHandlers } from "../spare/spare-commands.ts";
import { backupHandlers, type BackupHandlersOptions } from "./backup-handlers.ts";
import { configurationHandlers } from "./configuration-handlers.ts";
import type { ControlHandlers } from "./control-server.ts";
import { type Answers, controlHandlers } from "./handlers.ts";

export interface CoreRooms extends Omit<PowerOptions, keyof BackupHandlersOptions>, BackupHandlersOptions {
  readonly configuration: Configuration;
  readonly maintenance: Maintenance;
  readonly answers: Answers;
  readonly commits: Commits;
  readonly candidate: Candidate;
  readonly pairing: PairingRoom;
  readonly link: PairLink;
  readonly access: AccessRoom;
  readonly panel: PanelRoom;
}

/** Whoever presses the button stands before the box. */
const BUTTON = { author: "button" };

export function coreHandlers(rooms: CoreRooms): ControlHandlers {
  const { answers, commits, candidate, pairing, link, access, panel } = rooms;
  const power = powerHandlers(rooms);
  const spare = spareHandlers({ ...rooms, room: link.spare });
  panel.setHands({
    activateSpare: () => spare.spareActivate({ ...BUTTON, force: false }),
    factoryReset: () => power.factoryReset({ ...BUTTON, force: true }),
  });
  const handlers: ControlHandlers = {
    ...controlHandlers(answers),
    ...configurationHandlers(commits, candidate),
    ...pairingHandlers(pairing),
    ...link.handlers,
    ...power,
    ...backupHandlers(rooms),
    ...spare,
    ...accessHandlers(access),
    ...updateHandlers(link.update, link.pairUpdate),
    ...panelHandlers(panel),
  };
  return { ...handlers, ...guarded(handlers, () => link.pairUpdate.refusal) };
}

/** They would cross an update of the pair, which moves the roles and starts the boxes anew by itself. */
const CROSSING = [
  "switchover",
  "maintenance",
  "drill",
  "commit",
  "apply",
  "rollback",
  "restore",
  "restoreSealed",
  "restoreStick",
  "power",
  "factoryReset",
  "updateBack",
  "pairRotate",
  "unpair",
] as const;

/** Whoever stands before a box that has to go down now need not wait. */
const MAY_BE_FORCED: ReadonlySet<string> = new Set(["power", "factoryReset"]);

function guarded(handlers: ControlHandlers, refusal: () => Error | undefined): Partial<ControlHandlers> {
  const entries = CROSSING.map((name) => {
    const act = handlers[name] as (...given: readonly unknown[]) => unknown;
    const guard = async (...given: readonly unknown[]) => {
      const isForced =
        MAY_BE_FORCED.has(name) && (given[0] as { readonly force?: unknown } | undefined)?.force === true;
      const refused = isForced ? undefined : refusal();
      if (refused !== undefined) throw refused;
      return await act(...given);
    };
    return [name, guard];
  });
  return Object.fromEntries(entries) as Partial<ControlHandlers>;
}
