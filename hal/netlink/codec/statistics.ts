/**
 * What links carried: struct if_stats_msg, and struct rtnl_link_stats64 in its attribute.
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   |    family     |       0       |               0               |
 *   +---------------+---------------+-------------------------------+
 *   |                            ifindex                            |
 *   +---------------------------------------------------------------+
 *   |              which statistics are wanted, a bit each          |
 *   +---------------------------------------------------------------+
 * @see linux/if_link.h
 */
import type { LinkStatistics } from "../../contract/network.ts";
import { readAttributes, readU64, writeU32 } from "./attributes.ts";
import { IFLA_STATS_LINK_64 } from "./constants.ts";
import { readIfindex } from "./link.ts";

const IF_STATS_MSG_BYTES = 12;
/** Where each number stands in struct rtnl_link_stats64, which grew since, at its end. */
const RX_PACKETS = 0;
const TX_PACKETS = 8;
const RX_BYTES = 16;
const TX_BYTES = 24;
const TROUBLES = {
  rxErrors: 32,
  txErrors: 40,
  rxDropped: 48,
  txDropped: 56,
  rxMissed: 120,
} as const;
const STATISTICS_BYTES = 128;

/** What RTM_GETSTATS wants to list the counters of every link. */
export function encodeStatisticsFilter(): Uint8Array {
  const payload = new Uint8Array(IF_STATS_MSG_BYTES);
  writeU32(payload, 8, 1 << (IFLA_STATS_LINK_64 - 1));
  return payload;
}

export function decodeStatistics(payload: Uint8Array): LinkStatistics | undefined {
  const ifindex = readIfindex(payload, 4);
  const counters = readAttributes(payload, IF_STATS_MSG_BYTES).get(IFLA_STATS_LINK_64);
  if (ifindex === undefined || counters === undefined || counters.length < STATISTICS_BYTES) return undefined;
  return {
    ifindex,
    receivedPackets: readU64(counters, RX_PACKETS),
    receivedBytes: readU64(counters, RX_BYTES),
    sentPackets: readU64(counters, TX_PACKETS),
    sentBytes: readU64(counters, TX_BYTES),
    troubles: Object.values(TROUBLES).reduce((sum, at) => sum + readU64(counters, at), 0),
  };
}
