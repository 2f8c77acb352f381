/** What the control sockets' methods about the web UI and the API do. */
import type { AccessMethods, SignedIn } from "../../control-access.ts";
import type { ControlHandlers } from "../control/control-server.ts";
import { badParameter, checkedQuery } from "../control/handlers.ts";
import { time } from "../peer-link/shapes.ts";
import type { AccessRoom } from "./access-room.ts";
import type { Asker, Person } from "./asker.ts";
import { notAllowed, notSignedIn } from "./refusals.ts";

const AUDIT_DEFAULT = 100;
const AUDIT_MAX = 10_000;

export function accessHandlers(room: AccessRoom): Pick<ControlHandlers, keyof AccessMethods> {
  const { door, accounts, web } = room;
  return {
    accessState: () => room.state,
    claim: ({ code, name, password }, asker) => door.claim(code, name, password, addressOf(asker)),
    signIn: ({ name, password }, asker): Promise<SignedIn> => door.signIn(name, password, addressOf(asker)),
    resume: ({ ticket }, asker) => door.resume(ticket, addressOf(asker)),
    whoAmI: (_, asker) => {
      const { name, role, scopes, expiresAt } = personOf(asker);
      return { name, role, scopes, expiresAt };
    },
    ticket: async (_, asker) => ({ ticket: await door.ticket(personOf(asker)) }),
    signOut: async (_, asker) => {
      await accounts.endSession(personOf(asker).session);
      return { message: "You have signed out." };
    },
    passwordChange: async ({ old, password }, asker) => {
      await door.passwordChange(personOf(asker), old, password, addressOf(asker));
      return { message: "You have another password, and your other sessions have ended." };
    },
    users: () => accounts.users,
    userAdd: async ({ name, role, password }) => ({ message: await accounts.add(name, role, password) }),
    userSet: async ({ name, role, password }) => ({ message: await accounts.set(name, role, password) }),
    userDelete: async ({ name }) => ({ message: await accounts.delete(name) }),
    tokens: () => accounts.tokens,
    tokenCreate: (wish, asker) => accounts.createToken(wish, asker.kind === "person" ? asker.person.name : "root"),
    tokenRevoke: async ({ id }) => ({ message: await accounts.revokeToken(id) }),
    sessions: (_, asker) => accounts.sessions(asker.kind === "person" ? asker.person.session : undefined),
    sessionEnd: async ({ id }) => ({ message: await accounts.endSession(id) }),
    audit: (query) => {
      const { limit = AUDIT_DEFAULT, before } = checkedQuery(query, { limit: "count", before: "text" });
      if (before !== undefined && !time(before)) throw badParameter("before is a time like 2027-01-31T09:00:00.000Z");
      return room.audit(Math.min(AUDIT_MAX, Math.ceil(limit)), before);
    },
    webCertificate: () => web.certificateShown(),
    webCertificateSet: ({ certificate, key }) => {
      if (typeof certificate !== "string" || typeof key !== "string") {
        throw badParameter("certificate and key are texts in PEM");
      }
      return web.setCertificate(certificate, key);
    },
    webCertificateNew: () => web.newCertificate(),
    webAccess: () => web.shown(),
    webIdentity: () => web.identity(),
    webListens: ({ address, port }) => {
      if (typeof address !== "string" || address.length > 64) throw badParameter("address is a text");
      if (!Number.isInteger(port) || port < 1 || port > 65_535) throw badParameter("port is a number from 1 to 65535");
      web.listens({ address, port });
      return {};
    },
  };
}

function personOf(asker: Asker): Person {
  if (asker.kind !== "person") throw notSignedIn();
  return asker.person;
}

/** Root on the box needs no password: `futago user` does what signing in is for. */
function addressOf(asker: Asker): string {
  if (asker.kind === "person" || asker.kind === "stranger") return asker.from;
  throw notAllowed("signing in without an address");
}
