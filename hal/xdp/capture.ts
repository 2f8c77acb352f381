/** The maps of capture.h: what is captured, and the records of it. On any hal's loaded balancer. */
import type { BpfEvents, BpfObject } from "../contract/bpf.ts";
import type { Ifindex, IpAddress } from "../units/address.ts";
import type { ServiceProtocol } from "../units/balancer.ts";
import {
  BALANCER_REASONS,
  type BalancerReason,
  CAPTURE_BYTES_MAX,
  CAPTURE_ENDPOINTS_MAX,
  encodeAddress,
  encodeNumber,
  MAPS,
  viewOf as view,
} from "./layout.ts";
import { encodeEndpoint } from "./layout-entries.ts";
import { setCapturing } from "./state.ts";

export { CAPTURE_BYTES_MAX, CAPTURE_ENDPOINTS_MAX } from "./layout.ts";

export interface CaptureFilter {
  /** Nanoseconds on CLOCK_BOOTTIME: the programs stop by themselves, whatever becomes of core. */
  readonly untilNanos: bigint;
  /** Undefined: whosoever. */
  readonly client: IpAddress | undefined;
  /** Undefined: whatever the balancer looks at. */
  readonly endpoints: readonly CaptureEndpoint[] | undefined;
  /** Bytes of each frame, 1 to {@link CAPTURE_BYTES_MAX}. */
  readonly snap: number;
}

export interface CaptureEndpoint {
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: ServiceProtocol;
}

/** In the order of enum xdp_action. */
export const VERDICTS = ["aborted", "drop", "pass", "tx", "redirect"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** struct captured. */
export interface Captured {
  /** Nanoseconds on CLOCK_BOOTTIME, of the arrival. */
  readonly atNanos: bigint;
  /** The counters that the packet moved. */
  readonly reasons: readonly BalancerReason[];
  /** The port that it came in by. */
  readonly ifindex: Ifindex;
  readonly verdict: Verdict;
  readonly before: CapturedFrame;
  /** As the balancer left it. */
  readonly after: CapturedFrame;
}

export interface CapturedFrame {
  /** Of the whole frame. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

export interface CaptureTables {
  /** Puts the filter in force; what was lost is counted from zero. */
  begin(filter: CaptureFilter): void;
  /** Captures nothing any more. Returns how many packets found no room. */
  end(): number;
  /** Calls back with what is captured, until it is closed. One reader at a time. */
  read(onCaptured: (captured: readonly Captured[]) => void): BpfEvents;
}

export function captureTables(object: BpfObject): CaptureTables {
  const filters = object.map("capture_filters");
  const endpoints = object.map("capture_endpoints");
  const scratches = object.map("capture_scratches");
  const first = encodeNumber(0);
  const off = () => {
    setCapturing(object, false);
    filters.update(first, new Uint8Array(filters.valueBytes));
  };
  return {
    begin: (filter) => {
      off();
      for (const [key] of endpoints.entries()) endpoints.delete(key);
      for (const one of (filter.endpoints ?? []).slice(0, CAPTURE_ENDPOINTS_MAX / 2)) {
        endpoints.update(encodeEndpoint(one.address, one.port, one.protocol), first);
        // What has no ports that can be read: fragments and ICMP.
        endpoints.update(addressAlone(one.address), first);
      }
      const scratch = scratches.lookup(first);
      if (scratch !== undefined) scratches.update(first, new Uint8Array(scratch.length));
      filters.update(first, encodeFilter(filter));
      setCapturing(object, true);
    },
    end: () => {
      const standing = filters.lookup(first);
      off();
      return standing === undefined ? 0 : Number(view(standing).getBigUint64(8, true));
    },
    read: (onCaptured) =>
      object.events("capture_records", CAPTURED_BYTES, (records) => onCaptured(decodeRecords(records))),
  };
}

export const CAPTURED_BYTES = 40 + 2 * CAPTURE_BYTES_MAX;

/** struct capture_filter. */
export function encodeFilter({ untilNanos, client, endpoints, snap }: CaptureFilter): Uint8Array {
  const bytes = new Uint8Array(MAPS.capture_filters.valueBytes);
  view(bytes).setBigUint64(0, untilNanos, true);
  if (client !== undefined) bytes.set(encodeAddress(client), 16);
  view(bytes).setUint32(32, snap, true);
  bytes[36] = client === undefined ? 0 : 1;
  bytes[37] = endpoints === undefined ? 0 : 1;
  return bytes;
}

export function decodeCaptured(bytes: Uint8Array): Captured {
  const words = view(bytes);
  const counted = words.getBigUint64(8, true);
  const frame = (length: number, kept: number, at: number): CapturedFrame => ({
    length,
    bytes: bytes.slice(at, at + Math.min(kept, CAPTURE_BYTES_MAX)),
  });
  return {
    atNanos: words.getBigUint64(0, true),
    reasons: counted === 0n ? [] : BALANCER_REASONS.filter((_, i) => ((counted >> BigInt(i)) & 1n) === 1n),
    ifindex: words.getUint32(16, true) as Ifindex,
    verdict: VERDICTS[words.getUint32(32, true)] ?? "aborted",
    before: frame(words.getUint32(20, true), words.getUint16(28, true), 40),
    after: frame(words.getUint32(24, true), words.getUint16(30, true), 40 + CAPTURE_BYTES_MAX),
  };
}

function decodeRecords(records: Uint8Array): readonly Captured[] {
  return Array.from({ length: records.length / CAPTURED_BYTES }, (_, i) =>
    decodeCaptured(records.subarray(i * CAPTURED_BYTES, (i + 1) * CAPTURED_BYTES)),
  );
}

/** An endpoint of which only the address counts. */
function addressAlone(address: IpAddress): Uint8Array {
  const key = encodeEndpoint(address, 0, "tcp");
  key[18] = 0;
  return key;
}
