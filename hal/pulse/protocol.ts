/**
 * The binary form of what sentinel and pulse say to each other. Twin: core/protocol.h, whose structs the golden test
 * beside this file measures through the addon.
 */
import type {
  PulseCommand,
  PulseGroupReport,
  PulseGroupState,
  PulseHeard,
  PulseOperation,
  PulsePathReport,
  PulsePlan,
  PulseReason,
  PulseReport,
  PulseSnapshot,
} from "../units/pulse.ts";
import type { Ifindex } from "../units/address.ts";
import { concatBytes } from "../units/bytes.ts";
import { instant, micros } from "../units/time.ts";

export const HEADER_BYTES = 8;
const PATHS_MAX = 8;
const GROUPS_MAX = 16;
const LATENESS_BUCKETS = 24;
const COUNTERS = 24;
const PATH_BYTES = 44;
const GROUP_BYTES = 36;
const PATHS_AT = 64 + 8 * LATENESS_BUCKETS + 8 * COUNTERS;
const HEARD_AT = 32;
const HEARD_BYTES = 12;
const EXECUTED_BYTES = HEARD_AT + PATHS_MAX * HEARD_BYTES;
const GROUPS_AT = PATHS_AT + PATHS_MAX * PATH_BYTES;
export const SNAPSHOT_BYTES = GROUPS_AT + GROUPS_MAX * GROUP_BYTES;

const STATES: readonly PulseGroupState[] = ["initialize", "standby", "active", "offering", "ready", "yielded", "fault"];
const REASONS: readonly PulseReason[] = [
  "none",
  "silence",
  "released",
  "handover",
  "order",
  "refused",
  "sentinel",
  "acknowledged",
  "shutdown",
  "taken",
];
/** In the order of enum beat_refusal (core/beat.h). */
export const BEAT_OUTCOMES = [
  "accepted",
  "too-short",
  "bad-length",
  "bad-magic",
  "bad-version",
  "bad-type",
  "bad-group-count",
  "bad-mac",
  "bad-group-state",
  "bad-timing",
  "own-box",
  "other-path",
  "not-link-local",
  "hop-limit",
  "other-boot",
  "unproven",
  "replayed",
] as const;
const COMMANDS = {
  configure: 1,
  pet: 2,
  plan: 3,
  group: 4,
  act: 5,
  timing: 6,
  witness: 7,
  forget: 8,
  quit: 9,
} as const;
const ACTS = { takeOver: 1, release: 2, offer: 3, ready: 4, keep: 5 } as const;
const PLANS = { takeOver: 1, release: 2 } as const;

function frame(kind: number, group: number, argument: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  new DataView(bytes.buffer).setUint32(0, payload.length, true);
  bytes[4] = kind;
  bytes[5] = group;
  bytes[6] = argument;
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

function encodeOperation(operation: PulseOperation): Uint8Array {
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setUint32(0, operation.bytes.length, true);
  view.setUint32(4, operation.kind === "netlink" ? 1 : 2, true);
  view.setUint32(8, operation.kind === "frame" ? operation.ifindex : 0, true);
  return concatBytes([head, operation.bytes]);
}

function encodeConfigure(command: Extract<PulseCommand, { kind: "configure" }>): Uint8Array {
  const bytes = new Uint8Array(80 + 8 * command.paths.length);
  const view = new DataView(bytes.buffer);
  bytes.set(command.key.subarray(0, 32));
  bytes.set((command.otherKey ?? command.key).subarray(0, 32), 32);
  view.setBigUint64(64, BigInt(`0x${command.configId}`), true);
  view.setUint8(72, command.box === "a" ? 0 : 1);
  view.setUint8(73, command.safety ? 1 : 0);
  view.setUint8(74, command.paths.length);
  view.setUint16(76, command.port, true);
  command.paths.forEach((path, i) => {
    view.setUint32(80 + 8 * i, path.ifindex, true);
    view.setUint32(84 + 8 * i, path.id, true);
  });
  return bytes;
}

function encodeGroup(command: Extract<PulseCommand, { kind: "group" }>): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(0, command.id, true);
  bytes[4] = STATES.indexOf(command.idle);
  bytes[5] = command.armed ? 1 : 0;
  bytes[6] = command.health;
  bytes[7] = command.preference;
  bytes[8] = command.asks ? 1 : 0;
  return bytes;
}

function encodeTiming(command: Extract<PulseCommand, { kind: "timing" }>): Uint8Array {
  return new Uint8Array(Uint32Array.of(command.dead, command.lease, command.beat, command.wanted).buffer);
}

/** One command as pulse reads it. */
export function encodeCommand(command: PulseCommand): Uint8Array {
  const kind = COMMANDS[command.kind];
  switch (command.kind) {
    case "configure":
      return frame(kind, 0, 0, encodeConfigure(command));
    case "pet":
    case "quit":
      return frame(kind, 0, 0, new Uint8Array(0));
    case "plan":
      return frame(kind, command.group, PLANS[command.plan], concatBytes(command.operations.map(encodeOperation)));
    case "group":
      return frame(kind, command.group, 0, encodeGroup(command));
    case "act":
      return frame(kind, command.group, ACTS[command.act], Uint8Array.of(REASONS.indexOf(command.reason)));
    case "timing":
      return frame(kind, 0, 0, encodeTiming(command));
    case "witness":
      return frame(kind, 0, 0, new Uint8Array(BigUint64Array.of(BigInt(command.at)).buffer));
    case "forget":
      return frame(kind, command.group, 0, new Uint8Array(0));
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function decodePath(view: DataView, at: number): PulsePathReport | undefined {
  if (view.getUint8(at + 13) === 0) return undefined;
  return {
    id: view.getUint32(at, true),
    ifindex: view.getUint32(at + 4, true) as Ifindex,
    rtt: micros(view.getUint32(at + 8, true)),
    alive: view.getUint8(at + 12) !== 0,
    beats: view.getUint16(at + 14, true),
    heardAt: instant(u64(view, at + 16)),
    longestPause: micros(view.getUint32(at + 40, true)),
    peerAddress: new Uint8Array(view.buffer, view.byteOffset + at + 24, 16).slice(),
  };
}

function decodeGroup(view: DataView, at: number, group: number): PulseGroupReport | undefined {
  if (view.getUint8(at + 4) === 0) return undefined;
  const peer = {
    state: STATES[view.getUint8(at + 8)] ?? "initialize",
    health: view.getUint8(at + 9),
    preference: view.getUint8(at + 10),
    activeFor: micros(view.getUint32(at + 28, true) * 1_000),
    asks: (view.getUint8(at + 32) & 1) !== 0,
    lapsed: (view.getUint8(at + 32) & 2) !== 0,
  };
  return {
    group,
    id: view.getUint32(at, true),
    state: STATES[view.getUint8(at + 5)] ?? "initialize",
    lapsed: view.getUint8(at + 6) !== 0,
    answering: (view.getUint8(at + 11) & 1) !== 0,
    activeSince: instant(u64(view, at + 12)),
    leaseUntil: instant(u64(view, at + 20)),
    peer: view.getUint8(at + 7) === 0 ? undefined : peer,
  };
}

function decodeSnapshot(payload: Uint8Array): PulseSnapshot {
  const view = viewOf(payload);
  const lateness: number[] = [];
  for (let i = 0; i < LATENESS_BUCKETS; i++) lateness.push(u64(view, 64 + 8 * i));
  const counters: Record<string, number> = {};
  BEAT_OUTCOMES.forEach((name, i) => {
    counters[name] = u64(view, 64 + 8 * (LATENESS_BUCKETS + i));
  });
  const paths: PulsePathReport[] = [];
  for (let i = 0; i < PATHS_MAX; i++) {
    const path = decodePath(view, PATHS_AT + i * PATH_BYTES);
    if (path !== undefined) paths.push(path);
  }
  const groups: PulseGroupReport[] = [];
  for (let i = 0; i < GROUPS_MAX; i++) {
    const group = decodeGroup(view, GROUPS_AT + i * GROUP_BYTES, i);
    if (group !== undefined) groups.push(group);
  }
  return {
    kind: "snapshot",
    at: instant(u64(view, 0)),
    heardAt: instant(u64(view, 8)),
    ackedSentAt: instant(u64(view, 16)),
    peerKnown: view.getBigUint64(24, true) !== 0n,
    peerConfigId: view.getBigUint64(32, true).toString(16).padStart(16, "0"),
    peerDead: micros(view.getUint32(40, true)),
    peerLease: micros(view.getUint32(44, true)),
    peerWanted: micros(view.getUint32(48, true)),
    peerAlive: view.getUint8(52) !== 0,
    peerHears: view.getUint8(53) !== 0,
    lapses: u64(view, 56),
    lateness,
    counters,
    paths,
    groups,
  };
}

function decodeHeard(view: DataView): readonly PulseHeard[] {
  const paths: PulseHeard[] = [];
  for (let at = HEARD_AT; at < EXECUTED_BYTES; at += HEARD_BYTES) {
    const heardAt = instant(u64(view, at + 4));
    if (heardAt !== 0) paths.push({ id: view.getUint32(at, true), heardAt });
  }
  return paths;
}

/** One report, or undefined for a kind or a length this version does not know. */
export function decodeReport(header: Uint8Array, payload: Uint8Array): PulseReport | undefined {
  const kind = header[4] ?? 0;
  const group = header[5] ?? 0;
  const reason = REASONS[header[6] ?? 0] ?? "none";
  const view = viewOf(payload);
  if (kind === 1) return payload.length === SNAPSHOT_BYTES ? decodeSnapshot(payload) : undefined;
  if (kind === 2 && payload.length === EXECUTED_BYTES) {
    const plan: PulsePlan = header[6] === PLANS.takeOver ? "takeOver" : "release";
    return {
      kind: "executed",
      group,
      plan,
      reason: REASONS[view.getUint8(28)] ?? "none",
      heardAt: instant(u64(view, 0)),
      decidedAt: instant(u64(view, 8)),
      doneAt: instant(u64(view, 16)),
      errors: view.getUint16(24, true),
      firstErrno: view.getUint16(26, true),
      paths: decodeHeard(view),
    };
  }
  if (kind === 8 && payload.length === 12) return { kind: "hello", version: view.getUint32(0, true) };
  if (payload.length !== 8) return undefined;
  const at = instant(u64(view, 0));
  if (kind === 3) return { kind: "lapsed", group, at };
  if (kind === 4) return { kind: "granted", group, at, reason };
  if (kind === 5) return { kind: "resumed", group, at, reason };
  if (kind === 6) return { kind: "yielded", group, at };
  if (kind === 7) return { kind: "silence", at };
  return undefined;
}

/** Cuts a byte stream into reports. Bytes of a report that is not whole yet are kept. */
export class ReportReader {
  private held: Uint8Array = new Uint8Array(0);

  push(bytes: Uint8Array): PulseReport[] {
    this.held = this.held.length === 0 ? bytes : concatBytes([this.held, bytes]);
    const reports: PulseReport[] = [];
    while (this.held.length >= HEADER_BYTES) {
      const length = viewOf(this.held).getUint32(0, true);
      if (this.held.length < HEADER_BYTES + length) break;
      const report = decodeReport(
        this.held.subarray(0, HEADER_BYTES),
        this.held.subarray(HEADER_BYTES, HEADER_BYTES + length),
      );
      if (report !== undefined) reports.push(report);
      this.held = this.held.subarray(HEADER_BYTES + length);
    }
    return reports;
  }
}
