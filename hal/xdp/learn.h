/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What a backend's reply says of a flow. */
#ifndef FUTAGO_LEARN_H
#define FUTAGO_LEARN_H

#include "choose.h"
#include "refusal.h"

/* Whether the half-open flow is the one that this backend speaks of, not a former one of the same ends. */
static __always_inline int is_by(const struct flow *half, const struct target *source)
{
	return half->backend == source->number && half->port == source->port &&
	       half->vip_source_port == source->vip_source_port && same_address(&half->address, &source->address);
}

/* The backend's number is known from now on; an acknowledgement of it completes the handshake. */
__noinline int learn_answer(__u32 sequence)
{
	const struct passage *passage = passage_in_hand();
	struct flow flow = { .expected_ack = sequence + 1, .flags = FLOW_ANSWERED };
	struct flow *half, *former;

	if (!passage)
		return 0;
	half = bpf_map_lookup_elem(&half_open, &passage->key);
	former = bpf_map_lookup_elem(&established, &passage->key);
	if (half && is_by(half, &passage->target)) {
		half->expected_ack = flow.expected_ack;
		set_flag(half, FLOW_ANSWERED);
		half->seen_ns = passage->now;
	} else {
		fill_flow(&flow, &passage->target, passage->now);
		if (bpf_map_update_elem(&half_open, &passage->key, &flow, BPF_ANY))
			count(TABLE_REFUSED);
	}
	if (former)
		set_flag(former, FLOW_REOPENED);
	return 1;
}

/*
 * A reply to a flow that has no entry (its table was lost with the other box) is proof that the flow lives, so it gets
 * one; in `one-arm` without its entries it would not have come this far. What is half-open gets one when its backend
 * sends data, which it does not before it has seen the client's acknowledgement, even if this box has not.
 */
__noinline int learn_running(__u32 payload)
{
	const struct passage *passage = passage_in_hand();
	struct flow *half;

	if (!passage || bpf_map_lookup_elem(&established, &passage->key))
		return 0;
	half = bpf_map_lookup_elem(&half_open, &passage->key);
	if (half ? half->flags & FLOW_ANSWERED && is_by(half, &passage->target) && payload
		 : !passage->target.vip_source_port)
		complete(passage);
	return 1;
}

__noinline int learn_end(__u8 flags)
{
	const struct passage *passage = passage_in_hand();
	struct flow *known;

	if (!passage)
		return 0;
	known = bpf_map_lookup_elem(&established, &passage->key);
	if (known)
		note_end(known, &passage->key.client, passage->service.index,
			 flags & TCP_RST ? FLOW_RESET : FLOW_BACKEND_FIN, 0);
	return 1;
}

/* Looking at one running packet of eight is soon enough; the checksum's low bits serve as the die. */
static __always_inline void learn_tcp(const struct packet *packet, const struct passage *passage)
{
	__u8 flags = packet->flags;

	/* A reset of this form answers a SYN: nobody listens there. RFC 9293 section 3.10.7.1 */
	if (flags & TCP_RST && flags & TCP_ACK && !segment_of(packet).sequence)
		note_refusal(passage->target.number, REFUSAL_RESET);
	if (flags & (TCP_RST | TCP_FIN))
		learn_end(flags);
	else if (flags & TCP_SYN)
		learn_answer(segment_of(packet).sequence);
	else if (flags & TCP_ACK && !(packet->die & 7))
		learn_running(tcp_payload(packet));
}

/* A reply keeps its flow, and in `nat` begins it. */
static __always_inline void learn_udp(const struct passage *passage)
{
	struct flow *known = bpf_map_lookup_elem(&udp_flows, &passage->key);

	if (!known) {
		if (!passage->target.vip_source_port)
			remember_udp();
	} else if (passage->now - known->seen_ns > SEEN_STEP_NS) {
		known->seen_ns = passage->now;
	}
}

static __always_inline void learn(const struct packet *packet, const struct passage *passage)
{
	if (packet->protocol == IPPROTO_TCP)
		learn_tcp(packet, passage);
	else
		learn_udp(passage);
}

#endif
