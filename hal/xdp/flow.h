/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Which backend a packet of a client goes to, and what is remembered of its flow. */
#ifndef FUTAGO_FLOW_H
#define FUTAGO_FLOW_H

#include "maps-balancer.h"
#include "parse.h"
#include "count.h"

/*
 * The packet in hand, in the map itself: until Linux 6.2 the verifier lets a global function use for a map's key what it
 * finds on its stack or in a map, not what it was handed.
 */
static __always_inline struct passage *passage_in_hand(void)
{
	__u32 zero = 0;
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &zero);

	return scratch ? &scratch->passage : 0;
}

static __always_inline __u64 mix(__u64 hash)
{
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53ULL;
	return hash ^ hash >> 33;
}

static __always_inline __u64 halves(const struct address *address, int half)
{
	return (__u64)bpf_ntohl(address->words[2 * half]) << 32 | bpf_ntohl(address->words[2 * half + 1]);
}

/* Equal on both boxes for the same packet: depends on nothing but the packet and the seed. */
static __always_inline __u32 flow_hash(const struct flow_key *key, const struct service *service)
{
	__u64 rest = (__u64)bpf_ntohs(key->client_port) << 32 | (__u32)bpf_ntohs(key->vip_port) << 16 | key->protocol;
	__u64 hash = mix(mix(halves(&key->client, 0) ^ service->seed) + halves(&key->client, 1));

	if (service->flags & SERVICE_BY_SOURCE)
		return hash;
	return mix(mix(hash ^ halves(&key->vip, 1)) + rest);
}

/* False when the backend's number was given to another, or it is dead. */
static __always_inline int is_usable(const struct flow *flow)
{
	struct backend *backend = bpf_map_lookup_elem(&backends, &flow->backend);

	return backend && backend->state != BACKEND_DEAD && backend->port == flow->port &&
	       same_address(&backend->address, &flow->address);
}

static __always_inline int is_full(__u32 number, const struct backend *backend)
{
	__u64 *opened, *closed;

	if (!backend->flows_max)
		return 0;
	opened = bpf_map_lookup_elem(&backend_opened, &number);
	closed = bpf_map_lookup_elem(&backend_closed, &number);
	/* An end may be counted before another processor's store of the beginning is seen. */
	return opened && closed && (__s64)(*opened - *closed) >= (__s64)backend->flows_max;
}

/*
 * A client in the backend's own subnet would get its answers past the box, in the backend's name: it is served as in
 * `one-arm`.
 */
static __always_inline void note_neighbour(struct passage *passage, const struct backend *backend)
{
	if (passage->service.mode == MODE_NAT && backend->subnet_bits &&
	    share_prefix(&passage->key.client, &backend->address, backend->subnet_bits))
		passage->service.mode = MODE_ONE_ARM;
}

/* Slots that are tried when backends are full: each next one is as far as a prime, so that it is rarely the same's. */
#define RING_TRIES 8
#define RING_STRIDE 1543

/*
 * The backend that the service's ring gives a flow: negative, or why it gives none. A new flow passes over those that
 * are full, and those that died or drain and that the ring still names.
 */
__noinline int pick_from_ring(int is_new)
{
	struct passage *passage = passage_in_hand();
	int refusal = DROP_NO_BACKEND;
	struct target *target;
	struct ring *ring;
	__u32 slot;

	if (!passage)
		return DROP_NO_BACKEND;
	target = &passage->target;
	target->vip_source_port = 0;
	ring = bpf_map_lookup_elem(&rings, &passage->service.index);
	slot = flow_hash(&passage->key, &passage->service) % RING_SIZE;
	if (!ring)
		return DROP_NO_BACKEND;
	for (int i = 0; i < RING_TRIES; i++) {
		struct backend *backend;

		/* Some verifiers lose the bound that the modulo gives, and the compiler knows it too well to check it. */
		asm volatile("" : "+r"(slot));
		if (slot >= RING_SIZE)
			return DROP_NO_BACKEND;
		target->number = ring->ordinals[slot];
		if (target->number >= SERVICE_BACKENDS_MAX)
			return DROP_NO_BACKEND;
		target->number += passage->service.index * SERVICE_BACKENDS_MAX;
		backend = bpf_map_lookup_elem(&backends, &target->number);
		if (!backend || (!is_new && backend->state == BACKEND_DEAD))
			return DROP_NO_BACKEND;
		if (!is_new || (backend->state == BACKEND_ALIVE && !is_full(target->number, backend))) {
			target->address = backend->address;
			target->port = backend->port;
			note_neighbour(passage, backend);
			return -1;
		}
		if (backend->state == BACKEND_ALIVE)
			refusal = DROP_BACKEND_FULL;
		slot += RING_STRIDE;
		if (slot >= RING_SIZE)
			slot -= RING_SIZE;
	}
	return refusal;
}

static __always_inline void go_to(struct target *target, const struct flow *flow)
{
	target->number = flow->backend;
	target->address = flow->address;
	target->port = flow->port;
	target->vip_source_port = flow->vip_source_port;
}

/* Several processors may set flags of one flow. */
static __always_inline void set_flag(struct flow *flow, __u32 flag)
{
	if (!(flow->flags & flag))
		__sync_fetch_and_or(&flow->flags, flag);
}

static __always_inline void follow(struct flow *flow, struct passage *passage)
{
	if (passage->now - flow->seen_ns > SEEN_STEP_NS)
		flow->seen_ns = passage->now;
	go_to(&passage->target, flow);
}

static __always_inline void fill_flow(struct flow *flow, const struct target *target, __u64 now)
{
	flow->address = target->address;
	flow->backend = target->number;
	flow->port = target->port;
	flow->vip_source_port = target->vip_source_port;
	flow->seen_ns = now;
}

/* Tells core, for the peer. What finds no room is told by the next resynchronisation. */
static __always_inline void tell(const struct flow_key *key, const struct flow *flow, __u32 service)
{
	struct flow_event *event = bpf_ringbuf_reserve(&flow_events, sizeof(*event), 0);

	if (!event) {
		count_inline(EVENT_LOST);
		return;
	}
	event->key = *key;
	event->flow = *flow;
	event->service = service;
	event->kind = EVENT_ESTABLISHED;
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void count_opened(__u32 backend, __s64 more)
{
	__u64 *opened = bpf_map_lookup_elem(&backend_opened, &backend);

	if (opened)
		__sync_fetch_and_add(opened, more);
}

static __always_inline void count_closed(__u32 backend)
{
	__u64 *closed = bpf_map_lookup_elem(&backend_closed, &backend);

	if (closed)
		__sync_fetch_and_add(closed, 1);
}

/* What the peer told of counts from its first packet here on, and what has ended counts no more. */
static __always_inline int is_counted(const struct flow *flow)
{
	return !(flow->flags & (FLOW_TOLD | FLOW_CLOSED));
}

/* What `establish` and `remember_udp` say. */
#define NOT_KEPT 0
#define KEPT 1
/* In the place of a former flow of the same ends, which counted. */
#define KEPT_AGAIN 2

/* NOT_KEPT when the table is full. */
__noinline int establish(void)
{
	const struct passage *passage = passage_in_hand();
	struct flow flow = {};
	int kept = KEPT;

	if (!passage)
		return NOT_KEPT;
	fill_flow(&flow, &passage->target, passage->now);
	if (bpf_map_update_elem(&established, &passage->key, &flow, BPF_NOEXIST)) {
		/* A new connection of the same ends takes the place of an old one, or there is no place. */
		struct flow *former = bpf_map_lookup_elem(&established, &passage->key);

		if (!former) {
			count_inline(TABLE_REFUSED);
			return NOT_KEPT;
		}
		if (is_counted(former)) {
			count_closed(former->backend);
			kept = KEPT_AGAIN;
		}
		if (bpf_map_update_elem(&established, &passage->key, &flow, BPF_ANY)) {
			count_inline(TABLE_REFUSED);
			return NOT_KEPT;
		}
	}
	count_opened(passage->target.number, 1);
	count_flow(passage->target.number);
	tell(&passage->key, &flow, passage->service.index);
	return kept;
}

/* A flow of the client at the service began, or is over. */
__noinline int count_open(const struct address *client, __u32 service, __s64 more)
{
	struct source_key key = { .service = service };
	struct service_open *all = bpf_map_lookup_elem(&service_open, &service);
	__s64 *open, first = more;

	if (!client || !all)
		return 0;
	__sync_fetch_and_add(&all->flows, more);
	if (!all->by_client)
		return 0;
	key.client = *client;
	open = bpf_map_lookup_elem(&client_open, &key);
	if (open)
		__sync_fetch_and_add(open, more);
	else if (more > 0)
		bpf_map_update_elem(&client_open, &key, &first, BPF_NOEXIST);
	return 0;
}

/* The first packet of a flow that the peer told of. */
static __always_inline void take_over(struct flow *flow, const struct flow_key *key, __u32 service)
{
	if (!(flow->flags & FLOW_TOLD) || !(__sync_fetch_and_and(&flow->flags, ~FLOW_TOLD) & FLOW_TOLD))
		return;
	if (flow->flags & FLOW_CLOSED)
		return;
	count_opened(flow->backend, 1);
	count_open(&key->client, service, 1);
}

/* Notes the end of one side, or of both; in `direct` the backend's is not seen. */
__noinline int note_end(struct flow *flow, const struct address *client, __u32 service, __u32 flag, int is_direct)
{
	const __u32 both = FLOW_CLIENT_FIN | FLOW_BACKEND_FIN;
	__u32 flags;

	if (!flow || !client)
		return 0;
	set_flag(flow, flag);
	flags = flow->flags;
	if (!(flags & FLOW_RESET) && (flags & both) != both && !(is_direct && flags & FLOW_CLIENT_FIN))
		return 0;
	/* Whoever sets it counts. */
	flags = __sync_fetch_and_or(&flow->flags, FLOW_CLOSED);
	if (flags & (FLOW_CLOSED | FLOW_TOLD))
		return 0;
	count_closed(flow->backend);
	count_open(client, service, -1);
	return 1;
}

static __always_inline void half_open_flow(const struct flow_key *key, const struct target *target, __u32 expected_ack,
					   __u64 now)
{
	struct flow flow = { .expected_ack = expected_ack };

	fill_flow(&flow, target, now);
	if (bpf_map_update_elem(&half_open, key, &flow, BPF_ANY))
		count(TABLE_REFUSED);
}

#endif
