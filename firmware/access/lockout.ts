/**
 * Who may try a password now. Two limits: of a source (an IPv4 address, a /64 of IPv6), whose waits double from the fifth
 * failure on; and of an account over all sources that never signed in by it, so that many sources together are no faster
 * than one, and its owner at a usual place is not shut out. Knows addresses and names, no text of any log; holds a bounded
 * number of both. Checks no password.
 */
import { addressBytes, addressFromBytes, family, type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { after, between, type Instant, type Micros, seconds } from "@futago/hal/units/time.ts";

export interface LockoutConfig {
  /** Nobody outside can tell which names share a bucket. */
  readonly seed: number;
}

export interface Penalty {
  readonly failures: number;
  readonly lastAt: Instant;
  /** Nothing is tried before. */
  readonly until: Instant;
}

export interface LockoutState {
  readonly sources: ReadonlyMap<string, Penalty>;
  /** Names that nobody has are counted as well, so that waiting tells nothing of who has an account. */
  readonly accounts: ReadonlyMap<number, Penalty>;
}

export type LockoutInput =
  /** Somebody wants to try: an allowed attempt counts as failed until it succeeded, however many are under way. */
  | ({ readonly kind: "attempt" } & Attempt)
  | ({ readonly kind: "succeeded" } & Attempt)
  /** The peer's door saw one that failed. */
  | ({ readonly kind: "told" } & Attempt);

export interface Attempt {
  readonly source: string;
  readonly account: string;
  /** The source signed in by this account before. */
  readonly familiar: boolean;
}

export type LockoutAction = { readonly kind: "allow" } | { readonly kind: "refuse"; readonly wait: Micros };

export const SOURCES_MAX = 4_096;
const ACCOUNT_BUCKETS = 1_024;
const FREE_OF_SOURCE = 5;
const FREE_OF_ACCOUNT = 20;
const SOURCE_WAIT_MAX = seconds(900);
const ACCOUNT_WAIT_MAX = seconds(60);
const FORGOTTEN_AFTER = seconds(3_600);

export const initialLockout: LockoutState = { sources: new Map(), accounts: new Map() };

export function stepLockout(
  config: LockoutConfig,
  state: LockoutState,
  input: LockoutInput,
  now: Instant,
): { readonly state: LockoutState; readonly actions: readonly LockoutAction[] } {
  const { source, familiar } = input;
  const bucket = bucketOf(config.seed, input.account);
  switch (input.kind) {
    case "attempt": {
      const until = Math.max(
        state.sources.get(source)?.until ?? now,
        familiar ? now : (state.accounts.get(bucket)?.until ?? now),
      ) as Instant;
      if (until > now) return { state, actions: [{ kind: "refuse", wait: between(now, until) }] };
      return { state: failed(state, input, bucket, now), actions: [{ kind: "allow" }] };
    }
    case "told":
      return { state: failed(state, input, bucket, now), actions: [] };
    case "succeeded": {
      const accounts = new Map(state.accounts);
      if (!familiar) accounts.delete(bucket);
      // Only what this attempt was counted as: who has an account must not buy fresh guesses at another one with it.
      return { state: { sources: forgiven(state.sources, source), accounts }, actions: [] };
    }
  }
}

/** Where an attempt comes from; undefined for what is no address. */
export function sourceOf(from: string): string | undefined {
  const address = parseIpAddress(from.replace(/%.*$/, ""));
  if (address === undefined) return undefined;
  const plain = unmapped(address);
  if (family(plain) === "ipv4") return plain;
  const bytes = addressBytes(plain);
  bytes.fill(0, 8);
  return `${addressFromBytes(bytes) ?? plain}/64`;
}

/** ::ffff:0:0/96 is how a socket of both families shows an IPv4 address. */
function unmapped(address: IpAddress): IpAddress {
  const bytes = addressBytes(address);
  const isMapped = bytes.length === 16 && bytes.subarray(0, 12).join() === "0,0,0,0,0,0,0,0,0,0,255,255";
  return (isMapped ? addressFromBytes(bytes.subarray(12)) : undefined) ?? address;
}

function failed(state: LockoutState, { source, familiar }: Attempt, bucket: number, now: Instant): LockoutState {
  const sources = new Map(state.sources);
  sources.set(source, worse(sources.get(source), FREE_OF_SOURCE, SOURCE_WAIT_MAX, now));
  if (sources.size > SOURCES_MAX) makeRoom(sources, source, now);
  if (familiar) return { ...state, sources };
  const accounts = new Map(state.accounts);
  accounts.set(bucket, worse(accounts.get(bucket), FREE_OF_ACCOUNT, ACCOUNT_WAIT_MAX, now));
  return { sources, accounts };
}

function worse(before: Penalty | undefined, free: number, waitMax: Micros, now: Instant): Penalty {
  const counts = before !== undefined && between(before.lastAt, now) < FORGOTTEN_AFTER;
  const failures = (counts ? before.failures : 0) + 1;
  const doublings = failures - free;
  const wait = doublings < 0 ? seconds(0) : (Math.min(waitMax, seconds(2 ** Math.min(doublings, 30))) as Micros);
  return { failures, lastAt: now, until: after(now, wait) };
}

function forgiven(sources: LockoutState["sources"], source: string): LockoutState["sources"] {
  const penalty = sources.get(source);
  if (penalty === undefined) return sources;
  const left = new Map(sources);
  if (penalty.failures <= 1) left.delete(source);
  else left.set(source, { ...penalty, failures: penalty.failures - 1, until: penalty.lastAt });
  return left;
}

/** The one with the fewest failures goes, the oldest of them: who fails once from each of many sources displaces himself. */
function makeRoom(sources: Map<string, Penalty>, but: string, now: Instant): void {
  let least: readonly [string, Penalty] | undefined;
  for (const entry of sources) {
    const [source, penalty] = entry;
    if (between(penalty.lastAt, now) >= FORGOTTEN_AFTER) sources.delete(source);
    else if (source !== but && (least === undefined || isLess(penalty, least[1]))) least = entry;
  }
  if (sources.size > SOURCES_MAX && least !== undefined) sources.delete(least[0]);
}

function isLess(one: Penalty, other: Penalty): boolean {
  return one.failures === other.failures ? one.lastAt < other.lastAt : one.failures < other.failures;
}

/** FNV-1a, begun at the seed. */
function bucketOf(seed: number, account: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const sign of account) hash = Math.imul(hash ^ (sign.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return ((hash ^ (hash >>> 16)) >>> 0) % ACCOUNT_BUCKETS;
}
