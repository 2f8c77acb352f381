/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Makes TCP packets of as many flows as wanted, and takes them in at the far end. Clients have 16 connections each. The
 * headers are written whole each time: the kernel gives the same page again and again, as the last packet left it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "frames.h"

#define IPV4_FRAME 60
#define IPV6_FRAME 74
#define FIRST_PORT 1024
#define SYN 0x02
#define ACK 0x10

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct plan);
} plans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct turn);
} turns SEC(".maps");

/* Each end is one thread's, so plain sums do. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct arrivals);
} arrived SEC(".maps");

/* What a test run calls with the frame that was made. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} called SEC(".maps");

static __always_inline void add(__u16 *checksum, __u64 more)
{
	__u64 sum = (__u16)~*checksum + more;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*checksum = ~sum;
}

static __always_inline __u64 words_of(__u32 value)
{
	return (value & 0xffff) + (value >> 16);
}

/* Eight bytes at a time; the verifier knows `bytes`. */
static __always_inline void copy(void *to, const void *from, int bytes)
{
	__u64 *words = to;
	const __u64 *source = from;
	int i = 0;

	for (; i < bytes / 8; i++)
		words[i] = source[i];
	if (bytes & 4)
		*(__u32 *)(to + 8 * i) = *(const __u32 *)(from + 8 * i);
	if (bytes & 2)
		*(__u16 *)(to + (bytes & ~3)) = *(const __u16 *)(from + (bytes & ~3));
}

static __always_inline int make4(struct xdp_md *ctx, const __u8 *template, __u32 client, __be16 port)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	__be32 address;

	if (data + IPV4_FRAME > end)
		return 0;
	copy(data, template, IPV4_FRAME);
	address = bpf_htonl(client);
	ip->saddr |= address;
	tcp->source = port;
	add(&ip->check, words_of(address));
	add(&tcp->check, words_of(address) + port);
	return 1;
}

static __always_inline int make6(struct xdp_md *ctx, const __u8 *template, __u32 client, __be16 port)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ipv6hdr *ip = data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	__be32 address;

	if (data + IPV6_FRAME > end)
		return 0;
	copy(data, template, IPV6_FRAME);
	address = bpf_htonl(client);
	ip->saddr.in6_u.u6_addr32[3] = address;
	tcp->source = port;
	add(&tcp->check, words_of(address) + port);
	return 1;
}

/* The next packet of the plan. */
static __always_inline int make(struct xdp_md *ctx)
{
	__u32 zero = 0, flow, step, client;
	struct plan *plan = bpf_map_lookup_elem(&plans, &zero);
	struct turn *turn = bpf_map_lookup_elem(&turns, &zero);
	const __u8 *template;
	__be16 port;

	if (!plan || !turn)
		return 0;
	flow = turn->flow;
	step = turn->step;
	if (++turn->step >= plan->steps) {
		turn->step = 0;
		if (++turn->flow == plan->flows)
			turn->flow = 0;
	}
	template = step ? plan->templates[1] : plan->templates[0];
	/* 198.18.0.0/15 has 2^17 addresses. RFC 2544 appendix C.2.2 */
	client = flow >> 4 & 0x1ffff;
	port = bpf_htons(FIRST_PORT + (flow & 15) + (flow >> 21 << 4));
	return plan->is_ipv6 ? make6(ctx, template, client, port) : make4(ctx, template, client, port);
}

/* Sent back by the port that it is said to have come in by. */
SEC("xdp")
int frames_generate(struct xdp_md *ctx)
{
	return make(ctx) ? XDP_TX : XDP_ABORTED;
}

SEC("xdp")
int frames_call(struct xdp_md *ctx)
{
	if (make(ctx))
		bpf_tail_call(ctx, &called, 0);
	return XDP_ABORTED;
}

/* The empty loop: what a test run costs by itself. */
SEC("xdp")
int frames_stop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

/* The TCP header of a whole packet, or null. */
static __always_inline struct tcphdr *find_tcp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	struct iphdr *ip4 = data + ETH_HLEN;
	struct ipv6hdr *ip6 = data + ETH_HLEN;

	if (data + ETH_HLEN + sizeof(*ip4) + sizeof(struct tcphdr) > end)
		return 0;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP) && ip4->protocol == IPPROTO_TCP)
		return (void *)(ip4 + 1);
	if (ethernet->h_proto != bpf_htons(ETH_P_IPV6) || data + IPV6_FRAME > end || ip6->nexthdr != IPPROTO_TCP)
		return 0;
	return (void *)(ip6 + 1);
}

/*
 * Sends a segment back with other flags, acknowledging it. Swapped ends leave every sum as it was. Redirected, because
 * what a veth port sends back by XDP_TX waits at the other until that has a program, too (veth_xdp_flush).
 */
static __always_inline int answer(struct xdp_md *ctx, struct tcphdr *tcp, __u8 flags)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	__u8 *flags_at = (__u8 *)tcp + 13;
	__be32 sequence, acknowledgement;
	__be16 port;
	__u8 mac[ETH_ALEN];

	if (data + ETH_HLEN + sizeof(struct iphdr) + sizeof(*tcp) > end || (void *)(tcp + 1) > end)
		return XDP_DROP;
	__builtin_memcpy(mac, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, mac, ETH_ALEN);
	if (ethernet->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = data + ETH_HLEN;
		__be32 address = ip->saddr;

		ip->saddr = ip->daddr;
		ip->daddr = address;
		add(&ip->check, (__u16)~bpf_htons(ip->ttl << 8 | ip->protocol) + bpf_htons(64 << 8 | ip->protocol));
		ip->ttl = 64;
	} else {
		struct ipv6hdr *ip = data + ETH_HLEN;
		struct in6_addr address;

		if (data + IPV6_FRAME > end)
			return XDP_DROP;
		address = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = address;
		ip->hop_limit = 64;
	}
	port = tcp->source;
	tcp->source = tcp->dest;
	tcp->dest = port;
	sequence = tcp->ack_seq;
	acknowledgement = bpf_htonl(bpf_ntohl(tcp->seq) + 1);
	add(&tcp->check, words_of(~tcp->seq) + words_of(~tcp->ack_seq) + words_of(sequence) + words_of(acknowledgement) +
				 (__u16)~bpf_htons(*flags_at) + bpf_htons(flags));
	tcp->seq = sequence;
	tcp->ack_seq = acknowledgement;
	*flags_at = flags;
	return bpf_redirect(ctx->ingress_ifindex, 0);
}

/* Behind the box. What is no TCP, ARP above all, is the kernel's. */
SEC("xdp")
int frames_back(struct xdp_md *ctx)
{
	struct tcphdr *tcp = find_tcp(ctx);
	__u32 zero = 0;
	struct plan *plan = bpf_map_lookup_elem(&plans, &zero);
	struct arrivals *arrivals = bpf_map_lookup_elem(&arrived, &zero);

	if (!tcp || !plan || !arrivals)
		return XDP_PASS;
	arrivals->back++;
	return plan->answers && ((__u8 *)tcp)[13] == SYN ? answer(ctx, tcp, SYN | ACK) : XDP_DROP;
}

/* Before the box, where the frames come from. */
SEC("xdp")
int frames_front(struct xdp_md *ctx)
{
	struct tcphdr *tcp = find_tcp(ctx);
	__u32 zero = 0;
	struct arrivals *arrivals = bpf_map_lookup_elem(&arrived, &zero);

	if (!tcp || !arrivals)
		return XDP_PASS;
	arrivals->front++;
	return ((__u8 *)tcp)[13] == (SYN | ACK) ? answer(ctx, tcp, ACK) : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
