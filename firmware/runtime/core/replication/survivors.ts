/** Of how many connections how many would survive a fail-over now. Pure. */
import { viewOf } from "@futago/hal/units/flow-record.ts";
import type { ServiceEntry } from "@futago/hal/units/balancer.ts";
import { AddressSet } from "../../../replication/address-set.ts";
import { wideAddresses } from "./directory-of.ts";

export interface Connections {
  /** In this box's table. */
  readonly established: number;
  /** Of these in the peer's, too; null where this box does not serve, or has no peer to tell. */
  readonly replicated: number | null;
}

/**
 * Of these services together. `open` is by the service's index, as is `replicated`, which is undefined on a box alone;
 * `own` are the virtual addresses that this box holds, 16 bytes each.
 */
export function connectionsOf(
  services: readonly Pick<ServiceEntry, "address" | "index" | "protocol">[],
  open: ReadonlyMap<number, number>,
  replicated: ReadonlyMap<number, number> | undefined,
  own: Uint8Array,
): Connections {
  const held = new AddressSet(own);
  const tcp = services.filter(({ protocol }) => protocol === "tcp");
  const served = tcp.filter(({ address }) => held.has(viewOf(wideAddresses([address])), 0));
  const established = sum(tcp.map(({ index }) => open.get(index) ?? 0));
  if (replicated === undefined || served.length === 0) return { established, replicated: null };
  // What the peer says is older than the count here, or younger: it never has more than there are.
  const survivors = served.map(({ index }) => Math.min(open.get(index) ?? 0, replicated.get(index) ?? 0));
  return { established, replicated: sum(survivors) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((whole, one) => whole + one, 0);
}
