/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Rewrites one end of an IPv4 TCP packet and sends it on its way. */
#ifndef FUTAGO_FORWARD_H
#define FUTAGO_FORWARD_H

#include "checksum.h"
#include "count.h"
#include "parse.h"

#define FAMILY_INET 2

/* One end of a packet as it is to become; the other end stays. */
struct rewrite {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
};

static __always_inline void rewrite(struct packet *packet, const struct rewrite *to)
{
	struct iphdr *ip = packet->ip;
	struct tcphdr *tcp = packet->tcp;
	__u64 addresses = changed32(ip->saddr, to->source) + changed32(ip->daddr, to->destination);
	__u64 ports = changed16(tcp->source, to->source_port) + changed16(tcp->dest, to->destination_port);

	update_checksum(&ip->check, addresses);
	update_checksum(&tcp->check, addresses + ports);
	ip->saddr = to->source;
	ip->daddr = to->destination;
	tcp->source = to->source_port;
	tcp->dest = to->destination_port;
}

static __always_inline void decrement_ttl(struct iphdr *ip)
{
	/* The TTL is the upper byte of its 16-bit word. */
	update_checksum(&ip->check, changed16(bpf_htons(0x0100), 0));
	ip->ttl--;
}

/* The packet goes to the kernel rewritten, with a word in front of it for the gate. Without room for the word it goes bare. */
static __always_inline int leave_to_kernel(struct xdp_md *ctx, __u32 reason)
{
	__u32 *meta;

	if (!bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta))) {
		meta = (void *)(long)ctx->data_meta;
		if ((void *)(meta + 1) <= (void *)(long)ctx->data)
			*meta = META_REWRITTEN;
	}
	return counted(reason, XDP_PASS);
}

/* Negative when the packet can go: by `fib`, or through the kernel when its neighbour is not resolved. Else why not. */
static __always_inline int find_route(struct xdp_md *ctx, const struct packet *packet, const struct rewrite *to,
				      struct bpf_fib_lookup *fib, long *found)
{
	if (packet->ip->ttl <= 1)
		return DROP_TTL;
	fib->family = FAMILY_INET;
	fib->l4_protocol = IPPROTO_TCP;
	fib->sport = to->source_port;
	fib->dport = to->destination_port;
	fib->tot_len = packet->length;
	fib->ifindex = ctx->ingress_ifindex;
	fib->tos = packet->ip->tos;
	fib->ipv4_src = to->source;
	fib->ipv4_dst = to->destination;
	*found = bpf_fib_lookup(ctx, fib, sizeof(*fib), 0);
	if (*found == BPF_FIB_LKUP_RET_SUCCESS || *found == BPF_FIB_LKUP_RET_NO_NEIGH)
		return -1;
	return *found == BPF_FIB_LKUP_RET_FRAG_NEEDED ? DROP_TOO_BIG : DROP_NO_ROUTE;
}

/* After find_route: a port that takes no redirected frame is reached through the kernel too. */
static __always_inline int transmit(struct xdp_md *ctx, struct packet *packet, const struct rewrite *to,
				    const struct bpf_fib_lookup *fib, long found)
{
	int verdict = XDP_TX;

	rewrite(packet, to);
	if (found == BPF_FIB_LKUP_RET_NO_NEIGH)
		return leave_to_kernel(ctx, PASS_NO_NEIGHBOUR);
	if (fib->ifindex != ctx->ingress_ifindex)
		verdict = bpf_redirect_map(&futago_ports, fib->ifindex, XDP_PASS);
	if (verdict == XDP_PASS)
		return leave_to_kernel(ctx, PASS_NO_PORT);
	decrement_ttl(packet->ip);
	__builtin_memcpy(packet->ethernet->h_dest, fib->dmac, ETH_ALEN);
	__builtin_memcpy(packet->ethernet->h_source, fib->smac, ETH_ALEN);
	return verdict;
}

#endif
