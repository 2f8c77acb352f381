/** Neighbours (ARP and ND entries): struct ndmsg and its attributes. @see rtnetlink(7), linux/neighbour.h */
import type { NeighbourEntry } from "../../contract/network.ts";
import { addressBytes, family, type Ifindex, type IpAddress, macFromBytes } from "../../units/address.ts";
import { concatBytes } from "../../units/bytes.ts";
import { familyNumber, readAddress } from "./address.ts";
import { attribute, attributeU32, readAttributes, readU16, valueU32, writeU32 } from "./attributes.ts";
import { NDA_DST, NDA_FLAGS_EXT, NDA_LLADDR, NTF_EXT_MANAGED } from "./constants.ts";
import { readIfindex } from "./link.ts";

/** Family, padding, index, state, flags, type. */
const NDMSG_BYTES = 12;

/** The neighbour that RTM_NEWNEIGH or RTM_DELNEIGH describes; undefined for anything else, such as a bridge's forwarding entry. */
export function decodeNeighbour(payload: Uint8Array): NeighbourEntry | undefined {
  if (payload.length < NDMSG_BYTES) return undefined;
  const attributes = readAttributes(payload, NDMSG_BYTES);
  const address = readAddress(attributes.get(NDA_DST), payload[0]);
  const ifindex = readIfindex(payload, 4);
  if (address === undefined || ifindex === undefined) return undefined;
  return {
    ifindex,
    address,
    mac: macFromBytes(attributes.get(NDA_LLADDR) ?? new Uint8Array()),
    state: readU16(payload, 8),
    managed: ((valueU32(attributes.get(NDA_FLAGS_EXT)) ?? 0) & NTF_EXT_MANAGED) !== 0,
  };
}

/** What RTM_GETNEIGH wants to list every neighbour. */
export function encodeNeighbourFilter(): Uint8Array {
  return new Uint8Array(NDMSG_BYTES);
}

/** One neighbour, for RTM_GETNEIGH and RTM_DELNEIGH. */
export function encodeNeighbour(ifindex: Ifindex, address: IpAddress): Uint8Array {
  const header = new Uint8Array(NDMSG_BYTES);
  header[0] = familyNumber(family(address));
  writeU32(header, 4, ifindex);
  return concatBytes([header, attribute(NDA_DST, addressBytes(address))]);
}

/** For RTM_NEWNEIGH: no state of our own (NUD_NONE), so the kernel resolves at once and keeps it resolved. */
export function encodeManagedNeighbour(ifindex: Ifindex, address: IpAddress): Uint8Array {
  return concatBytes([encodeNeighbour(ifindex, address), attributeU32(NDA_FLAGS_EXT, NTF_EXT_MANAGED)]);
}
