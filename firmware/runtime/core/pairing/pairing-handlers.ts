/** What the control socket's methods of pairing do. */
import type { PairingMethods, PairingShown } from "../../control-pairing.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Asker } from "../access/asker.ts";
import type { ControlHandlers } from "../control/control-server.ts";
import type { PairingRoom } from "./pairing-room.ts";

export function pairingHandlers(room: PairingRoom): Pick<ControlHandlers, keyof PairingMethods> {
  return {
    pairing: (_, asker) => shownTo(asker, room.shown()),
    pairInvite: ({ replace = false }) => room.invite(truth("replace", replace)),
    pairJoin: ({ code, replace = false }) => {
      if (typeof code !== "string") throw badParameter("code is a text");
      return room.join(code, truth("replace", replace));
    },
    pairAnswer: ({ yes }) => room.answer(truth("yes", yes)),
    pairCancel: () => room.cancel(),
    pairRotate: () => room.rotate(),
    unpair: async () => ({ message: await room.unpair() }),
  };
}

/** The code lets a box join, so that only those see it who may invite one. */
function shownTo(asker: Asker, shown: PairingShown): PairingShown {
  const mayInvite = asker.kind === "root" || (asker.kind === "person" && asker.person.scopes.includes("admin"));
  return mayInvite ? shown : { ...shown, ceremony: { ...shown.ceremony, code: null } };
}

function truth(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw badParameter(`${name} is true or false`);
  return value;
}

function badParameter(what: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.usage, what });
}
