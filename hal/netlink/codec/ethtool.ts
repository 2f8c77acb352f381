/**
 * How fast links are, over generic netlink: a command and a version of one byte each, two bytes of nothing, attributes.
 * @see linux/genetlink.h, linux/ethtool_netlink.h
 */
import type { Ifindex } from "../../units/address.ts";
import { concatBytes } from "../../units/bytes.ts";
import { attribute, attributeText, attributeU32, readAttributes, valueU16, valueU32 } from "./attributes.ts";
import {
  CTRL_ATTR_FAMILY_ID,
  CTRL_ATTR_FAMILY_NAME,
  CTRL_COMMAND_GETFAMILY,
  ETHTOOL_A_HEADER_DEV_INDEX,
  ETHTOOL_A_HEADER_FLAGS,
  ETHTOOL_A_LINKMODES_HEADER,
  ETHTOOL_A_LINKMODES_SPEED,
  ETHTOOL_COMMAND_LINKMODES_GET,
  ETHTOOL_FLAG_COMPACT_BITSETS,
  NLA_F_NESTED,
} from "./constants.ts";
import { ifindexOf } from "./link.ts";

const GENLMSGHDR_BYTES = 4;
const SPEED_UNKNOWN = 0xffff_ffff;

export interface LinkSpeed {
  readonly ifindex: Ifindex;
  readonly megabits: number;
}

/** For CTRL_CMD_GETFAMILY: which number a family has. */
export function encodeFamilyName(name: string): Uint8Array {
  return concatBytes([header(CTRL_COMMAND_GETFAMILY), attributeText(CTRL_ATTR_FAMILY_NAME, name)]);
}

export function decodeFamilyNumber(payload: Uint8Array): number | undefined {
  return valueU16(readAttributes(payload, GENLMSGHDR_BYTES).get(CTRL_ATTR_FAMILY_ID));
}

/** What ETHTOOL_MSG_LINKMODES_GET wants to list every link. */
export function encodeLinkModesFilter(): Uint8Array {
  const flags = attributeU32(ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_COMPACT_BITSETS);
  return concatBytes([
    header(ETHTOOL_COMMAND_LINKMODES_GET),
    attribute(NLA_F_NESTED | ETHTOOL_A_LINKMODES_HEADER, flags),
  ]);
}

/** Undefined where the driver does not know, as without a carrier. */
export function decodeLinkSpeed(payload: Uint8Array): LinkSpeed | undefined {
  const attributes = readAttributes(payload, GENLMSGHDR_BYTES);
  const about = readAttributes(attributes.get(ETHTOOL_A_LINKMODES_HEADER) ?? new Uint8Array());
  const ifindex = ifindexOf(valueU32(about.get(ETHTOOL_A_HEADER_DEV_INDEX)));
  const megabits = valueU32(attributes.get(ETHTOOL_A_LINKMODES_SPEED));
  if (ifindex === undefined || megabits === undefined || megabits === 0 || megabits === SPEED_UNKNOWN) return undefined;
  return { ifindex, megabits };
}

function header(command: number): Uint8Array {
  return Uint8Array.of(command, 1, 0, 0);
}
