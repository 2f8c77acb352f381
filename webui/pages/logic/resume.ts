/**
 * Where a page goes on when its box does not answer: where it is, as long as that may come back; else the first of the
 * pair's other addresses that answers. Decides nothing about how somebody is asked.
 */
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";

/** The page stays where it is for this long before it goes elsewhere by itself. */
export const patienceMillis = 2_000;

export interface Silence {
  readonly silentMillis: number;
  /** The own origin answered just now. */
  readonly ownAnswers: boolean;
  /** Origins that answered just now, the best first. */
  readonly othersAnswer: readonly string[];
  /** Opens a session elsewhere; undefined: none was fetched in time. */
  readonly ticket: string | undefined;
}

export type Onward =
  | { readonly kind: "stay" }
  | { readonly kind: "wait" }
  | { readonly kind: "go"; readonly origin: string; readonly ticket: string | undefined };

export function onward(silence: Silence): Onward {
  if (silence.ownAnswers) return { kind: "stay" };
  const [origin] = silence.othersAnswer;
  if (origin === undefined || silence.silentMillis < patienceMillis) return { kind: "wait" };
  return { kind: "go", origin, ticket: silence.ticket };
}

/** The pair's origins but for `own`: virtual addresses first, because they move to whoever lives. */
export function otherOrigins(boxes: BoxesShown, own: string): readonly string[] {
  // Not the page's own port where something on the way gave the box another one.
  const listening = boxes.boxes.flatMap((box) => box.urls).find((url) => URL.canParse(url)) ?? own;
  const { port: number } = new URL(listening);
  const port = number === "" ? "" : `:${number}`;
  const virtual = boxes.boxes.flatMap((box) => box.ports.flatMap((one) => one.virtualAddresses));
  const shown = virtual
    .filter((address) => !address.startsWith("fe80:"))
    .map((address) => `https://${host(address)}${port}`);
  const urls = boxes.boxes.toSorted((a, b) => Number(a.own) - Number(b.own)).flatMap((box) => box.urls);
  const origins = [...shown, ...urls].flatMap((url) => (URL.canParse(url) ? new URL(url).origin : []));
  return [...new Set(origins)].filter((origin) => origin !== own);
}

function host(address: string): string {
  const plain = address.replace(/\/.*$/, "");
  return plain.includes(":") ? `[${plain}]` : plain;
}

/** What `/healthz` said elsewhere: a box that is well, and not whoever has its address where the browser is. */
export function isWell(said: unknown): boolean {
  const { ok, box } = (said ?? {}) as { readonly ok?: unknown; readonly box?: unknown };
  return ok === true && (box === "a" || box === "b");
}

/** What a page hands to the one that goes on for it at another address. */
export interface Handed {
  readonly ticket?: string | undefined;
  /** The revision that was in force when it heard of the pair last. */
  readonly revision?: string | undefined;
}

/** The address that opens the same page there; what is in a fragment is told to nobody on the way. */
export function resumeUrl(origin: string, path: string, { ticket, revision }: Handed): string {
  const told = new URLSearchParams();
  if (ticket !== undefined) told.set("resume", ticket);
  if (revision !== undefined && revision !== "") told.set("revision", revision);
  return told.size === 0 ? `${origin}${path}` : `${origin}${path}#${told}`;
}

/** Undefined where the fragment is another one. */
export function handedIn(hash: string): Handed | undefined {
  if (!/^#(resume|revision)=/.test(hash)) return undefined;
  const told = new URLSearchParams(hash.slice(1));
  const revision = told.get("revision") ?? "";
  return {
    ticket: told.get("resume") ?? undefined,
    revision: /^[0-9a-f]{64}$/.test(revision) ? revision : undefined,
  };
}
