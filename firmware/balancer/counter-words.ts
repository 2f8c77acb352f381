/** The balancer's counters in plain words: what became of a packet, and why. */

/** By the name of the counter; each completes "the packet …". */
export const COUNTER_WORDS: Readonly<Record<string, string>> = {
  passVipClosed: "was for a VIP that this box may not answer for now; the gate drops it",
  passNewFlowClosed: "would begin a connection while the group is handed over; the gate drops it",
  passNoService: "was for a VIP, but for no service: left to the box itself",
  passVipUnread: "was for a VIP, with ports that cannot be read: left to the box itself",
  passOwn: "was a backend's to the box itself, such as a health check's answer",
  passNoNeighbour: "was rewritten and left to the kernel, which asks for the next hop's Ethernet address",
  passNoPort: "was rewritten and left to the kernel, since the port it leaves by takes no redirected frames",
  passTooBig: "was rewritten and left to the kernel, which cuts it into fragments that fit the way",
  dropFragment: "was a later fragment whose first one was not seen",
  dropNoBackend: "was for a service none of whose backends can serve",
  dropDeadBackend: "belonged to a connection whose backend died",
  dropBackendFull: "would begin a connection, and the backends have all that they may have",
  dropServiceFull: "would begin a connection, and the service has all that it may have open",
  dropClientFull: "would begin a connection, and its client has all that it may have open",
  dropDenied: "came from a client that the service's lists deny",
  dropSourceLimit: "came from a client that opened more new connections a second than it may",
  dropNoFlow: "belonged to no known connection (one-arm)",
  dropNoFreePort: "would begin a connection, and the VIP has no port left towards the backend (one-arm)",
  dropReplyClosed: "was a backend's reply in the name of a VIP that this box may not answer for now",
  dropReplyFragment: "was a part of a backend's reply whose ports cannot be read",
  dropReplyTruncated: "was a backend's reply, cut before its ports",
  dropMalformed: "contradicted itself",
  dropIcmpUnknown: "was an ICMP error about a connection that nobody knows",
  dropTtl: "had no time to live left",
  dropTooBig: "was too big for the way",
  dropNoRoute: "had no way to go on",
  sentReset: "was answered with a reset, since its backend is dead",
  sentTooBig: "was answered with the size that fits the way",
  sentTimeExceeded: "was answered with the word that its time to live was over",
  forwardedIcmp: "was an ICMP error, and went on translated",
  tableRefused: "went on, but the table of connections took no entry",
  eventLost: "began a connection that the peer will hear of only at the next resynchronisation",
};

/** Whether packets of this counter went nowhere. */
export function isLoss(counter: string): boolean {
  return counter.startsWith("drop");
}
