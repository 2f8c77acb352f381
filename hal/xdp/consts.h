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
#define UDP_FLOWS_MAX 65536
#define FRAGMENTS_MAX 4096
#define CLIENT_HOPS_MAX 65536
#define SOURCES_MAX 65536
#define ACCESS_MAX 16384
#define EVENTS_BYTES (1 << 20)
#define REFUSALS_BYTES (1 << 14)

/* Hosts that are remembered between two readings; the longest unseen gives way. */
#define STALE_MAX 256

/* Of a captured frame so many bytes at most; the ends of services that one capture can name; records not yet read. */
#define CAPTURE_BYTES_MAX 256
#define CAPTURE_ENDPOINTS_MAX 64
#define CAPTURE_RECORDS_BYTES (1 << 20)

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

/* The slots of futago_slots: the balancer, what it leaves to a second program, and what hands captured packets over. */
#define SLOT_BALANCER 0
#define SLOT_ODDITIES 1
#define SLOT_CAPTURE 2
#define SLOT_FRAGMENTS 3
#define SLOTS 4

/* What a service does to a packet. */
enum service_mode {
	/* The destination becomes the backend's; the box is the backends' gateway. */
	MODE_NAT,
	/* The source becomes the VIP's, too: the backend answers to the VIP wherever its gateway is. */
	MODE_ONE_ARM,
	/* Only the Ethernet addresses change; the backend answers to the client by itself. */
	MODE_DIRECT,
	MODES,
};

/* Flags of a service. */
#define SERVICE_BY_SOURCE 1
/* Some of access_lists is for this service; and what no entry names is denied. */
#define SERVICE_LISTED 2
#define SERVICE_LISTED_ONLY 4

/* How a backend stands. */
enum backend_state {
	BACKEND_DEAD,
	BACKEND_ALIVE,
	/* Keeps its flows and takes no new ones: no ring names it. */
	BACKEND_DRAINING,
};

/* Ports of a VIP that `one-arm` speaks from; the kernel and source NAT keep those above (ip_local_port_range). */
#define ONE_ARM_PORT_MIN 1024
#define ONE_ARM_PORT_MAX 31999
/* Ports that are tried for one flow, the first of them near the one whose turn it is. */
#define ONE_ARM_TRIES 12
#define ONE_ARM_NEAR_TRIES 4
#define ONE_ARM_NEAR 512
/* The turn goes on by a port so often, round all of them in 62 seconds: so long a backend may remember one (TIME_WAIT). */
#define ONE_ARM_STEP_NS 2000000

/* What a processor remembers of next hops and services is looked up anew after this long, whatever the tables say. */
#define MEMORY_LASTS_NS 1000000000ULL

/* Services and backends that a processor remembers; powers of two. */
#define KNOWN_SERVICES 256
#define KNOWN_BACKENDS 1024

/* Flags of a flow. */
#define FLOW_REOPENED 1
#define FLOW_CLIENT_FIN 2
#define FLOW_BACKEND_FIN 4
#define FLOW_RESET 8
/* Told by the peer, no packet seen here yet. */
#define FLOW_TOLD 16
/* Half-open only: the backend answered, `expected_ack` is its. */
#define FLOW_ANSWERED 32
/* Both ends have finished, and it is open no more for those that count. */
#define FLOW_CLOSED 64

/* Kinds of flow_event. */
#define EVENT_ESTABLISHED 1
#define EVENT_ENDED 2

/* Kinds of refusal. */
#define REFUSAL_RESET 1
#define REFUSAL_UNREACHABLE 2

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

/* An errand of the second program that is no counter: see what the packet is. */
#define ERRAND_ODD 0xffff

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
	/* The same, to be fragmented there: too big, and its sender allows it. */
	PASS_TOO_BIG,
	/* To a service. */
	DROP_FRAGMENT,
	DROP_NO_BACKEND,
	DROP_DEAD_BACKEND,
	DROP_BACKEND_FULL,
	DROP_SERVICE_FULL,
	DROP_CLIENT_FULL,
	DROP_DENIED,
	DROP_SOURCE_LIMIT,
	/* `one-arm`: no entry and no SYN; no free port of the VIP. */
	DROP_NO_FLOW,
	DROP_NO_FREE_PORT,
	/* From a backend. */
	DROP_REPLY_CLOSED,
	DROP_REPLY_FRAGMENT,
	DROP_REPLY_TRUNCATED,
	/* Either way. */
	DROP_MALFORMED,
	DROP_ICMP_UNKNOWN,
	DROP_TTL,
	DROP_TOO_BIG,
	DROP_NO_ROUTE,
	/* Answers that the balancer made itself. */
	SENT_RESET,
	SENT_TOO_BIG,
	SENT_TIME_EXCEEDED,
	/* ICMP errors that went on, translated. */
	FORWARDED_ICMP,
	/* The flow went on, but its table took no entry. */
	TABLE_REFUSED,
	/* The ring buffer of flow events was full: the peer's table lacks it until the next resynchronisation. */
	EVENT_LOST,
	BALANCER_COUNTERS,
};

#endif
