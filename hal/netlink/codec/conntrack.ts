/**
 * Tracked connections by ctnetlink, chosen by their mark, and the generation of the packet filter's rules. Unlike in
 * rtnetlink, numbers in attributes are in network byte order.
 *
 *    0               1               2               3
 *   +---------------+---------------+---------------+---------------+
 *   |    family     |    version    |           resource            |
 *   +---------------+---------------+---------------+---------------+
 * @see linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h, nf_tables.h
 */
import { concatBytes } from "../../units/bytes.ts";
import { attribute, readAttributes } from "./attributes.ts";
import {
  CTA_MARK,
  CTA_MARK_MASK,
  CTA_PROTOINFO,
  CTA_PROTOINFO_TCP,
  CTA_PROTOINFO_TCP_STATE,
  CTA_STATUS,
  IPS_SEEN_REPLY,
  NFTA_GEN_ID,
} from "./constants.ts";

const HEADER_BYTES = 4;
/** TCP_CONNTRACK_ESTABLISHED, FIN_WAIT and CLOSE_WAIT of linux/netfilter/nf_conntrack_tcp.h. */
const TCP_OPEN_FIRST = 3;
const TCP_OPEN_LAST = 5;

export interface TrackedConnection {
  readonly mark: number;
  readonly isOpen: boolean;
}

/** Of all families. */
export function encodeNetfilterHeader(): Uint8Array {
  return new Uint8Array(HEADER_BYTES);
}

/** For IPCTNL_MSG_CT_GET as a dump, and for IPCTNL_MSG_CT_DELETE: connections whose mark is `mark` in the bits of `mask`. */
export function encodeMarkFilter(mark: number, mask: number): Uint8Array {
  return concatBytes([
    encodeNetfilterHeader(),
    attribute(CTA_MARK, bigEndian(mark)),
    attribute(CTA_MARK_MASK, bigEndian(mask)),
  ]);
}

/** What IPCTNL_MSG_CT_NEW, the answer to a dump, tells. */
export function decodeTracked(payload: Uint8Array): TrackedConnection | undefined {
  const attributes = readAttributes(payload, HEADER_BYTES);
  const mark = valueBigEndian(attributes.get(CTA_MARK));
  if (mark === undefined) return undefined;
  const tcp = readAttributes(
    readAttributes(attributes.get(CTA_PROTOINFO) ?? EMPTY).get(CTA_PROTOINFO_TCP) ?? EMPTY,
  ).get(CTA_PROTOINFO_TCP_STATE)?.[0];
  if (tcp !== undefined) return { mark, isOpen: tcp >= TCP_OPEN_FIRST && tcp <= TCP_OPEN_LAST };
  return { mark, isOpen: ((valueBigEndian(attributes.get(CTA_STATUS)) ?? 0) & IPS_SEEN_REPLY) !== 0 };
}

/** The number in NFT_MSG_NEWGEN. */
export function decodeGeneration(payload: Uint8Array): number | undefined {
  return valueBigEndian(readAttributes(payload, HEADER_BYTES).get(NFTA_GEN_ID));
}

const EMPTY = new Uint8Array(0);

function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function valueBigEndian(value: Uint8Array | undefined): number | undefined {
  if (value === undefined || value.length < 4) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = value;
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
