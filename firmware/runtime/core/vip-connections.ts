/**
 * Ends the TCP connections that programs of this box accepted at a virtual address which the box does not hold any
 * more. Left alone they outlive the address: a client that waits for an answer waits for ever, and when the address
 * returns, a client that comes by the same port meets a connection that is not its own. Decides nothing about roles.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Network } from "@futago/hal/contract/network.ts";
import { parseInterfaceAddress } from "@futago/hal/units/address.ts";
import type { GroupStatus, SentinelEvent } from "../messages.ts";
import type { Log } from "./log.ts";

/** Within the 100 ms for which a box that has handed over still forwards: the resets get out, what is quick is served. */
const YIELDED_GRACE_MILLIS = 70;

export class VipConnections {
  readonly #network: Pick<Network, "endConnections">;
  readonly #log: Log;
  readonly #yielded = new Map<string, NodeJS.Timeout>();
  #groups: ReadonlyMap<string, GroupStatus> = new Map();

  constructor(network: Pick<Network, "endConnections">, log: Log) {
    this.#network = network;
    this.#log = log;
  }

  /** As the sentinel sees them now. A group that is new here may have left connections before this program started. */
  setGroups(groups: readonly GroupStatus[]): void {
    const before = this.#groups;
    this.#groups = new Map(groups.map((group) => [group.name, group]));
    for (const group of groups) {
      const last = before.get(group.name);
      if (group.state !== "active" && (last === undefined || last.state === "active")) void this.#end(group);
    }
  }

  onEvent({ event, group }: Pick<SentinelEvent, "event" | "group">): void {
    if (group === undefined) return;
    if (event === "yielded" || event === "resumed" || event === "role") clearTimeout(this.#yielded.get(group));
    const status = this.#groups.get(group);
    if (event !== "yielded" || status === undefined) return;
    this.#yielded.set(
      group,
      setTimeout(() => void this.#end(status), YIELDED_GRACE_MILLIS),
    );
  }

  close(): void {
    for (const timer of this.#yielded.values()) clearTimeout(timer);
  }

  async #end({ name, addresses }: GroupStatus): Promise<void> {
    const vips = addresses.map(parseInterfaceAddress).filter((vip) => vip !== undefined);
    try {
      const counts = await Promise.all(vips.map((vip) => this.#network.endConnections(vip.address)));
      const ended = counts.reduce((sum, count) => sum + count, 0);
      if (ended > 0) this.#log.info("connections-ended", { group: name, ended });
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      // They end by their own timeouts then; the roles are none the worse for it.
      this.#log.warn("connections-not-ended", { group: name, error: error.message });
    }
  }
}
