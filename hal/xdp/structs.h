/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Keys and values of the maps. Addresses and ports are in network byte order, everything else in the host's. */
#ifndef FUTAGO_STRUCTS_H
#define FUTAGO_STRUCTS_H

#include <linux/types.h>
#include "consts.h"

/* IPv6, or IPv4 as ::ffff:a.b.c.d. Aligned so that it is copied and compared in two steps. */
struct address {
	__be32 words[4];
} __attribute__((aligned(8)));

struct group {
	/* CLOCK_BOOTTIME; 0 is no lease. */
	__u64 lease_until_ns;
	__u32 bits;
	__u32 reserved;
};

/* What the balancer reads with each packet. */
struct state {
	/*
	 * Counted up when a route, a neighbour or a link changed, and behind each change of the VIPs and the services: what
	 * processors remember of them is then old.
	 */
	__u32 generation;
	/* Packets are captured. */
	__u32 capturing;
};

/* A host that sends to this box what is a closed VIP's, and by which port that came. */
struct stale_key {
	struct address vip;
	__u32 ifindex;
	__u8 host[6];
	__u8 zero[6];
};

struct stale {
	__u64 packets;
	/* CLOCK_BOOTTIME. */
	__u64 seen_ns;
	/* The packet's source: behind a router it is not the host's own. */
	struct address source;
	/* The frame's destination: it says something only when it is this port's. */
	__u8 sent_to[6];
	__u8 zero[2];
};

/* A service, or a backend in the reverse map; port 0 there stands for the backend's host. */
struct endpoint {
	struct address address;
	__be16 port;
	__u8 protocol;
	__u8 zero[5];
};

struct service {
	__u32 index;
	/* Mixed into the hash that picks a ring slot, the same on both boxes and unknown to clients. */
	__u32 seed;
	/* enum service_mode */
	__u8 mode;
	__u8 flags;
	__u8 zero[2];
	/* New flows of one client address a second; 0 is no limit. */
	__u32 source_limit;
	/* Open flows at most, in all and of one client address; 0 is no limit. */
	__u32 flows_max;
	__u32 client_flows_max;
} __attribute__((aligned(8)));

/* What a processor looked up last of an endpoint, and the group of the VIP there. */
struct known {
	struct endpoint at;
	/* CLOCK_BOOTTIME; 0 is none. */
	__u64 until_ns;
	/* Of `struct state` when it was looked up. */
	__u32 generation;
	__u32 group;
};

struct known_service {
	struct known known;
	struct service service;
};

struct backend {
	struct address address;
	__be16 port;
	/* enum backend_state */
	__u8 state;
	/* How many bits name its subnet where that is a link of the box, as of 128; 0 where it is not. */
	__u8 subnet_bits;
	/* Open flows at most; 0 is no limit. */
	__u32 flows_max;
};

struct ring {
	/* Ordinals of backends in their service. */
	__u16 ordinals[RING_SIZE + 1];
};

/* What a backend's reply becomes in `nat`. */
struct reverse {
	struct address vip;
	__be16 port;
	__be16 zero;
	__u32 backend;
	__u32 service;
	__u32 zeros;
};

struct known_backend {
	struct known known;
	struct reverse reverse;
};

struct flow_key {
	struct address client;
	struct address vip;
	union {
		struct {
			__be16 client_port;
			__be16 vip_port;
		};
		__be32 ports;
	};
	__u32 protocol;
};

struct flow {
	/* The backend as it was chosen: its number may have gone to another since. */
	struct address address;
	__u32 backend;
	__be16 port;
	/* `one-arm`: the VIP's port towards the backend. */
	__be16 vip_source_port;
	/* Half-open: the acknowledgement that completes the handshake. UDP: CLOCK_BOOTTIME's second when it began. */
	__u32 expected_ack;
	/* FLOW_*; changed by several processors, see `set_flag`. */
	__u32 flags;
	/* CLOCK_BOOTTIME, a second coarse. */
	__u64 seen_ns;
};

/* `one-arm`: how a backend's packet to the VIP finds its client. */
struct return_key {
	struct address backend;
	struct address vip;
	__be16 backend_port;
	__be16 vip_source_port;
	__u32 protocol;
};

struct return_flow {
	struct address client;
	__be16 client_port;
	__be16 vip_port;
	__u32 backend;
	__u32 service;
	__u32 zero;
};

/* A later fragment has no ports: it follows the first. */
struct fragment_key {
	struct address source;
	struct address destination;
	__u32 id;
	__u8 protocol;
	__u8 zero[3];
};

struct fragment {
	/* What source and destination become; the backend's number for its counters. */
	struct address source;
	struct address destination;
	__u32 backend;
	/* enum service_mode, and whether it goes to a client. */
	__u8 mode;
	__u8 to_client;
	__u8 zero[2];
	__u64 seen_ns;
};

/* A next hop as a processor last looked it up. */
struct hop {
	/* CLOCK_BOOTTIME; 0 is none. */
	__u64 until_ns;
	/* Of `struct state` when it was looked up. */
	__u32 generation;
	__u32 ifindex;
	__u16 mtu;
	/* The destination's own Ethernet address is not what the frame gets. */
	__u8 is_gateway;
	__u8 zero;
	__u8 destination[6];
	__u8 source[6];
};

/* One client address at one service: its token bucket, or its open flows. */
struct source_key {
	struct address client;
	__u32 service;
	__u32 zero;
};

struct source {
	__u64 refilled_ns;
	__u64 tokens;
};

/* LPM: `prefix_bits` counts the service's 32, then those of the address. */
struct access_key {
	__u32 prefix_bits;
	__be32 service;
	struct address address;
};

/* What the balancer leaves to the second program, per CPU; it has decided everything that needs a table. */
struct errand {
	/* enum balancer_counter to count, and what to do. */
	__u32 kind;
	__u32 mtu;
};

/* Where a packet goes; `number` is the backend's. */
struct target {
	struct address address;
	__u32 number;
	__be16 port;
	/* `one-arm`: the VIP's port that the backend sees; 0 while none is claimed. */
	__be16 vip_source_port;
};

/*
 * A client's packet on its way to a backend, or a backend's on its way to the client `key.client`; of `service` only the
 * index is filled in then. Functions that are not inlined see no pointer in here (the verifier looks
 * at each of them once, alone), so it holds copies.
 */
struct passage {
	struct service service;
	struct flow_key key;
	__u64 now;
	struct target target;
};

/* The ends of a packet as they are to become. */
struct rewrite {
	struct address source;
	struct address destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 zero;
};

/* What a processor needs for one packet and the stack has no room for. */
struct scratch {
	struct passage passage;
	struct rewrite to;
};

/* For the peer: a flow that began or ended. */
struct flow_event {
	struct flow_key key;
	struct flow flow;
	__u32 service;
	/* EVENT_* */
	__u32 kind;
};

/* Open flows of a service. */
struct service_open {
	__s64 flows;
	/* Core says so: those of each client are counted, too. */
	__u32 by_client;
	__u32 zero;
};

/* For core: a backend that took no connection. */
struct refusal {
	__u32 backend;
	/* REFUSAL_* */
	__u32 kind;
};

/* Of one backend, per CPU; of what a service had, in all. */
struct traffic {
	__u64 packets_in;
	__u64 bytes_in;
	__u64 packets_out;
	__u64 bytes_out;
	/* Handshakes completed, and running flows that were taken in. */
	__u64 flows;
};

#endif
