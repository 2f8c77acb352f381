/** What the kernel's multicast messages mean to a listener. */
import type { NetworkEvent } from "../../contract/network.ts";
import { decodeAddress } from "./address.ts";
import { RTM } from "./constants.ts";
import { decodeLink } from "./link.ts";
import { splitMessages, type Message } from "./message.ts";
import { decodeNeighbour } from "./neighbour.ts";
import { decodeRoutes } from "./route.ts";

/** The events of one or more datagrams, in their order. What is of no interest or malformed gives none. */
export function decodeEvents(bytes: Uint8Array): readonly NetworkEvent[] {
  return splitMessages(bytes).flatMap(eventsOf);
}

function eventsOf(message: Message): readonly NetworkEvent[] {
  const { type, payload } = message;
  if (type === RTM.RTM_NEWLINK || type === RTM.RTM_DELLINK) {
    const link = decodeLink(payload);
    if (link === undefined) return [];
    if (type === RTM.RTM_NEWLINK) return [{ kind: "link", link }];
    return [{ kind: "linkGone", ifindex: link.ifindex, ifname: link.ifname }];
  }
  if (type === RTM.RTM_NEWADDR || type === RTM.RTM_DELADDR) {
    const entry = decodeAddress(payload);
    return entry === undefined ? [] : [{ kind: type === RTM.RTM_NEWADDR ? "address" : "addressGone", entry }];
  }
  if (type === RTM.RTM_NEWROUTE || type === RTM.RTM_DELROUTE) {
    const kind = type === RTM.RTM_NEWROUTE ? "route" : "routeGone";
    return decodeRoutes(payload).map((entry) => ({ kind, entry }));
  }
  if (type === RTM.RTM_NEWNEIGH || type === RTM.RTM_DELNEIGH) {
    const entry = decodeNeighbour(payload);
    return entry === undefined ? [] : [{ kind: type === RTM.RTM_NEWNEIGH ? "neighbour" : "neighbourGone", entry }];
  }
  return [];
}
