/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Rewrites the ends of a TCP or UDP packet and sends it on its way. */
#ifndef FUTAGO_FORWARD_H
#define FUTAGO_FORWARD_H

#include "checksum.h"
#include "count.h"
#include "hop.h"
#include "parse.h"

/* No verdict of XDP: the balancer ends by calling the second program, which finds its errand in the map. */
#define VERDICT_ERRAND 0x100

/* Left to the second program with `kind`, which never passes on what it cannot answer. */
__noinline int errand(__u32 kind, __u32 mtu)
{
	__u32 zero = 0;
	struct errand *errand = bpf_map_lookup_elem(&errands, &zero);

	if (!errand)
		return counted(kind, XDP_DROP);
	errand->kind = kind;
	errand->mtu = mtu;
	return VERDICT_ERRAND;
}

/* Comes back only when the second program is not there: what has a reason is dropped by it, the rest is the kernel's. */
static __always_inline int run_errand(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct errand *errand;

	bpf_tail_call(ctx, &futago_slots, SLOT_ODDITIES);
	errand = bpf_map_lookup_elem(&errands, &zero);
	if (!errand || errand->kind == ERRAND_ODD)
		return XDP_PASS;
	return counted(errand->kind, XDP_DROP);
}

static __always_inline __u64 changed_address(const struct packet *packet, const struct address *from,
					     const struct address *to)
{
	__u64 changes = changed32(from->words[3], to->words[3]);

	if (packet->is_ipv6)
		changes += changed32(from->words[0], to->words[0]) + changed32(from->words[1], to->words[1]) +
			   changed32(from->words[2], to->words[2]);
	return changes;
}

/* `addresses` is their change; one router more was passed when `hops` is 1. */
static __always_inline void rewrite_ip(struct packet *packet, const struct rewrite *to, __u64 addresses, __u32 hops)
{
	if (packet->is_ipv6) {
		struct ipv6hdr *ip6 = packet->ip;

		if ((void *)(ip6 + 1) > packet->end)
			return;
		__builtin_memcpy(&ip6->saddr, &to->source, sizeof(to->source));
		__builtin_memcpy(&ip6->daddr, &to->destination, sizeof(to->destination));
		ip6->hop_limit -= hops;
	} else {
		struct iphdr *ip4 = packet->ip;

		if ((void *)(ip4 + 1) > packet->end)
			return;
		/* The TTL is the upper byte of its 16-bit word. */
		update_checksum(&ip4->check, addresses + changed16(bpf_htons(hops << 8), 0));
		ip4->saddr = to->source.words[3];
		ip4->daddr = to->destination.words[3];
		ip4->ttl -= hops;
	}
}

static __always_inline void rewrite_transport(struct packet *packet, const struct rewrite *to, __u64 changes)
{
	if (packet->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = packet->l4;

		if ((void *)(tcp + 1) > packet->end)
			return;
		update_checksum(&tcp->check, changes);
		tcp->source = to->source_port;
		tcp->dest = to->destination_port;
	} else {
		struct udphdr *udp = packet->l4;

		if ((void *)(udp + 1) > packet->end)
			return;
		/* No checksum stays none; one that comes out as zero is sent as all ones. RFC 768, RFC 6936 */
		if (udp->check) {
			update_checksum(&udp->check, changes);
			if (!udp->check)
				udp->check = 0xffff;
		}
		udp->source = to->source_port;
		udp->dest = to->destination_port;
	}
}

static __always_inline void rewrite(struct packet *packet, const struct rewrite *to, __u32 hops)
{
	__u64 addresses = changed_address(packet, &packet->source, &to->source) +
			  changed_address(packet, &packet->destination, &to->destination);
	__u64 ports = changed16(packet->source_port, to->source_port) +
		      changed16(packet->destination_port, to->destination_port);

	rewrite_ip(packet, to, addresses, hops);
	rewrite_transport(packet, to, addresses + ports);
}

static __always_inline int is_expired(const struct packet *packet)
{
	return packet->ttl <= 1;
}

/* The packet goes to the kernel rewritten, with a word in front of it for the gate; without room for that it goes bare. */
static __noinline int leave_to_kernel(struct xdp_md *ctx, __u32 reason)
{
	__u32 *meta;

	if (!bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta))) {
		meta = (void *)(long)ctx->data_meta;
		if ((void *)(meta + 1) <= (void *)(long)ctx->data)
			*meta = META_REWRITTEN;
	}
	return counted(reason, XDP_PASS);
}

/* Whether a frame goes back by the port that it came in without being redirected. */
static __always_inline int bounces(struct xdp_md *ctx)
{
	__u32 ingress = ctx->ingress_ifindex;

	return !bpf_map_lookup_elem(&futago_veths, &ingress);
}

/* Out by the port, in the frame of the next hop; XDP_PASS when the port takes no redirected frame. */
static __always_inline int port_of(struct xdp_md *ctx, const struct hop *hop)
{
	if (hop->ifindex == ctx->ingress_ifindex && bounces(ctx))
		return XDP_TX;
	return bpf_redirect_map(&futago_ports, hop->ifindex, XDP_PASS);
}

/* An answer of the balancer's own, by the port that the packet came in. */
static __always_inline int send_back(struct xdp_md *ctx)
{
	return bounces(ctx) ? XDP_TX : bpf_redirect_map(&futago_ports, ctx->ingress_ifindex, XDP_DROP);
}

static __always_inline void address_frame(struct packet *packet, const struct hop *hop)
{
	const word *from = (const word *)hop->destination;
	word *to = (word *)packet->ethernet->h_dest;

	/* Both addresses, which follow each other here and there. */
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
}

/* The reason why the kernel is to send a packet, or negative: the box does, by `*verdict`. */
static __always_inline int reason_to_leave(struct xdp_md *ctx, enum way way, const struct hop *hop, int *verdict)
{
	if (way == WAY_UNRESOLVED)
		return PASS_NO_NEIGHBOUR;
	if (way == WAY_TOO_BIG)
		return PASS_TOO_BIG;
	*verdict = port_of(ctx, hop);
	return *verdict == XDP_PASS ? PASS_NO_PORT : -1;
}

/* Sends a packet on in `nat` and `one-arm`. What the box cannot send by itself goes by the kernel, rewritten. */
static __always_inline int transmit(struct xdp_md *ctx, struct packet *packet, const struct rewrite *to, enum way way,
				    const struct hop *hop)
{
	int verdict = XDP_PASS, reason = reason_to_leave(ctx, way, hop, &verdict);

	/* The kernel counts the router itself. */
	rewrite(packet, to, reason < 0);
	if (reason >= 0)
		return leave_to_kernel(ctx, reason);
	address_frame(packet, hop);
	return verdict;
}

static __always_inline int is_same_mac(const __u8 *a, const __u8 *b)
{
	return *(const __u32 *)a == *(const __u32 *)b && *(const __u16 *)(a + 4) == *(const __u16 *)(b + 4);
}

/*
 * Sends a packet on in `direct`: the kernel would take it for the box itself, so what cannot go is dropped. A gateway
 * would send it back here, and no TTL would end that.
 */
static __always_inline int transmit_direct(struct xdp_md *ctx, struct packet *packet, const struct hop *hop)
{
	int verdict;

	/* A frame that a switch showed to everybody; the backend has it already, and the kernel drops it. */
	if (hop->ifindex == ctx->ingress_ifindex && is_same_mac(packet->ethernet->h_dest, hop->destination))
		return XDP_PASS;
	verdict = port_of(ctx, hop);
	if (verdict == XDP_PASS || hop->is_gateway)
		return counted(DROP_NO_ROUTE, XDP_DROP);
	address_frame(packet, hop);
	return verdict;
}

#endif
