/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* By which port and to which Ethernet address a packet goes on: remembered, else the kernel's routes and neighbours. */
#ifndef FUTAGO_HOP_H
#define FUTAGO_HOP_H

#include "maps-balancer.h"
#include "known.h"
#include "parse.h"

#define FAMILY_INET 2
#define FAMILY_INET6 10

enum way {
	WAY_KNOWN,
	/* There is a route, and the neighbour is not resolved. */
	WAY_UNRESOLVED,
	WAY_TOO_BIG,
	WAY_NONE,
};

/* What of a packet, its addresses aside, bears upon its way. */
struct traits {
	__u16 length;
	__u8 protocol;
	__u8 tos;
	__u8 is_ipv6;
	__u8 zero[3];
};

static __always_inline void fill_lookup(const struct traits *traits, const struct address *source,
					const struct address *destination, struct bpf_fib_lookup *fib)
{
	fib->l4_protocol = traits->protocol;
	fib->tot_len = traits->length;
	if (traits->is_ipv6) {
		fib->family = FAMILY_INET6;
		__builtin_memcpy(fib->ipv6_src, source, sizeof(*source));
		__builtin_memcpy(fib->ipv6_dst, destination, sizeof(*destination));
	} else {
		fib->family = FAMILY_INET;
		fib->tos = traits->tos;
		fib->ipv4_src = source->words[3];
		fib->ipv4_dst = destination->words[3];
	}
}

/* The kernel leaves the next hop where the destination was. */
static __always_inline int is_by_gateway(const struct bpf_fib_lookup *fib, const struct address *destination, int is_ipv6)
{
	if (is_ipv6)
		return !same_address((const struct address *)fib->ipv6_dst, destination);
	return fib->family != FAMILY_INET || fib->ipv4_dst != destination->words[3];
}

/* The way by the kernel's routes and neighbours, an enum way; `until_ns` and `generation` are the caller's to fill. */
__noinline int ask_kernel(struct xdp_md *ctx, const struct traits *traits, const struct address *source,
			  const struct address *destination, struct hop *hop)
{
	struct bpf_fib_lookup fib = {};
	long found;

	if (!traits || !source || !destination || !hop)
		return WAY_NONE;
	fill_lookup(traits, source, destination, &fib);
	fib.ifindex = ctx->ingress_ifindex;
	found = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	hop->mtu = fib.mtu_result;
	if (found == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return WAY_TOO_BIG;
	if (found == BPF_FIB_LKUP_RET_NO_NEIGH)
		return WAY_UNRESOLVED;
	if (found != BPF_FIB_LKUP_RET_SUCCESS)
		return WAY_NONE;
	hop->ifindex = fib.ifindex;
	hop->is_gateway = is_by_gateway(&fib, destination, traits->is_ipv6);
	__builtin_memcpy(hop->destination, fib.dmac, ETH_ALEN);
	__builtin_memcpy(hop->source, fib.smac, ETH_ALEN);
	return WAY_KNOWN;
}

static __always_inline int is_fresh(const struct hop *hop, __u64 now, __u32 generation)
{
	return hop->until_ns > now && hop->generation == generation;
}

/*
 * The way of a packet that goes from `source` to `destination`. `known` is what this processor remembers of it, or
 * null; it is written when the way is found anew, and `*hop`, of which the caller lends one, is the way in any case.
 */
static __always_inline enum way find_way(struct xdp_md *ctx, const struct packet *packet, const struct address *source,
					 const struct address *destination, struct hop *known, __u64 now,
					 __u32 generation, struct hop **hop)
{
	struct traits traits;
	enum way way;

	if (known && is_fresh(known, now, generation)) {
		*hop = known;
		return packet->length > known->mtu ? WAY_TOO_BIG : WAY_KNOWN;
	}
	traits = (struct traits){ .length = packet->length, .protocol = packet->protocol, .tos = packet->tos,
				  .is_ipv6 = packet->is_ipv6 };
	**hop = (struct hop){};
	way = ask_kernel(ctx, &traits, source, destination, *hop);
	if (way != WAY_KNOWN)
		return way;
	(*hop)->until_ns = now + MEMORY_LASTS_NS;
	(*hop)->generation = generation;
	if (known)
		*known = **hop;
	return WAY_KNOWN;
}

static __always_inline enum way way_to_backend(struct xdp_md *ctx, const struct packet *packet,
					       const struct address *source, const struct address *address,
					       __u32 number, __u64 now, __u32 generation, struct hop **hop)
{
	struct hop *known = bpf_map_lookup_elem(&backend_hops, &number);

	return find_way(ctx, packet, source, address, known, now, generation, hop);
}

/* `known` as in find_way. */
static __always_inline enum way way_to_client(struct xdp_md *ctx, const struct packet *packet,
					      const struct address *source, const struct address *client,
					      struct hop *known, __u64 now, __u32 generation, struct hop **hop)
{
	enum way way = find_way(ctx, packet, source, client, known, now, generation, hop);

	if (!known && way == WAY_KNOWN)
		bpf_map_update_elem(&client_hops, client, *hop, BPF_ANY);
	return way;
}

#endif
