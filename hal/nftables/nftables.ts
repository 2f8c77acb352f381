/** The packet filter of the network namespace of the calling thread: the program nft, and netlink for what must be quick. */
import type { MarkedConnections, Nftables } from "../contract/nftables.ts";
import { HalError } from "../contract/error.ts";
import {
  decodeGeneration,
  decodeTracked,
  encodeMarkFilter,
  encodeNetfilterHeader,
} from "../netlink/codec/conntrack.ts";
import { MESSAGES, NETLINK_NETFILTER } from "../netlink/codec/constants.ts";
import { openRequests, type Requests } from "../netlink/requests.ts";
import { runNft } from "./run-nft.ts";

/** Opens its socket when it is first needed: a kernel without a packet filter has none. Keeps the process alive from then on. */
export function openNftables(): Nftables {
  let requests: Requests | undefined;
  const channel = () => (requests ??= openRequests(NETLINK_NETFILTER)).channel;
  return {
    apply: async (document) => {
      await runNft(["-f", "-"], document);
    },
    generation: async () => {
      const answers = await channel().request("NFT_MSG_GETGEN", encodeNetfilterHeader());
      for (const { type, payload } of answers) {
        const generation = type === MESSAGES.NFT_MSG_NEWGEN ? decodeGeneration(payload) : undefined;
        if (generation !== undefined) return generation;
      }
      throw new HalError("ENODATA", "NFT_MSG_GETGEN", "the kernel answered without a generation");
    },
    table: async (name) => {
      try {
        // Stateless and terse: neither counters nor the elements of sets that packets fill.
        return await runNft(["-s", "-t", "list", "table", "inet", name]);
      } catch (error) {
        if (error instanceof HalError && error.code === "ENOENT") return undefined;
        throw error;
      }
    },
    marked: async (mark, mask) => {
      const found = new Map<number, MarkedConnections>();
      for (const { type, payload } of await channel().dump("IPCTNL_MSG_CT_GET", encodeMarkFilter(mark, mask))) {
        const one = type === MESSAGES.IPCTNL_MSG_CT_NEW ? decodeTracked(payload) : undefined;
        if (one === undefined) continue;
        const { all, open } = found.get(one.mark) ?? { all: 0, open: 0 };
        found.set(one.mark, { all: all + 1, open: open + (one.isOpen ? 1 : 0) });
      }
      return found;
    },
    forget: async (mark, mask) => {
      await channel().request("IPCTNL_MSG_CT_DELETE", encodeMarkFilter(mark, mask));
    },
    close: () => {
      requests?.close();
      requests = undefined;
    },
  };
}
