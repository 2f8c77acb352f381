/** Packet sockets of the calling thread's network namespace, packet(7). */
import { refused } from "../addon/refused.ts";
import { HalError } from "../contract/error.ts";
import type { Frames, FrameSocket, FrameSocketOptions } from "../contract/network.ts";
import { addressBytes, type Ifindex, type IpAddress, type Mac, macBytes } from "../units/address.ts";
import { concatBytes } from "../units/bytes.ts";
import { instant } from "../units/time.ts";
import { calls, type Handle } from "./calls.ts";
import { arpFilter, ndFilter, vrrpFilter } from "./filter.ts";

interface Reception {
  readonly filter: Uint8Array;
  readonly ignoreOutgoing: boolean;
  /** Ethernet groups that the port must let in. */
  readonly macs: readonly Mac[];
  /** IP groups whose membership the kernel must report, for switches that snoop. */
  readonly groups: readonly IpAddress[];
}

/** Our own advertisements are of no interest; ARP and ND of other programs of this box may be. */
const RECEPTIONS: Readonly<Record<FrameSocketOptions["receive"], Reception>> = {
  none: { filter: new Uint8Array(), ignoreOutgoing: true, macs: [], groups: [] },
  arp: { filter: arpFilter, ignoreOutgoing: false, macs: [], groups: [] },
  nd: { filter: ndFilter, ignoreOutgoing: false, macs: [], groups: [] },
  vrrp: {
    filter: vrrpFilter,
    ignoreOutgoing: true,
    macs: ["01:00:5e:00:00:12" as Mac, "33:33:00:00:00:12" as Mac],
    groups: ["224.0.0.18" as IpAddress, "ff02::12" as IpAddress],
  },
};

/** The kernel tells of a link that goes down shortly before it may also be gone; this is how long we wait to see. */
const GONE_CHECK_MILLIS = 50;
/** A link without IPv6 refuses the IPv6 group: module absent, switched off for the link, or MTU below 1280. */
const NO_IPV6: ReadonlySet<string> = new Set(["EAFNOSUPPORT", "EINVAL", "EADDRNOTAVAIL", "ENODEV"]);

/**
 * A link that goes down keeps its sockets, which hear again when it is up; sending meanwhile throws ENETDOWN. When the
 * link goes away while it is up, `onError` gets ENODEV; a link that is removed while it is down is known from the
 * Network's `linkGone`.
 */
export function openFrames(): Frames {
  return { open };
}

function open(options: FrameSocketOptions): FrameSocket {
  const { ifindex, receive, onFrame, onError } = options;
  const { filter, ignoreOutgoing, macs, groups } = RECEPTIONS[receive];
  let closed = false;
  const close = () => {
    closed = true;
    calls.socketClose(handle);
  };
  const fail = (code: string, reason: string) => {
    if (closed) return;
    close();
    onError?.(new HalError(code, "recvmmsg(AF_PACKET)", reason));
  };
  const failIfGone = () => {
    if (!closed && !calls.packetAttached(handle)) fail("ENODEV", `link ${ifindex} is gone`);
  };
  const linkGroups = concatBytes(macs.map(macBytes));
  const handle = refused(() =>
    calls.packetOpen(ifindex, filter, ignoreOutgoing, linkGroups, (bytes, code, from, outgoing, at) => {
      if (bytes !== undefined) onFrame?.({ bytes, ifindex: from as Ifindex, outgoing, at: instant(at) });
      else if (code === "ENETDOWN") setTimeout(failIfGone, GONE_CHECK_MILLIS).unref();
      else fail(code ?? "EIO", `link ${ifindex}`);
    }),
  );
  try {
    for (const group of groups) joinGroup(handle, group);
  } catch (error) {
    close();
    throw error;
  }
  return { send: (frame) => refused(() => calls.packetSend(handle, frame)), close };
}

function joinGroup(handle: Handle, group: IpAddress): void {
  const bytes = addressBytes(group);
  try {
    refused(() => calls.packetJoinGroup(handle, bytes));
  } catch (error) {
    // Where there is no IPv6 nobody can send to its group either.
    if (bytes.length !== 16 || !(error instanceof HalError) || !NO_IPV6.has(error.code)) throw error;
  }
}
