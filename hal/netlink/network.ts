/** The kernel's links, addresses, routes and neighbours over rtnetlink(7), in the network namespace of the calling thread. */
import { refused } from "../addon/refused.ts";
import { HalError } from "../contract/error.ts";
import type { Network, NetworkEvent, RouteEntry, Subscription } from "../contract/network.ts";
import type { Ifindex, IpAddress } from "../units/address.ts";
import { calls } from "./calls.ts";
import { decodeAddress, encodeAddress, encodeAddressFilter } from "./codec/address.ts";
import { decodeConnection, encodeConnection, encodeConnectionFilter, socketFamilies } from "./codec/connection.ts";
import {
  type MessageName,
  MESSAGES,
  NETLINK_GENERIC,
  NETLINK_SOCK_DIAG,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RTNLGRP_LISTENED,
} from "./codec/constants.ts";
import { decodeFamilyNumber, decodeLinkSpeed, encodeFamilyName, encodeLinkModesFilter } from "./codec/ethtool.ts";
import { decodeEvents } from "./codec/event.ts";
import {
  decodeLink,
  encodeLinkFilter,
  encodeLinkIndex,
  encodeLinkName,
  encodeLinkUp,
  encodeMacvlan,
} from "./codec/link.ts";
import type { Message } from "./codec/message.ts";
import { decodeNeighbour, encodeManagedNeighbour, encodeNeighbour, encodeNeighbourFilter } from "./codec/neighbour.ts";
import { decodeRoutes, encodeRoute, encodeRouteDeletion, encodeRouteFilter } from "./codec/route.ts";
import { decodeStatistics, encodeStatisticsFilter } from "./codec/statistics.ts";
import type { RequestChannel } from "./request-channel.ts";
import { openRequests } from "./requests.ts";

/** A few tens of thousands of events before an overrun. */
const EVENT_BUFFER_BYTES = 8 << 20;

/** What the kernel answers when the thing to delete is not there, or went with its link. */
const ALREADY_GONE: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "ENODEV", "ENOENT", "ESRCH"]);

export interface NetworkOptions {
  /** Size of the event socket's receive buffer in the kernel. */
  readonly eventBufferBytes?: number;
}

/** Throws HalError when the kernel gives no netlink socket. Keeps the process alive until it is closed. */
export function openNetwork(options: NetworkOptions = {}): Network {
  const listeners = new Set<(event: NetworkEvent) => void>();
  const requests = openRequests();
  const events = openEvents(options.eventBufferBytes ?? EVENT_BUFFER_BYTES, listeners);
  const sockets = openRequests(NETLINK_SOCK_DIAG);
  const generic = openRequests(NETLINK_GENERIC);
  const { channel } = requests;
  return {
    ...lists(channel),
    ...changes(channel),
    speeds: linkSpeeds(generic.channel),
    endConnections: (local) => endConnections(sockets.channel, local),
    subscribe: (listener) => subscribe(listeners, listener, events.join),
    close: () => {
      listeners.clear();
      requests.close();
      sockets.close();
      generic.close();
      events.close();
    },
  };
}

/** The socket is opened at once, so that it is in the right namespace, and joins its groups with the first listener. */
function openEvents(bufferBytes: number, listeners: ReadonlySet<(event: NetworkEvent) => void>) {
  let joined = false;
  const tell = (event: NetworkEvent) => {
    for (const listener of listeners) listener(event);
  };
  const handle = refused(() =>
    calls.netlinkOpen(bufferBytes, (bytes) => {
      // Whatever the error was, events may be lost with it.
      if (bytes === undefined) tell({ kind: "overrun" });
      else for (const event of decodeEvents(bytes)) tell(event);
    }),
  );
  return {
    join: () => {
      if (joined) return;
      for (const group of RTNLGRP_LISTENED) refused(() => calls.netlinkJoin(handle, group));
      joined = true;
    },
    close: () => calls.socketClose(handle),
  };
}

function subscribe(
  listeners: Set<(event: NetworkEvent) => void>,
  listener: (event: NetworkEvent) => void,
  join: () => void,
): Subscription {
  join();
  // A function of its own, so that one listener may subscribe twice.
  const entry = (event: NetworkEvent) => listener(event);
  listeners.add(entry);
  return { close: () => void listeners.delete(entry) };
}

type Lists = Pick<Network, "links" | "addresses" | "routes" | "neighbours" | "statistics">;

function lists(channel: RequestChannel): Lists {
  const dump = async <T>(
    get: MessageName,
    entry: MessageName,
    filter: Uint8Array,
    decode: (payload: Uint8Array) => T | undefined,
  ): Promise<readonly T[]> => {
    const messages = await channel.dump(get, filter);
    return messages
      .filter((message) => message.type === MESSAGES[entry])
      .map((message) => decode(message.payload))
      .filter((value) => value !== undefined);
  };
  const routesOf = async (name: RouteEntry["family"]) => {
    const list = dump("RTM_GETROUTE", "RTM_NEWROUTE", encodeRouteFilter(name), decodeRoutes);
    // A namespace without a single route has no main table yet, and one without IPv6 has no routes of it.
    return (await unless(new Set(["ENOENT", "EAFNOSUPPORT", "ENOTSUP"]), list, [])).flat();
  };
  return {
    links: () => dump("RTM_GETLINK", "RTM_NEWLINK", encodeLinkFilter(), decodeLink),
    addresses: () => dump("RTM_GETADDR", "RTM_NEWADDR", encodeAddressFilter(), decodeAddress),
    routes: async () => [...(await routesOf("ipv4")), ...(await routesOf("ipv6"))],
    neighbours: () => dump("RTM_GETNEIGH", "RTM_NEWNEIGH", encodeNeighbourFilter(), decodeNeighbour),
    statistics: () => dump("RTM_GETSTATS", "RTM_NEWSTATS", encodeStatisticsFilter(), decodeStatistics),
  };
}

/** A kernel without ethtool over netlink (before Linux 5.6) tells no speed. */
function linkSpeeds(channel: RequestChannel): Network["speeds"] {
  let family: Promise<number | undefined> | undefined;
  return async () => {
    family ??= familyNumber(channel, "ethtool");
    const number = await family;
    if (number === undefined) return new Map();
    const messages = await channel.dump("ETHTOOL_MSG_LINKMODES_GET", encodeLinkModesFilter(), number);
    const speeds = messages.filter(({ type }) => type === number).map(({ payload }) => decodeLinkSpeed(payload));
    return new Map(speeds.filter((one) => one !== undefined).map(({ ifindex, megabits }) => [ifindex, megabits]));
  };
}

async function familyNumber(channel: RequestChannel, name: string): Promise<number | undefined> {
  const asked = channel.request("CTRL_CMD_GETFAMILY", encodeFamilyName(name));
  const [answer] = await unless(new Set(["ENOENT"]), asked, []);
  return answer === undefined ? undefined : decodeFamilyNumber(answer.payload);
}

type Changes = Omit<Network, keyof Lists | "speeds" | "endConnections" | "subscribe" | "close">;

function changes(channel: RequestChannel): Changes {
  const ask = async (name: MessageName, payload: Uint8Array, flags = 0) => {
    await channel.request(name, payload, flags);
  };
  const remove = (name: MessageName, payload: Uint8Array) => unless(ALREADY_GONE, ask(name, payload), undefined);
  const put = (name: MessageName, payload: Uint8Array) => ask(name, payload, NLM_F_CREATE | NLM_F_REPLACE);
  let managedProven = false;
  return {
    setLinkUp: (ifindex, up) => ask("RTM_NEWLINK", encodeLinkUp(ifindex, up)),
    renameLink: (ifindex, ifname) => ask("RTM_NEWLINK", encodeLinkName(ifindex, ifname)),
    addMacvlan: (lower, ifname, mac) =>
      ask("RTM_NEWLINK", encodeMacvlan(lower, ifname, mac), NLM_F_CREATE | NLM_F_EXCL),
    deleteLink: (ifindex) => ask("RTM_DELLINK", encodeLinkIndex(ifindex)),
    addAddress: (ifindex, address, options) => put("RTM_NEWADDR", encodeAddress(ifindex, address, options)),
    deleteAddress: (ifindex, address) => remove("RTM_DELADDR", encodeAddress(ifindex, address)),
    replaceRoute: (route) => put("RTM_NEWROUTE", encodeRoute(route)),
    deleteRoute: (route) => remove("RTM_DELROUTE", encodeRouteDeletion(route)),
    addManagedNeighbour: async (ifindex, address) => {
      await put("RTM_NEWNEIGH", encodeManagedNeighbour(ifindex, address));
      // Linux before 5.16 takes the request, ignores the flag and makes an entry that means nothing.
      managedProven ||= await isManaged(channel, ifindex, address);
      if (managedProven) return;
      await remove("RTM_DELNEIGH", encodeNeighbour(ifindex, address));
      throw new HalError("ENOTSUP", "RTM_NEWNEIGH", "this kernel has no managed neighbours (Linux 5.16)");
    },
    deleteNeighbour: (ifindex, address) => remove("RTM_DELNEIGH", encodeNeighbour(ifindex, address)),
  };
}

async function isManaged(channel: RequestChannel, ifindex: Ifindex, address: IpAddress): Promise<boolean> {
  const answers: readonly Message[] = await channel.request("RTM_GETNEIGH", encodeNeighbour(ifindex, address));
  return answers.some((message) => decodeNeighbour(message.payload)?.managed === true);
}

async function endConnections(channel: RequestChannel, local: IpAddress): Promise<number> {
  let ended = 0;
  for (const sockets of socketFamilies(local)) {
    const messages = await channel.dump("SOCK_DIAG_BY_FAMILY", encodeConnectionFilter(sockets, local));
    const found = messages
      .filter((message) => message.type === MESSAGES.SOCK_DIAG_BY_FAMILY)
      .map((message) => decodeConnection(message.payload))
      .filter((connection) => connection !== undefined);
    const ends = found.map((each) => channel.request("SOCK_DESTROY", encodeConnection(each)).then(() => 1));
    // One that ended by itself meanwhile is as good as ended.
    const counts = await Promise.all(ends.map((end) => unless(ALREADY_GONE, end, 0)));
    ended += counts.reduce((sum, count) => sum + count, 0);
  }
  return ended;
}

/** `otherwise` where the kernel refuses with one of the codes. */
async function unless<T>(codes: ReadonlySet<string>, result: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof HalError && codes.has(error.code)) return otherwise;
    throw error;
  }
}
