/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Which backend a packet of a client goes to, and what is remembered of its flow. */
#ifndef FUTAGO_FLOW_H
#define FUTAGO_FLOW_H

#include "maps-balancer.h"
#include "parse.h"
#include "count.h"

/* Where a packet goes; `number` is the backend's. */
struct target {
	__be32 address;
	__be16 port;
	__u32 number;
};

static __always_inline __u64 mix(__u64 hash)
{
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53ULL;
	return hash ^ hash >> 33;
}

/* Equal on both boxes for the same packet: depends on nothing but the packet and the seed. */
static __always_inline __u32 flow_hash(const struct flow4_key *key, __u32 seed)
{
	__u64 addresses = (__u64)bpf_ntohl(key->client) << 32 | bpf_ntohl(key->vip);
	__u64 rest = (__u64)bpf_ntohs(key->client_port) << 32 | (__u32)bpf_ntohs(key->vip_port) << 16 | key->protocol;

	return mix(mix(addresses ^ seed) + rest);
}

/* False when the backend's number was given to another, or it is dead. */
static __always_inline int is_usable(const struct flow4 *flow)
{
	struct backend *backend = bpf_map_lookup_elem(&backends, &flow->backend);

	return backend && backend->alive && backend->address.words[3] == flow->address && backend->port == flow->port;
}

/* The backend that the service's ring gives a new flow; false when it has none. */
static __always_inline int pick_from_ring(const struct service *service, const struct flow4_key *key,
					  struct target *target)
{
	struct ring *ring = bpf_map_lookup_elem(&rings, &service->index);
	__u32 slot = flow_hash(key, service->seed) % RING_SIZE;
	struct backend *backend;

	if (!ring)
		return 0;
	/* Some verifiers lose the bound that the modulo gives, and the compiler knows it too well to check it. */
	asm volatile("" : "+r"(slot));
	if (slot >= RING_SIZE)
		return 0;
	target->number = ring->ordinals[slot];
	if (target->number >= SERVICE_BACKENDS_MAX)
		return 0;
	target->number += service->index * SERVICE_BACKENDS_MAX;
	backend = bpf_map_lookup_elem(&backends, &target->number);
	if (!backend || !backend->alive)
		return 0;
	target->address = backend->address.words[3];
	target->port = backend->port;
	return 1;
}

static __always_inline void go_to(struct target *target, const struct flow4 *flow)
{
	target->number = flow->backend;
	target->address = flow->address;
	target->port = flow->port;
}

static __always_inline void follow(struct flow4 *flow, __u64 now, struct target *target)
{
	if (now - flow->seen_ns > SEEN_STEP_NS)
		flow->seen_ns = now;
	go_to(target, flow);
}

static __always_inline void establish(const struct flow4_key *key, const struct target *target, __u32 service,
				      __u64 now)
{
	struct flow4 flow = {
		.backend = target->number, .address = target->address, .port = target->port, .seen_ns = now,
	};

	if (bpf_map_update_elem(&established4, key, &flow, BPF_ANY))
		count(TABLE_REFUSED);
	count_flow(service, target->number);
}

static __always_inline void half_open(const struct flow4_key *key, const struct target *target, __u32 expected_ack,
				      __u64 now)
{
	struct flow4 flow = {
		.backend = target->number, .address = target->address, .port = target->port,
		.expected_ack = expected_ack, .seen_ns = now,
	};

	if (bpf_map_update_elem(&half_open4, key, &flow, BPF_ANY))
		count(TABLE_REFUSED);
}

/*
 * Chooses the backend for a client's packet: established table, half-open table, ring. A SYN begins anew and goes by
 * the ring, whatever its addresses and ports were used for before; one that is sent again goes where it was answered. Only an acknowledgement of the backend's own SYN-ACK
 * moves a flow from the second table to the first. A flow whose backend died, or whose number went to another backend,
 * goes on only where the ring sends it to the very same address and port; for the rest of it the answer is
 * DROP_DEAD_BACKEND. Negative is success.
 */
static __always_inline int choose(const struct packet *packet, const struct flow4_key *key,
				  const struct service *service, __u64 now, struct target *target)
{
	const struct tcphdr *tcp = packet->tcp;
	struct flow4 *established, *half, *known;
	int usable;

	if (tcp->syn && !tcp->ack) {
		half = bpf_map_lookup_elem(&half_open4, key);
		if (half && now - half->seen_ns < SYN_RETRIED_NS && is_usable(half)) {
			go_to(target, half);
			return -1;
		}
		return pick_from_ring(service, key, target) ? -1 : DROP_NO_BACKEND;
	}
	established = bpf_map_lookup_elem(&established4, key);
	usable = established && is_usable(established);
	if (usable && !established->reopened) {
		follow(established, now, target);
		return -1;
	}
	half = bpf_map_lookup_elem(&half_open4, key);
	if (half && is_usable(half)) {
		if (tcp->ack && !tcp->syn && !tcp->rst && bpf_ntohl(tcp->ack_seq) == half->expected_ack) {
			go_to(target, half);
			establish(key, target, service->index, now);
			bpf_map_delete_elem(&half_open4, key);
			return -1;
		}
		if (!usable) {
			go_to(target, half);
			return -1;
		}
	}
	if (usable) {
		follow(established, now, target);
		return -1;
	}
	known = established ? established : half;
	if (!pick_from_ring(service, key, target))
		return known ? DROP_DEAD_BACKEND : DROP_NO_BACKEND;
	if (!known)
		return -1;
	if (known->address != target->address || known->port != target->port)
		return DROP_DEAD_BACKEND;
	known->backend = target->number;
	return -1;
}

/*
 * Learns from a backend's reply: its SYN-ACK opens the handshake, and a reply to a flow that has no entry (its table
 * was lost with the other box) is proof that the flow lives, so it gets one. Looking for that on one packet of eight
 * is soon enough; the checksum's low bits serve as the die.
 */
static __always_inline void learn(const struct packet *packet, const struct flow4_key *key,
				  const struct target *source, __u32 service, __u64 now)
{
	const struct tcphdr *tcp = packet->tcp;

	if (tcp->syn) {
		struct flow4 *former = bpf_map_lookup_elem(&established4, key);

		if (tcp->rst)
			return;
		half_open(key, source, bpf_ntohl(tcp->seq) + 1, now);
		if (former)
			former->reopened = 1;
		return;
	}
	if (tcp->rst || tcp->fin || !tcp->ack || (tcp->check & bpf_htons(7)))
		return;
	if (!bpf_map_lookup_elem(&established4, key) && !bpf_map_lookup_elem(&half_open4, key))
		establish(key, source, service, now);
}

#endif
