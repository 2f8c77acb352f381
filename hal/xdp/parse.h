/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Finds the headers of an IPv4 TCP packet. */
#ifndef FUTAGO_PARSE_H
#define FUTAGO_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

enum shape {
	/* Not for the balancer: the kernel's. */
	SHAPE_OTHER,
	SHAPE_WHOLE,
	/* Has the TCP header, but not the whole payload. */
	SHAPE_FIRST_FRAGMENT,
	/* Has no TCP header: `tcp` is not set. */
	SHAPE_LATER_FRAGMENT,
	SHAPE_TRUNCATED,
};

/* The pointers into the packet are bounds-checked for the whole fixed header they point to. */
struct packet {
	struct ethhdr *ethernet;
	struct iphdr *ip;
	struct tcphdr *tcp;
	__u32 length;
};

static __always_inline enum shape parse(struct xdp_md *ctx, struct packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct tcphdr *tcp;
	__u16 fragment;

	if ((void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return SHAPE_OTHER;
	/* Multicast and broadcast frames are never a service's. */
	if (ethernet->h_dest[0] & 1 || ip->version != 4 || ip->ihl < 5 || ip->protocol != IPPROTO_TCP)
		return SHAPE_OTHER;
	packet->ethernet = ethernet;
	packet->ip = ip;
	packet->length = bpf_ntohs(ip->tot_len);
	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & IPV4_FRAGMENT_OFFSET)
		return SHAPE_LATER_FRAGMENT;
	tcp = (void *)ip + ip->ihl * 4;
	if ((void *)(tcp + 1) > end || packet->length < ip->ihl * 4 + sizeof(*tcp))
		return SHAPE_TRUNCATED;
	packet->tcp = tcp;
	return fragment & IPV4_MORE_FRAGMENTS ? SHAPE_FIRST_FRAGMENT : SHAPE_WHOLE;
}

#endif
