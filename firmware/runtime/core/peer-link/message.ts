/**
 * What the two cores say to each other: one JSON object per line. The peer is hostile input until proven otherwise:
 * every field is checked for type and bound, an unknown field or kind is refused. Pure; the decoder never throws.
 */
import { parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { readActivation } from "../../../pair/spare/activation.ts";
import type { Activation } from "../../../pair/spare/types.ts";
import { parseObject } from "../../line-reader.ts";
import type { Box, StaleSighting } from "../../messages.ts";
import { type Drain, DRAINS_MAX } from "./drain.ts";

export const PEER_LINE_BYTES_MAX = 1 << 20;
/** What this software speaks, unless the peer speaks the one before it. */
export const PEER_PROTOCOL_VERSION = 4;
/** From this one on the two tell each other of updates. */
export const PEER_PROTOCOL_UPDATES = 4;
/** While a pair is updated its boxes are a version apart, and each next version still speaks the one before: from 3 on. */
const PEER_PROTOCOL_OLDEST = 3;

/** A newer peer speaks this box's version with it. */
export function isSpoken(version: number): boolean {
  const oldest = Math.max(PEER_PROTOCOL_OLDEST, PEER_PROTOCOL_VERSION - 1);
  return version >= oldest && version <= PEER_PROTOCOL_VERSION + 1;
}

const NAME_LENGTH_MAX = 63;
const ROTATION_LENGTH_MAX = 8 << 10;
const REASON_LENGTH_MAX = 300;
const POOLS_MAX = 1_024;
const BACKENDS_MAX = 1_024;
const DRAIN_VERSION_MAX = 2 ** 52;
/** In one message. */
export const STALE_HOSTS_MAX = 64;

export interface PeerHello {
  readonly kind: "hello";
  readonly version: number;
  readonly box: Box;
  /** The revision the sender runs: 64 hex digits; empty on a box that has none yet. */
  readonly revision: string;
}

/**
 * Which backends live in the sender's ring: after the hello of a connection in some messages all pools of the services
 * whose group it holds, and later those that stand otherwise. The receiver compiles the same ring from it.
 */
export interface PeerHealth {
  readonly kind: "health";
  readonly revision: string;
  readonly pools: readonly PeerPool[];
}

export interface PeerPool {
  readonly name: string;
  readonly backends: readonly PeerBackend[];
}

export interface PeerBackend {
  readonly name: string;
  readonly healthy: boolean;
  /** Unhealthy as far as the sender sees, which may be cut off itself. */
  readonly blind: boolean;
  readonly reason: string;
}

/** Hosts that send to the sender what is for VIPs that the receiver holds. */
export interface PeerStale {
  readonly kind: "stale";
  readonly hosts: readonly StaleSighting[];
}

/** All orders to drain that the sender knows, when the link comes up and at each change. */
export interface PeerDrains {
  readonly kind: "drains";
  readonly drains: readonly Drain[];
}

/** A piece of a message that may be longer than a line, as JSON text; see `long-messages.ts`. */
export interface PeerPart {
  readonly kind: "part";
  readonly text: string;
  /** It is the last one. */
  readonly last: boolean;
}

/** A change of the pair's keys; what it says is pair/ceremony's to read. */
export interface PeerRotation {
  readonly kind: "rotation";
  readonly text: string;
}

/** Who serves in a cold pair, as far as the sender knows. */
export interface PeerActivation {
  readonly kind: "activation";
  readonly activation: Activation;
}

/** The sender forgets everything, its pairing among it, and is nobody's peer from now on. */
export interface PeerFarewell {
  readonly kind: "farewell";
}

/** Proof that the link lives, once a second. */
export interface PeerBeat {
  readonly kind: "beat";
}

export type PeerMessage =
  | PeerHello
  | PeerHealth
  | PeerStale
  | PeerDrains
  | PeerPart
  | PeerRotation
  | PeerActivation
  | PeerFarewell
  | PeerBeat;

/** The label of the counter, too. */
export type PeerRefusal = "notAnObject" | "unknownKind" | "unknownField" | "badField";

export function encodePeerMessage(message: PeerMessage): string {
  return `${JSON.stringify(message)}\n`;
}

export function decodePeerMessage(line: string): Result<PeerMessage, PeerRefusal> {
  const value = parseObject(line);
  if (value === undefined) return refuse("notAnObject");
  switch (value["kind"]) {
    case "hello":
      return decodeHello(value);
    case "health":
      return decodeHealth(value);
    case "stale":
      return decodeStale(value);
    case "drains":
      return decodeDrains(value);
    case "rotation":
      return decodeRotation(value);
    case "activation":
      return decodeActivation(value);
    case "part":
      return decodePart(value);
    case "farewell":
    case "beat":
      return hasOnly(value, ["kind"]) ? ok({ kind: value["kind"] }) : refuse("unknownField");
  }
  return refuse("unknownKind");
}

type Raw = Readonly<Record<string, unknown>>;

function decodeHello(value: Raw): Result<PeerHello, PeerRefusal> {
  const { version, box, revision } = value;
  // The next version may say more of itself before it knows whom it speaks with.
  const isNewer = version === PEER_PROTOCOL_VERSION + 1;
  if (!isNewer && !hasOnly(value, ["kind", "version", "box", "revision"])) return refuse("unknownField");
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1 || version > 0xffff)
    return refuse("badField");
  if (box !== "a" && box !== "b") return refuse("badField");
  if (revision !== "" && !isRevision(revision)) return refuse("badField");
  return ok({ kind: "hello", version, box, revision });
}

function decodeHealth(value: Raw): Result<PeerHealth, PeerRefusal> {
  if (!hasOnly(value, ["kind", "revision", "pools"])) return refuse("unknownField");
  const { revision, pools } = value;
  if (!isRevision(revision)) return refuse("badField");
  const decoded = decodeList(pools, POOLS_MAX, decodePool);
  return decoded.ok ? ok({ kind: "health", revision, pools: decoded.value }) : decoded;
}

function decodePool(value: Raw): Result<PeerPool, PeerRefusal> {
  if (!hasOnly(value, ["name", "backends"])) return refuse("unknownField");
  const { name, backends } = value;
  if (!isText(name, NAME_LENGTH_MAX)) return refuse("badField");
  const decoded = decodeList(backends, BACKENDS_MAX, decodeBackend);
  return decoded.ok ? ok({ name, backends: decoded.value }) : decoded;
}

function decodeBackend(value: Raw): Result<PeerBackend, PeerRefusal> {
  if (!hasOnly(value, ["name", "healthy", "blind", "reason"])) return refuse("unknownField");
  const { name, healthy, blind, reason } = value;
  if (!isText(name, NAME_LENGTH_MAX) || typeof healthy !== "boolean" || typeof blind !== "boolean") {
    return refuse("badField");
  }
  return isText(reason, REASON_LENGTH_MAX) ? ok({ name, healthy, blind, reason }) : refuse("badField");
}

function decodeStale(value: Raw): Result<PeerStale, PeerRefusal> {
  if (!hasOnly(value, ["kind", "hosts"])) return refuse("unknownField");
  const hosts = decodeList(value["hosts"], STALE_HOSTS_MAX, decodeSighting);
  return hosts.ok ? ok({ kind: "stale", hosts: hosts.value }) : hosts;
}

function decodeSighting(value: Raw): Result<StaleSighting, PeerRefusal> {
  if (!hasOnly(value, ["interface", "virtualAddress", "host", "sentTo", "frames"])) return refuse("unknownField");
  const { interface: name, frames } = value;
  const virtualAddress = decodeText(value["virtualAddress"], parseIpAddress);
  const sentTo = decodeText(value["sentTo"], parseMac);
  const host = decodeItem(value["host"], decodeHost);
  if (!isText(name, NAME_LENGTH_MAX) || virtualAddress === undefined || sentTo === undefined) return refuse("badField");
  if (typeof frames !== "number" || !Number.isSafeInteger(frames) || frames < 1) return refuse("badField");
  return host.ok ? ok({ interface: name, virtualAddress, host: host.value, sentTo, frames }) : host;
}

function decodeHost(value: Raw): Result<StaleSighting["host"], PeerRefusal> {
  if (!hasOnly(value, ["mac", "address"])) return refuse("unknownField");
  const mac = decodeText(value["mac"], parseMac);
  const address = decodeText(value["address"], parseIpAddress);
  return mac === undefined || address === undefined ? refuse("badField") : ok({ mac, address });
}

function decodeDrains(value: Raw): Result<PeerDrains, PeerRefusal> {
  if (!hasOnly(value, ["kind", "drains"])) return refuse("unknownField");
  const drains = decodeList(value["drains"], DRAINS_MAX, decodeDrain);
  return drains.ok ? ok({ kind: "drains", drains: drains.value }) : drains;
}

function decodeRotation(value: Raw): Result<PeerRotation, PeerRefusal> {
  if (!hasOnly(value, ["kind", "text"])) return refuse("unknownField");
  const { text } = value;
  return isText(text, ROTATION_LENGTH_MAX) ? ok({ kind: "rotation", text }) : refuse("badField");
}

function decodeDrain(value: Raw): Result<Drain, PeerRefusal> {
  if (!hasOnly(value, ["pool", "backend", "on", "version"])) return refuse("unknownField");
  const { pool, backend, on, version } = value;
  if (!isText(pool, NAME_LENGTH_MAX) || !isText(backend, NAME_LENGTH_MAX) || typeof on !== "boolean") {
    return refuse("badField");
  }
  // Half of what can be told apart: a peer must not be able to make every later order of ours an old one.
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1 || version > DRAIN_VERSION_MAX) {
    return refuse("badField");
  }
  return ok({ pool, backend, on, version });
}

function decodeActivation(value: Raw): Result<PeerActivation, PeerRefusal> {
  if (!hasOnly(value, ["kind", "activation"])) return refuse("unknownField");
  const activation = readActivation(value["activation"]);
  return activation === undefined ? refuse("badField") : ok({ kind: "activation", activation });
}

/** The line is bounded, and what parts come to is by whoever puts them together. */
function decodePart(value: Raw): Result<PeerPart, PeerRefusal> {
  if (!hasOnly(value, ["kind", "text", "last"])) return refuse("unknownField");
  const { text, last } = value;
  if (typeof text !== "string" || typeof last !== "boolean") return refuse("badField");
  return ok({ kind: "part", text, last });
}

/** Undefined for what is no text, is too long to be an address, or is none. */
function decodeText<T>(value: unknown, parse: (text: string) => T | undefined): T | undefined {
  return isText(value, NAME_LENGTH_MAX) ? parse(value) : undefined;
}

function decodeList<T>(
  value: unknown,
  itemsMax: number,
  decode: (item: Raw) => Result<T, PeerRefusal>,
): Result<readonly T[], PeerRefusal> {
  if (!Array.isArray(value) || value.length > itemsMax) return refuse("badField");
  const items: T[] = [];
  for (const item of value as unknown[]) {
    const decoded = decodeItem(item, decode);
    if (!decoded.ok) return decoded;
    items.push(decoded.value);
  }
  return ok(items);
}

function decodeItem<T>(item: unknown, decode: (item: Raw) => Result<T, PeerRefusal>): Result<T, PeerRefusal> {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return refuse("badField");
  return decode(item as Raw);
}

function hasOnly(value: Raw, fields: readonly string[]): boolean {
  return Object.keys(value).every((key) => fields.includes(key));
}

function isRevision(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === "string" && value.length <= lengthMax;
}
