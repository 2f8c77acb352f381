/** Who is signed in here, and what that lets them do. */
import { computed, signal } from "@preact/signals";
import type { AccessState, Scope, WhoIs } from "@futago/firmware/runtime/control-access.ts";
import { Api } from "../../client/api.ts";
import { ApiProblem, NoAnswer } from "../../client/problem.ts";
import type { Session } from "../../client/routes.ts";
import { type Handed, handedIn } from "../logic/resume.ts";

const proofKey = "futago-proof";

/** Asked for each time: another tab of this origin may have begun another session, with the same cookie. */
export function proof(): string | undefined {
  return localStorage.getItem(proofKey) ?? undefined;
}

export const api = new Api({ origin: "", fetch: (...given) => fetch(...given), proof });

/** Undefined until the box was asked. */
export const access = signal<AccessState | undefined>(undefined);
/** Null: nobody; undefined: not known yet. */
export const who = signal<WhoIs | null | undefined>(undefined);
/** A session of this browser ended without its wish. */
export const sessionEnded = signal(false);
/** Lets the page go on at another address of the pair. It is fetched while the box answers. */
export let ticket: string | undefined;

/** What the page knew that this one goes on for. */
export let handed: Handed = {};

const scopes = computed(() => new Set<Scope>(who.value?.scopes ?? []));

export function may(scope: Scope): boolean {
  return scopes.value.has(scope);
}

function keepProof(value: string | undefined): void {
  if (value === undefined) localStorage.removeItem(proofKey);
  else localStorage.setItem(proofKey, value);
}

export async function begin(): Promise<void> {
  const found = handedIn(location.hash);
  if (found !== undefined) {
    handed = found;
    history.replaceState(null, "", location.pathname + location.search);
    if (found.ticket !== undefined) await resume(found.ticket);
  }
  access.value = await api.call("GET access");
  await refreshWho();
  await refreshTicket();
}

/** Whoever is signed in here stays who they are: somebody else may have made the link, with a ticket of their own. */
async function resume(found: string): Promise<void> {
  await refreshWho();
  if (who.value !== null) return;
  const session = await api.call("POST session/resume", { body: { ticket: found } }).catch(() => undefined);
  if (session !== undefined) keepProof(session.proof);
}

/** Between another tab's cookie and its proof lies one answer's way through the browser. */
const otherTabMillis = 400;

export async function refreshWho(): Promise<void> {
  for (;;) {
    const used = proof();
    if (used === undefined) {
      who.value = null;
      return;
    }
    try {
      const found = await api.call("GET session");
      // Whatever hangs on it is done again only when rights did change.
      if (rights(found) !== rights(who.peek())) who.value = found;
      return;
    } catch (error) {
      if (!isSignedOut(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, otherTabMillis));
    if (proof() === used) {
      signedOut();
      sessionEnded.value = true;
    }
  }
}

function rights(one: WhoIs | null | undefined): string {
  return JSON.stringify([one?.name, one?.role, one?.scopes]);
}

export async function refreshTicket(): Promise<void> {
  if (proof() === undefined) return;
  try {
    ticket = (await api.call("POST session/ticket")).ticket;
  } catch (error) {
    // A box that does not answer took none back: the one from before opens the other box. Without one the page asks to
    // sign in again where it goes on.
    if (!(error instanceof NoAnswer)) ticket = undefined;
  }
}

export async function enter(session: Session): Promise<void> {
  keepProof(session.proof);
  sessionEnded.value = false;
  access.value = await api.call("GET access");
  await refreshWho();
  await refreshTicket();
}

export async function leave(): Promise<void> {
  try {
    await api.call("DELETE session");
  } finally {
    signedOut();
  }
}

export function signedOut(): void {
  keepProof(undefined);
  ticket = undefined;
  who.value = null;
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiProblem && error.problem.status === 401 && error.problem.reason === "notSignedIn";
}
