/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Fragments. The first has the ports: it is balanced like a whole packet, and where it went is remembered. The others
 * follow it; one that comes before its first is dropped, since nobody may see it untranslated.
 */
#ifndef FUTAGO_FRAGMENT_H
#define FUTAGO_FRAGMENT_H

#include "relay.h"
#include "remember.h"

/* As long as a receiver waits for the rest of a packet, at most. RFC 8200 section 4.5, ip(7) ipfrag_time */
#define FRAGMENT_LASTS_NS 60000000000ULL

/* More than an IP header has with its extension headers. */
#define HEADERS_MASK 0x1ff

/* A fragment of TCP that begins so early overwrites the flags that were judged. RFC 3128 */
#define TCP_OFFSET_MIN 3

/* A fragment, or a part of none, of which it cannot be told where it belongs. */
static __always_inline int stray_fragment(const struct packet *packet, __u32 reason_in)
{
	long bits = vip_bits(&packet->destination);

	if (!has_ports(packet->protocol))
		return XDP_PASS;
	if (bits >= 0)
		return bits & GROUP_FORWARD ? counted(reason_in, XDP_DROP) : counted(PASS_VIP_CLOSED, XDP_PASS);
	if (!is_backend_host(&packet->source, packet->protocol) || is_own_address(&packet->destination))
		return XDP_PASS;
	return counted(DROP_REPLY_FRAGMENT, XDP_DROP);
}

/* Of a VIP's or a backend's packet that the kernel got: the rest is the kernel's too. */
static __noinline void remember_passed(const struct packet *packet)
{
	struct fragment went = { .mode = FRAGMENT_PASSES, .seen_ns = bpf_ktime_get_boot_ns() };
	long bits = vip_bits(&packet->destination);

	if (bits >= 0 ? bits & GROUP_FORWARD : is_backend_host(&packet->source, packet->protocol))
		remember_fragment(packet, &went);
}

static __always_inline int first_fragment(struct xdp_md *ctx, const struct header *header, struct packet *packet)
{
	const volatile struct state *current = state();
	__u32 headers = header->l4 - header->at;
	int verdict;

	if (!current || header->l4 + fixed_header(header->protocol) > header->end)
		return stray_fragment(packet, DROP_FRAGMENT);
	/* The verifier asks for a bound that no header exceeds. */
	asm volatile("" : "+r"(headers));
	headers &= HEADERS_MASK;
	if (parse_transport(packet->ip + headers, packet->end, packet) != SHAPE_WHOLE)
		return stray_fragment(packet, DROP_FRAGMENT);
	packet->is_first_fragment = header->more_fragments;
	verdict = balance(ctx, packet, SHAPE_WHOLE, current->generation);
	/* One that was translated for the kernel has been remembered by then. */
	if (verdict == XDP_PASS && packet->is_first_fragment)
		remember_passed(packet);
	return verdict;
}

/* The backend's number may have gone to another meanwhile. */
static __always_inline int is_still_there(const struct fragment *went)
{
	struct backend *backend = bpf_map_lookup_elem(&backends, &went->backend);

	return backend && same_address(&backend->address, &went->destination);
}

static __always_inline int follow_first(struct xdp_md *ctx, struct packet *packet, struct oddity *odd)
{
	const struct fragment *went = &odd->went;
	struct relay *to = &odd->relay;
	long bits = vip_bits(went->to_client ? &went->source : &packet->destination);
	struct hop found, *hop = &found;
	enum way way;
	int refused;

	if (bits < 0 || !(bits & GROUP_FORWARD))
		return went->to_client ? counted(DROP_REPLY_CLOSED, XDP_DROP) : counted(PASS_VIP_CLOSED, XDP_PASS);
	if (!went->to_client && !is_still_there(went))
		return counted(DROP_FRAGMENT, XDP_DROP);
	to->source = went->source;
	to->destination = went->destination;
	to->backend = went->backend;
	to->to_client = went->to_client;
	to->is_direct = went->mode == MODE_DIRECT;
	way = find_relay_way(ctx, packet, to, &hop);
	refused = refused_way(packet, to, way);
	if (refused >= 0)
		return counted(refused, XDP_DROP);
	if (went->to_client)
		count_out(went->backend, packet->length);
	else
		count_in(went->backend, packet->length);
	return relay(ctx, packet, to, way, hop);
}

static __always_inline int later_fragment(struct xdp_md *ctx, struct packet *packet, struct oddity *odd)
{
	struct fragment *went;

	fragment_key_of(packet, &odd->key);
	went = bpf_map_lookup_elem(&fragments, &odd->key);
	if (!went || bpf_ktime_get_boot_ns() - went->seen_ns > FRAGMENT_LASTS_NS)
		return stray_fragment(packet, DROP_FRAGMENT);
	if (went->mode == FRAGMENT_PASSES)
		return XDP_PASS;
	if (packet->protocol == IPPROTO_TCP && odd->outer.fragment_offset < TCP_OFFSET_MIN)
		return counted(DROP_MALFORMED, XDP_DROP);
	/* The table may give the entry to another packet at any moment. */
	odd->went = *went;
	return follow_first(ctx, packet, odd);
}

static __always_inline int handle_fragment(struct xdp_md *ctx)
{
	struct oddity *odd = odd_packet();
	struct packet packet = {};

	if (!odd || !read_outer(ctx, &odd->outer) || !open_packet(ctx, &odd->outer, &packet))
		return counted(DROP_MALFORMED, XDP_DROP);
	packet.fragment_id = odd->outer.id;
	return odd->outer.fragment_offset ? later_fragment(ctx, &packet, odd) : first_fragment(ctx, &odd->outer, &packet);
}

SEC("xdp")
int futago_fragments(struct xdp_md *ctx)
{
	int verdict = handle_fragment(ctx);

	if (verdict == VERDICT_ERRAND)
		verdict = run_errand(ctx);
	return capture_after(ctx, verdict);
}

#endif
