/**
 * How the last port is found by somebody who has nothing but a cable: by a fixed address beside DHCP, as a file for
 * systemd-networkd. The address is given up where another host has it (RFC 5227). The other ports' file is in the image.
 */
import type { Ifname } from "@futago/hal/units/address.ts";

export const BARE_ADDRESS = "192.168.127.1/24";

export function lastPortNetwork(port: Ifname): string {
  return `[Match]
Name=${port}

[Link]
RequiredForOnline=no

[Network]
DHCP=yes
LinkLocalAddressing=ipv6
MulticastDNS=yes
LLMNR=no
ConfigureWithoutCarrier=no

[Address]
Address=${BARE_ADDRESS}
DuplicateAddressDetection=ipv4

[DHCPv4]
UseDomains=no
UseHostname=no
UseTimezone=no

[DHCPv6]
UseDomains=no
UseHostname=no
`;
}
