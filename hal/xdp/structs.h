/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Keys and values of the maps. Addresses and ports are in network byte order, everything else in the host's. */
#ifndef FUTAGO_STRUCTS_H
#define FUTAGO_STRUCTS_H

#include <linux/types.h>
#include "consts.h"

/* IPv6, or IPv4 as ::ffff:a.b.c.d. */
struct address {
	__be32 words[4];
};

struct group {
	/* CLOCK_BOOTTIME; 0 is no lease. */
	__u64 lease_until_ns;
	__u32 bits;
	__u32 reserved;
};

/* A host that sends to this box what is a closed VIP's, and by which port that came. */
struct stale_key {
	struct address vip;
	__u32 ifindex;
	__u8 host[6];
	__u8 zero[2];
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
struct endpoint4 {
	__be32 address;
	__be16 port;
	__u8 protocol;
	__u8 zero;
};

struct service {
	__u32 index;
	/* Mixed into the hash that picks a ring slot, the same on both boxes and unknown to clients. */
	__u32 seed;
};

struct backend {
	struct address address;
	__be16 port;
	__u8 alive;
	__u8 zero;
	__u32 reserved;
};

struct ring {
	/* Ordinals of backends in their service. */
	__u16 ordinals[RING_SIZE + 1];
};

/* What a backend's reply becomes. */
struct reverse4 {
	__be32 vip;
	__be16 port;
	__be16 zero;
	__u32 backend;
	__u32 service;
};

struct flow4_key {
	__be32 client;
	__be32 vip;
	__be16 client_port;
	__be16 vip_port;
	__u8 protocol;
	__u8 zero[3];
};

struct flow4 {
	__u32 backend;
	/* The backend as it was chosen: its number may have gone to another since. */
	__be32 address;
	__be16 port;
	/* Established only: a SYN of the same addresses and ports was answered since. */
	__u16 reopened;
	/* Half-open only: the acknowledgement that completes the handshake. */
	__u32 expected_ack;
	/* CLOCK_BOOTTIME, a second coarse. */
	__u64 seen_ns;
};

/* Of one service or one backend, per CPU. */
struct traffic {
	__u64 packets_in;
	__u64 bytes_in;
	__u64 packets_out;
	__u64 bytes_out;
	/* Handshakes completed, and running flows that were taken in. */
	__u64 flows;
};

#endif
