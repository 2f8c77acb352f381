/** Where the access room of a core has from what it needs to know of the box. */
import { hostname } from "node:os";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { isLinkLocal } from "@futago/hal/units/address.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { releaseOf } from "../../release.ts";
import type { Configuration } from "../configuration.ts";
import type { Standing } from "../pairing/standing.ts";
import { AccessRoom, type AccessRoomOptions } from "./access-room.ts";

export interface AccessOfCore
  extends Pick<AccessRoomOptions, "hal" | "log" | "isWanted" | "setAlarm" | "onAccess" | "onChange"> {
  readonly configuration: Configuration;
  readonly standing: Standing;
  /** The box's own, as the kernel has them. */
  readonly ownAddresses: () => Iterable<IpAddress>;
}

export function openAccess(options: AccessOfCore): Promise<AccessRoom> {
  const { configuration, standing, ownAddresses } = options;
  const config = () => configuration.inForce?.resolved;
  const nameOf = () => config()?.system.hostname ?? hostname();
  const own = () => [...ownAddresses()].filter((address) => !isLoopback(address) && !isLinkLocal(address));
  return AccessRoom.open({
    ...options,
    settings: configuration,
    box: standing.box ?? "alone",
    // Its keys may be others by now, its day is not.
    joined: standing.pairing?.role === "joiner" ? standing.pairing.since : undefined,
    version: releaseOf(),
    hostname: nameOf,
    ownAddresses: own,
    names: () => ({
      // A box without a configuration is found by multicast DNS (RFC 6762), and its certificate outlasts that.
      hosts: [nameOf(), ...(nameOf().includes(".") ? [] : [`${nameOf()}.local`]), "localhost"],
      addresses: [...new Set([...own(), ...addressesOf(config()), "127.0.0.1", "::1"])],
    }),
  });
}

/** Of both boxes, and those that move between them. */
function addressesOf(config: Resolved | undefined): readonly string[] {
  const interfaces =
    config?.interfaces.flatMap(({ addresses, peerAddresses }) => [...addresses, ...peerAddresses]) ?? [];
  const virtual =
    config?.groups.flatMap(({ virtualRouters }) => virtualRouters.flatMap(({ addresses }) => addresses)) ?? [];
  return [...virtual, ...interfaces].map(({ address }) => address);
}

function isLoopback(address: IpAddress): boolean {
  return address === "::1" || address.startsWith("127.");
}
