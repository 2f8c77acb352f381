import { expect, it } from "vitest";
import type { PairingShown } from "../../control-pairing.ts";
import type { Scope } from "../../control-access.ts";
import type { Asker } from "../access/asker.ts";
import { pairingHandlers } from "./pairing-handlers.ts";
import type { PairingRoom } from "./pairing-room.ts";

const room = {
  shown: () => ({ kind: "alone", ceremony: { phase: "inviting", code: "K7QM-3XRP" } }) as unknown as PairingShown,
} as PairingRoom;

async function codeFor(asker: Asker): Promise<string | null> {
  const shown = (await pairingHandlers(room).pairing({}, asker)) as PairingShown;
  expect(shown.ceremony.phase).toBe("inviting");
  return shown.ceremony.code;
}

function person(...scopes: Scope[]): Asker {
  const one = { name: "anna", role: null, scopes, session: undefined, expiresAt: null };
  return { kind: "person", person: one, from: "192.0.2.7" };
}

it("shows the code of an invitation to whoever may invite, and to nobody else", async () => {
  expect(await codeFor({ kind: "root" })).toBe("K7QM-3XRP");
  expect(await codeFor(person("read", "admin"))).toBe("K7QM-3XRP");
  expect(await codeFor(person("read", "operate", "configure"))).toBeNull();
  expect(await codeFor({ kind: "web" })).toBeNull();
});
