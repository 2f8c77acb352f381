/** What the pair tells without being asked. The stream is followed for as long as somebody is signed in. */
import { signal } from "@preact/signals";
import type { SentinelEvent } from "@futago/firmware/runtime/messages.ts";
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { ApiProblem, NoAnswer } from "../../client/problem.ts";
import { followEvents } from "../../client/events.ts";
import { movedBy } from "../logic/moved.ts";
import { withSilent } from "../logic/silent.ts";
import { noServiceRates, noTraffic, stepServiceRates, stepTraffic } from "../logic/rates.ts";
import { isWell, onward, otherOrigins, resumeUrl } from "../logic/resume.ts";
import { aheadMillis } from "./now.ts";
import { api, isSignedOut, refreshTicket, refreshWho, ticket, who } from "./session.ts";

export type Connection = "connecting" | "live" | "lost";

export const connection = signal<Connection>("connecting");
export const status = signal<BoxStatus | undefined>(undefined);
export const boxes = signal<BoxesShown | undefined>(undefined);
export const traffic = signal(noTraffic);
export const serviceRates = signal(noServiceRates);
/** The newest first. */
export const happened = signal<readonly SentinelEvent[]>([]);
/** Where else the pair can be reached, while it cannot be reached here. */
export const elsewhere = signal<readonly string[]>([]);

const aheadMillisMin = 500;
const silenceMillisMax = 3_000;
const retryMillis = 500;
const probeMillis = 1_500;
const happenedMax = 200;

let lastId: string | undefined;
let lifeAt = Date.now();

export function followPair(): () => void {
  const end = new AbortController();
  void follow(end.signal);
  return () => end.abort();
}

async function follow(until: AbortSignal): Promise<void> {
  let hadTicketFrom: string | undefined;
  while (!until.aborted) {
    const attempt = new AbortController();
    const watch = setInterval(() => {
      if (until.aborted || Date.now() - lifeAt > silenceMillisMax) attempt.abort();
    }, 250);
    lifeAt = Date.now();
    try {
      await followEvents(api, {
        lastId,
        signal: attempt.signal,
        onLife: alive,
        onEvent: (name, data, id) => {
          lastId = id ?? lastId;
          take(name, data);
        },
      });
    } catch (error) {
      if (isSignedOut(error)) {
        await refreshWho().catch(() => undefined);
        if (who.peek() === null) return;
      }
      if (!isBreak(error)) reportError(error);
    } finally {
      clearInterval(watch);
    }
    if (until.aborted) return;
    if (connection.value === "live") connection.value = "lost";
    await goOn(until);
    // Another box answers by the same address: a ticket of the former is of no use to it.
    if (hadTicketFrom !== status.value?.box) await refreshTicket();
    hadTicketFrom = status.value?.box;
  }
}

/** The stream, or the way to it, ended; anything else is a fault of the page and is told to whoever looks for faults. */
function isBreak(error: unknown): boolean {
  const isCut = error instanceof DOMException && error.name === "AbortError";
  return isCut || error instanceof NoAnswer || error instanceof ApiProblem || error instanceof TypeError;
}

function alive(): void {
  lifeAt = Date.now();
  if (connection.value !== "live") connection.value = "live";
  if (elsewhere.value.length > 0) elsewhere.value = [];
}

function take(name: string, data: unknown): void {
  const at = Date.now();
  if (name === "status") {
    status.value = data as BoxStatus;
    if (boxes.value !== undefined) boxes.value = movedBy(boxes.value, status.value);
    serviceRates.value = stepServiceRates(serviceRates.value, status.value, at);
  }
  if (name === "boxes") {
    const shown = data as BoxesShown;
    boxes.value = withSilent(boxes.value, shown, status.value?.peer ?? null);
    const told = shown.boxes.find((box) => box.own);
    // What lies on the way is less than anybody sees.
    if (told !== undefined && Math.abs(Date.parse(told.at) - at - aheadMillis.value) > aheadMillisMin)
      aheadMillis.value = Date.parse(told.at) - at;
    traffic.value = stepTraffic(traffic.value, shown, at);
  }
  if (name === "happened") happened.value = [data as SentinelEvent, ...happened.value].slice(0, happenedMax);
  if (name === "missed") happened.value = [];
  if (name === "access") void refreshWho().catch(() => undefined);
}

/** The address of the same page at another origin of the pair. */
export function hereAt(origin: string, handedTicket = ticket): string {
  return resumeUrl(origin, location.pathname, { ticket: handedTicket, revision: status.peek()?.revision });
}

/** Returns when it is worth trying here again. */
async function goOn(until: AbortSignal): Promise<void> {
  const silentSince = lifeAt;
  while (!until.aborted) {
    const others = boxes.value === undefined ? [] : otherOrigins(boxes.value, location.origin);
    const [own, ...found] = await Promise.all([location.origin, ...others].map(answers));
    const othersAnswer = others.filter((_, index) => found[index]);
    const next = onward({
      silentMillis: Date.now() - silentSince,
      ownAnswers: own === true,
      othersAnswer,
      ticket,
    });
    if (next.kind === "stay") return;
    if (next.kind === "go") location.replace(hereAt(next.origin, next.ticket));
    elsewhere.value = others;
    await new Promise((resolve) => setTimeout(resolve, retryMillis));
  }
}

async function answers(origin: string): Promise<boolean> {
  try {
    const answer = await fetch(`${origin}/healthz`, { cache: "no-store", signal: AbortSignal.timeout(probeMillis) });
    return origin === location.origin || isWell(await answer.json());
  } catch {
    // Whatever kept the answer away, there is none.
    return false;
  }
}
