/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Sizes and numbers that the BPF programs share with hal/xdp/layout.ts; a test holds the two equal. */
#ifndef FUTAGO_CONSTS_H
#define FUTAGO_CONSTS_H

#define GROUPS_MAX 16
#define VIPS_MAX 1024
#define OWN_MAX 1024
#define PORTS_MAX 256

/* Defaults; the loader may set the size of the maps that depend on them. */
#define SERVICES_MAX 256
#define ESTABLISHED_MAX 131072
#define HALF_OPEN_MAX 16384

/* Hosts that are remembered between two readings; the longest unseen gives way. */
#define STALE_MAX 256

/* A backend's number is the service's index times this, plus its ordinal in the service. */
#define SERVICE_BACKENDS_MAX 128
#define BACKENDS_MAX (SERVICES_MAX * SERVICE_BACKENDS_MAX)
#define REVERSE_MAX (2 * BACKENDS_MAX)

/*
 * The smallest prime of at least 100 slots for each of 100 backends, the ratio that the Maglev paper asks for. A ring
 * takes 20,016 bytes, so 1,000 services take 20 MB.
 */
#define RING_SIZE 10007
#define RING_EMPTY 0xffff

/* Bits of a group. */
#define GROUP_ANSWER 1
#define GROUP_FORWARD 2

/* The slot of futago_slots that holds the balancer. */
#define SLOT_BALANCER 0

/* A SYN this soon after the backend's answer is the same client trying again (tcp(7), tcp_syn_retries). */
#define SYN_RETRIED_NS 10000000000ULL

/* An established flow's time is written again when it is older than this. */
#define SEEN_STEP_NS 1000000000ULL

/*
 * What the balancer writes in front of a packet that it rewrote and leaves to the kernel; the gate turns it into
 * the packet's mark, by which the firewall knows it.
 */
#define META_REWRITTEN 0x46555441
#define MARK_REWRITTEN 0xf07a60

/* Reasons of the gate: something to do with a VIP that was dropped. */
enum gate_counter {
	/* No lease, a lapsed one, or one without any bit. */
	GATE_IN_ARP_LAPSED,
	GATE_IN_SOLICITATION_LAPSED,
	GATE_IN_NEW_FLOW_LAPSED,
	GATE_IN_PACKET_LAPSED,
	GATE_OUT_ARP_LAPSED,
	GATE_OUT_ADVERTISEMENT_LAPSED,
	GATE_OUT_PACKET_LAPSED,
	/* The lease holds but the bit that this needs is not set. */
	GATE_IN_ARP_WITHHELD,
	GATE_IN_SOLICITATION_WITHHELD,
	GATE_IN_NEW_FLOW_WITHHELD,
	GATE_IN_PACKET_WITHHELD,
	GATE_OUT_ARP_WITHHELD,
	GATE_OUT_ADVERTISEMENT_WITHHELD,
	GATE_OUT_PACKET_WITHHELD,
	GATE_COUNTERS,
};

/* Each *_LAPSED reason is followed by its *_WITHHELD one at this distance. */
#define GATE_WITHHELD GATE_IN_ARP_WITHHELD

/* Reasons of the balancer, for packets that it looked at and neither transmitted nor took for somebody else's. */
enum balancer_counter {
	/* To a VIP, left to the kernel and the gate. */
	PASS_VIP_CLOSED,
	PASS_NEW_FLOW_CLOSED,
	PASS_NO_SERVICE,
	PASS_VIP_UNREAD,
	/* From a backend to the box itself. */
	PASS_OWN,
	/* Rewritten and left to the kernel. */
	PASS_NO_NEIGHBOUR,
	PASS_NO_PORT,
	/* To a service. */
	DROP_FRAGMENT,
	DROP_NO_BACKEND,
	DROP_DEAD_BACKEND,
	/* From a backend. */
	DROP_REPLY_CLOSED,
	DROP_REPLY_FRAGMENT,
	DROP_REPLY_TRUNCATED,
	/* Either way. */
	DROP_TTL,
	DROP_TOO_BIG,
	DROP_NO_ROUTE,
	/* The flow went on, but its table took no entry. */
	TABLE_REFUSED,
	BALANCER_COUNTERS,
};

#endif
