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
__noinline int learn_answer(const struct flow_key *key, const struct target *source, __u32 sequence, __u64 now)
{
	struct flow flow = { .expected_ack = sequence + 1, .flags = FLOW_ANSWERED };
	struct flow *half, *former;

	if (!key || !source)
		return 0;
	half = bpf_map_lookup_elem(&half_open, key);
	former = bpf_map_lookup_elem(&established, key);
	if (half && is_by(half, source)) {
		half->expected_ack = flow.expected_ack;
		set_flag(half, FLOW_ANSWERED);
		half->seen_ns = now;
	} else {
		fill_flow(&flow, source, now);
		if (bpf_map_update_elem(&half_open, key, &flow, BPF_ANY))
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
__noinline int learn_running(const struct flow_key *key, const struct target *source, __u32 payload, __u32 service,
			     __u64 now)
{
	struct flow *half;

	if (!key || !source || bpf_map_lookup_elem(&established, key))
		return 0;
	half = bpf_map_lookup_elem(&half_open, key);
	if (half ? half->flags & FLOW_ANSWERED && is_by(half, source) && payload : !source->vip_source_port)
		complete(key, source, service, now);
	return 1;
}

__noinline int learn_end(const struct flow_key *key, __u8 flags, __u32 service)
{
	struct flow *known;

	if (!key)
		return 0;
	known = bpf_map_lookup_elem(&established, key);
	if (known)
		note_end(known, &key->client, service, flags & TCP_RST ? FLOW_RESET : FLOW_BACKEND_FIN, 0);
	return 1;
}

/* Looking at one running packet of eight is soon enough; the checksum's low bits serve as the die. */
static __always_inline void learn_tcp(const struct packet *packet, const struct flow_key *key,
				      const struct target *source, __u32 service, __u64 now)
{
	__u8 flags = packet->segment.flags;

	/* A reset of this form answers a SYN: nobody listens there. RFC 9293 section 3.10.7.1 */
	if (flags & TCP_RST && flags & TCP_ACK && !packet->segment.sequence)
		note_refusal(source->number, REFUSAL_RESET);
	if (flags & (TCP_RST | TCP_FIN))
		learn_end(key, flags, service);
	else if (flags & TCP_SYN)
		learn_answer(key, source, packet->segment.sequence, now);
	else if (flags & TCP_ACK && !(packet->segment.die & 7))
		learn_running(key, source, tcp_payload(packet), service, now);
}

/* A reply keeps its flow, and in `nat` begins it. */
static __always_inline void learn_udp(const struct flow_key *key, const struct target *source, __u32 service, __u64 now)
{
	struct flow *known = bpf_map_lookup_elem(&udp_flows, key);

	if (!known) {
		if (!source->vip_source_port)
			remember_udp(key, source, service, now);
	} else if (now - known->seen_ns > SEEN_STEP_NS) {
		known->seen_ns = now;
	}
}

static __always_inline void learn(const struct packet *packet, const struct flow_key *key, const struct target *source,
				  __u32 service, __u64 now)
{
	if (packet->protocol == IPPROTO_TCP)
		learn_tcp(packet, key, source, service, now);
	else
		learn_udp(key, source, service, now);
}

#endif
