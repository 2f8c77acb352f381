/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What is not a plain packet of a flow: ICMP errors, fragments, what is cut, and the answers that the balancer makes. */
#ifndef FUTAGO_ODDITIES_H
#define FUTAGO_ODDITIES_H

#include "fragment.h"
#include "icmp.h"
#include "own-errors.h"
#include "reset.h"

/* Neither of these is a fragment; the kernel would answer for a service what it may not see, and leak a backend's. */
static __always_inline int handle_unread(struct xdp_md *ctx, const struct header *header, int is_cut)
{
	struct endpoint vip = { .address = header->destination, .protocol = header->protocol };
	long bits = vip_bits(&header->destination);
	struct ports ports;

	if (bits >= 0 && !(bits & GROUP_FORWARD))
		return counted(PASS_VIP_CLOSED, XDP_PASS);
	if (bits >= 0) {
		if (!is_cut)
			return counted(DROP_MALFORMED, XDP_DROP);
		if (!read_ports(ctx, header, &ports))
			return counted(PASS_VIP_UNREAD, XDP_PASS);
		vip.port = ports.destination;
		if (bpf_map_lookup_elem(&services, &vip))
			return counted(DROP_MALFORMED, XDP_DROP);
		return counted(PASS_VIP_UNREAD, XDP_PASS);
	}
	if (is_own_address(&header->destination))
		return XDP_PASS;
	if (!is_backend_host(&header->source, IPPROTO_TCP) && !is_backend_host(&header->source, IPPROTO_UDP))
		return XDP_PASS;
	return counted(is_cut ? DROP_REPLY_TRUNCATED : DROP_MALFORMED, XDP_DROP);
}

static __always_inline int handle_odd(struct xdp_md *ctx, struct oddity *odd)
{
	struct header *header = &odd->outer;

	if (!read_outer(ctx, header))
		return header->length ? handle_unread(ctx, header, 0) : XDP_PASS;
	/* The protocol that a later fragment states counts for nothing in IPv6. */
	if (header->is_fragment && (has_ports(header->protocol) || (header->is_ipv6 && header->fragment_offset))) {
		bpf_tail_call(ctx, &futago_slots, SLOT_FRAGMENTS);
		return counted(DROP_FRAGMENT, XDP_DROP);
	}
	if (header->is_fragment)
		return XDP_PASS;
	if (has_ports(header->protocol))
		return handle_unread(ctx, header, 1);
	return is_icmp(header) ? handle_icmp(ctx, odd) : XDP_PASS;
}

SEC("xdp")
int futago_oddities(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct errand *errand = bpf_map_lookup_elem(&errands, &zero);
	struct oddity *odd = odd_packet();
	int verdict;

	if (!errand || !odd)
		return XDP_PASS;
	if (errand->kind == DROP_TOO_BIG || errand->kind == DROP_TTL)
		verdict = answer_error(ctx, &odd->outer, errand->kind, errand->mtu);
	else if (errand->kind == DROP_DEAD_BACKEND)
		verdict = answer_dead(ctx, &odd->outer);
	else
		verdict = handle_odd(ctx, odd);
	return capture_after(ctx, verdict);
}

#endif
