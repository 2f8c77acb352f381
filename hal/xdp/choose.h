/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The backend of a client's packet, from what is remembered or from the ring, and what is remembered of it. */
#ifndef FUTAGO_CHOOSE_H
#define FUTAGO_CHOOSE_H

#include "admit.h"
#include "one-arm.h"

/* False when the flow's port of the VIP went to another client after it was forgotten. */
static __always_inline int has_port(const struct passage *passage)
{
	return !passage->target.vip_source_port || take_port(passage);
}

/*
 * A SYN begins anew and goes by the ring, whatever its ends were used for before; one that is sent again goes where
 * the first went.
 */
__noinline int choose_for_syn(__u32 sequence)
{
	struct passage *passage = passage_in_hand();
	struct flow *half, *former;
	__u32 next = sequence + 1;
	int refused;
	__u8 mode;

	if (!passage)
		return DROP_NO_BACKEND;
	half = bpf_map_lookup_elem(&half_open, &passage->key);
	if (half && passage->now - half->seen_ns < SYN_RETRIED_NS && is_usable(half)) {
		go_to(&passage->target, half);
		if (has_port(passage)) {
			if (passage->service.mode == MODE_DIRECT)
				half->expected_ack = next;
			return -1;
		}
	}
	refused = admit();
	mode = passage->service.mode;
	if (refused >= 0 || mode == MODE_NAT)
		return refused;
	if (mode == MODE_ONE_ARM && !claim_port(passage))
		return DROP_NO_FREE_PORT;
	half_open_flow(&passage->key, &passage->target, mode == MODE_DIRECT ? next : 0, passage->now);
	former = bpf_map_lookup_elem(&established, &passage->key);
	if (former)
		set_flag(former, FLOW_REOPENED);
	return -1;
}

/* The backend's number is acknowledged, or in `direct`, where its answer is not seen, the client's own goes on. */
static __always_inline int completes(const struct segment *segment, const struct flow *half, __u8 mode)
{
	if ((segment->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
		return 0;
	if (mode == MODE_DIRECT)
		return segment->sequence == half->expected_ack;
	return half->flags & FLOW_ANSWERED && segment->acknowledgement == half->expected_ack;
}

static __always_inline void complete(const struct passage *passage)
{
	int kept = passage->target.vip_source_port ? establish_both() : establish();

	if (kept)
		bpf_map_delete_elem(&half_open, &passage->key);
	if (kept == KEPT)
		count_open(&passage->key.client, passage->service.index, 1);
}

/* Core collects soon what both ends have finished. */
static __always_inline void note_client_end(__u8 flags, struct flow *flow, const struct passage *passage)
{
	if (flags & (TCP_RST | TCP_FIN))
		note_end(flow, &passage->key.client, passage->service.index,
			 flags & TCP_RST ? FLOW_RESET : FLOW_CLIENT_FIN, passage->service.mode == MODE_DIRECT);
}

/*
 * Where no entry serves: the ring. A flow whose backend died, or whose number went to another backend, goes on only
 * where the ring sends it to the very same address and port; for the rest of it the answer is DROP_DEAD_BACKEND.
 */
static __always_inline int choose_by_ring(struct passage *passage, struct flow *known, int is_established)
{
	int refused;

	if (passage->service.mode == MODE_ONE_ARM && !known)
		return DROP_NO_FLOW;
	refused = pick_from_ring(0);
	if (!known)
		return refused < 0 && passage->service.mode == MODE_ONE_ARM ? DROP_NO_FLOW : refused;
	/* What has a port that stands for its client cannot go on without it. */
	if (refused < 0 && passage->service.mode != MODE_ONE_ARM && !known->vip_source_port &&
	    known->port == passage->target.port && same_address(&known->address, &passage->target.address)) {
		known->backend = passage->target.number;
		if (is_established && is_counted(known))
			count_opened(known->backend, 1);
		return -1;
	}
	/* The client is told, so core may collect the entry. */
	if (is_established)
		note_end(known, &passage->key.client, passage->service.index, FLOW_RESET, 0);
	return DROP_DEAD_BACKEND;
}

/*
 * Only an acknowledgement of the backend's own SYN-ACK moves a flow from the half-open table to the established one. Until
 * then a connection of the same ends goes on beside it, unless it is over: then the client's reset, which says that the
 * backend still remembers somebody else behind the new port, must come there. RFC 9293 3.10.7.3
 */
__noinline int choose_slowly(const struct segment *segment)
{
	struct passage *passage = passage_in_hand();
	struct flow *known, *half;
	int usable;

	if (!passage || !segment)
		return DROP_NO_BACKEND;
	known = bpf_map_lookup_elem(&established, &passage->key);
	half = bpf_map_lookup_elem(&half_open, &passage->key);
	usable = known && is_usable(known);
	if (half && is_usable(half)) {
		int complete_now = completes(segment, half, passage->service.mode);

		if (complete_now || !usable || (known && known->flags & FLOW_CLOSED)) {
			go_to(&passage->target, half);
			if (!has_port(passage)) {
				bpf_map_delete_elem(&half_open, &passage->key);
				return DROP_NO_FLOW;
			}
			if (complete_now)
				complete(passage);
			return -1;
		}
	}
	if (usable) {
		take_over(known, &passage->key, passage->service.index);
		follow(known, passage);
		note_client_end(segment->flags, known, passage);
		return -1;
	}
	return choose_by_ring(passage, known ? known : half, known != 0);
}

/* A packet of a running connection: established table, half-open table, ring. */
static __always_inline int choose_for_running(struct passage *passage, const struct packet *packet)
{
	struct flow *known = bpf_map_lookup_elem(&established, &passage->key);
	struct segment segment;

	if (known && !(known->flags & (FLOW_REOPENED | FLOW_TOLD)) && is_usable(known)) {
		follow(known, passage);
		note_client_end(packet->flags, known, passage);
		return -1;
	}
	segment = segment_of(packet);
	return choose_slowly(&segment);
}

/* What the table forgets by itself nobody counts; core finds out. */
__noinline int remember_udp(void)
{
	const struct passage *passage = passage_in_hand();
	struct flow flow = {}, *former;

	if (!passage)
		return NOT_KEPT;
	flow.expected_ack = passage->now / SECOND_NS;
	fill_flow(&flow, &passage->target, passage->now);
	former = bpf_map_lookup_elem(&udp_flows, &passage->key);
	if (former && !(former->flags & FLOW_TOLD))
		count_closed(former->backend);
	else
		count_open(&passage->key.client, passage->service.index, 1);
	if (bpf_map_update_elem(&udp_flows, &passage->key, &flow, BPF_ANY))
		count(TABLE_REFUSED);
	count_opened(passage->target.number, 1);
	count_flow(passage->target.number);
	return KEPT;
}

__noinline int choose_for_new_udp(int was_known)
{
	struct passage *passage = passage_in_hand();
	int refused, is_limited;
	struct flow *half;
	__u8 mode;

	if (!passage)
		return DROP_NO_BACKEND;
	/* What is limited is counted once, though its backend may never answer. */
	is_limited = passage->service.mode == MODE_NAT && passage->service.source_limit;
	half = is_limited ? bpf_map_lookup_elem(&half_open, &passage->key) : 0;
	if (half && is_usable(half)) {
		follow(half, passage);
		if (!passage->target.vip_source_port)
			return -1;
	}
	refused = was_known ? pick_from_ring(1) : admit();
	if (refused >= 0)
		return refused;
	mode = passage->service.mode;
	if (is_limited && mode == MODE_NAT && !was_known)
		half_open_flow(&passage->key, &passage->target, 0, passage->now);
	if (mode == MODE_ONE_ARM && !claim_port(passage))
		return DROP_NO_FREE_PORT;
	if (mode != MODE_NAT || was_known)
		remember_udp();
	return -1;
}

/* UDP has no handshake. In `nat` the backend's answer is waited for, so that a spoofed flood takes nobody's entry. */
static __always_inline int choose_for_udp(struct passage *passage)
{
	struct flow *known = bpf_map_lookup_elem(&udp_flows, &passage->key);

	if (known && is_usable(known)) {
		follow(known, passage);
		if (has_port(passage)) {
			take_over(known, &passage->key, passage->service.index);
			return -1;
		}
	}
	return choose_for_new_udp(known != 0);
}

/* Fills `passage->target`; negative is success, else why not. */
static __always_inline int choose(const struct packet *packet, struct passage *passage)
{
	if (packet->protocol == IPPROTO_UDP)
		return choose_for_udp(passage);
	if (is_syn(packet))
		return choose_for_syn(segment_of(packet).sequence);
	return choose_for_running(passage, packet);
}

#endif
