/**
 * Asks whether anybody uses an address, before this box may: what is sent, and what counts as an answer.
 *
 * @see RFC 5227 §2.1.1 (ARP Probe), RFC 4862 §5.4 (duplicate address detection)
 */
import { type IpAddress, isIpv4Address, type Mac } from "@futago/hal/units/address.ts";
import { decodeArp } from "./arp.ts";
import { type Claim, claimIn } from "./conflict.ts";
import { decodeNeighbour } from "./nd.ts";
import { encodeQuestion } from "./question.ts";

const NOBODY = { ipv4: "0.0.0.0" as IpAddress, ipv6: "::" as IpAddress };

export function probeFrames(addresses: readonly IpAddress[], mac: Mac): readonly Uint8Array[] {
  return addresses.map((address) =>
    encodeQuestion({ mac, address: isIpv4Address(address) ? NOBODY.ipv4 : NOBODY.ipv6 }, address),
  );
}

/**
 * Who uses one of the addresses, as a frame that came in tells; undefined when it tells of nobody. Somebody else who probes
 * for one at the same moment wants it as well, and counts.
 */
export function answerIn(frame: Uint8Array, asked: ReadonlySet<IpAddress>, own: Mac): Claim | undefined {
  const packet = decodeArp(frame) ?? decodeNeighbour(frame);
  if (packet === undefined || packet.ethernetSource === own) return undefined;
  const wanted = packet.kind === "arp" ? packet.targetAddress : packet.target;
  const claim = claimIn(packet) ?? { address: wanted, mac: packet.ethernetSource };
  return asked.has(claim.address) ? claim : undefined;
}
