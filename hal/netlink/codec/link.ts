/** Links: struct ifinfomsg and its attributes. @see rtnetlink(7), linux/if_link.h */
import type { Link, Operstate } from "../../contract/network.ts";
import { type Ifindex, type Ifname, type Mac, macBytes, macFromBytes, parseIfname } from "../../units/address.ts";
import { concatBytes } from "../../units/bytes.ts";
import {
  type Attributes,
  attribute,
  attributeText,
  attributeU32,
  readAttributes,
  readU32,
  valueText,
  valueU8,
  valueU32,
  writeU32,
} from "./attributes.ts";
import {
  AF_UNSPEC,
  IFF_LOWER_UP,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_CARRIER,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINK,
  IFLA_LINKINFO,
  IFLA_MACVLAN_MODE,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_OPERSTATE,
  MACVLAN_MODE_BRIDGE,
} from "./constants.ts";

/** Family, padding, type, index, flags, mask of the flags to change. */
const IFINFOMSG_BYTES = 16;
/** IF_OPER_* of linux/if.h, in their order. */
const OPERSTATES: readonly Operstate[] = [
  "unknown",
  "notpresent",
  "down",
  "lowerlayerdown",
  "testing",
  "dormant",
  "up",
];

/**
 * The link that RTM_NEWLINK or RTM_DELLINK describes; undefined for anything else. Bridges tell of their ports with
 * the same types under AF_BRIDGE: an RTM_DELLINK there means that a port left the bridge, not that the link is gone.
 */
export function decodeLink(payload: Uint8Array): Link | undefined {
  if (payload.length < IFINFOMSG_BYTES || payload[0] !== AF_UNSPEC) return undefined;
  const flags = readU32(payload, 8);
  const attributes = readAttributes(payload, IFINFOMSG_BYTES);
  const ifindex = readIfindex(payload, 4);
  const ifname = parseIfname(valueText(attributes.get(IFLA_IFNAME)) ?? "");
  if (ifindex === undefined || ifname === undefined) return undefined;
  const carrier = valueU8(attributes.get(IFLA_CARRIER));
  return {
    ifindex,
    ifname,
    mac: macFromBytes(attributes.get(IFLA_ADDRESS) ?? new Uint8Array()),
    mtu: valueU32(attributes.get(IFLA_MTU)) ?? 0,
    up: (flags & IFF_UP) !== 0,
    carrier: carrier === undefined ? (flags & IFF_LOWER_UP) !== 0 : carrier === 1,
    operstate: OPERSTATES[valueU8(attributes.get(IFLA_OPERSTATE)) ?? 0] ?? "unknown",
    kind: kindOf(attributes),
    upper: ifindexOf(valueU32(attributes.get(IFLA_MASTER))),
  };
}

/** What RTM_GETLINK wants to list every link. */
export function encodeLinkFilter(): Uint8Array {
  return new Uint8Array(IFINFOMSG_BYTES);
}

export function encodeLinkUp(ifindex: Ifindex, up: boolean): Uint8Array {
  const payload = encodeLinkIndex(ifindex);
  writeU32(payload, 8, up ? IFF_UP : 0);
  writeU32(payload, 12, IFF_UP);
  return payload;
}

export function encodeLinkIndex(ifindex: Ifindex): Uint8Array {
  const payload = new Uint8Array(IFINFOMSG_BYTES);
  writeU32(payload, 4, ifindex);
  return payload;
}

export function encodeLinkName(ifindex: Ifindex, ifname: Ifname): Uint8Array {
  return concatBytes([encodeLinkIndex(ifindex), attributeText(IFLA_IFNAME, ifname)]);
}

/** A macvlan in bridge mode: two of them on one lower link reach each other. */
export function encodeMacvlan(lower: Ifindex, ifname: Ifname, mac: Mac): Uint8Array {
  const mode = attribute(IFLA_INFO_DATA, attributeU32(IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE));
  return concatBytes([
    new Uint8Array(IFINFOMSG_BYTES),
    attributeText(IFLA_IFNAME, ifname),
    attribute(IFLA_ADDRESS, macBytes(mac)),
    attributeU32(IFLA_LINK, lower),
    attribute(IFLA_LINKINFO, concatBytes([attributeText(IFLA_INFO_KIND, "macvlan"), mode])),
  ]);
}

/** The interface index at an offset; undefined when it is not positive. */
export function readIfindex(payload: Uint8Array, at: number): Ifindex | undefined {
  return ifindexOf(readU32(payload, at));
}

/** A checked interface index: the kernel's are positive ints. */
export function ifindexOf(value: number | undefined): Ifindex | undefined {
  return value === undefined || value < 1 || value > 0x7fffffff ? undefined : (value as Ifindex);
}

function kindOf(attributes: Attributes): string | undefined {
  const info = attributes.get(IFLA_LINKINFO);
  return info === undefined ? undefined : valueText(readAttributes(info).get(IFLA_INFO_KIND));
}
