/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Finds the headers of an IPv4 or IPv6 packet that carries TCP or UDP. */
#ifndef FUTAGO_PARSE_H
#define FUTAGO_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "address.h"

#define IPV4_DO_NOT_FRAGMENT 0x4000
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

/* Of IPv6 extension headers, and of their bytes, a packet to a service may have so many. */
#define EXTENSIONS_MAX 4
#define EXTENSION_BYTES_MAX 0xff

enum shape {
	/* Not for the balancer: the kernel's. */
	SHAPE_OTHER,
	SHAPE_WHOLE,
	/* An ICMP message, a fragment, or cut before its ports: the second program's. `l4` is not set. */
	SHAPE_ODD,
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* Of a TCP header, in the host's order. */
struct segment {
	__u32 sequence;
	__u32 acknowledgement;
	__u32 flags;
};

/*
 * What decisions need is copied. The pointers are good for the fixed header they point to, which the verifier forgets
 * where two families or protocols meet: whoever writes through them checks against `end` again.
 */
struct packet {
	void *end;
	struct ethhdr *ethernet;
	union {
		struct iphdr *ip4;
		struct ipv6hdr *ip6;
		void *ip;
	};
	union {
		struct tcphdr *tcp;
		struct udphdr *udp;
		void *l4;
	};
	struct address source;
	struct address destination;
	union {
		struct {
			__be16 source_port;
			__be16 destination_port;
		};
		__be32 ports;
	};
	/* Of the IP packet. */
	__u32 length;
	__u8 protocol;
	/* TCP's, of its first byte; the low bits of its checksum are as good as a die. */
	__u8 flags;
	__u8 die;
	__u8 is_ipv6;
	/* TTL or hop limit, type of service or traffic class. */
	__u8 ttl;
	__u8 tos;
	/* IPv4, and the sender does not forbid it. */
	__u8 may_fragment;
	/* The rest of the packet follows in frames of their own: the second program's. */
	__u8 is_first_fragment;
	__u32 fragment_id;
};

/* Bytes behind the TCP header. */
static __always_inline __u32 tcp_payload(const struct packet *packet)
{
	struct tcphdr *tcp = packet->tcp;
	__u32 headers;

	if ((void *)(tcp + 1) > packet->end)
		return 0;
	headers = (packet->l4 - packet->ip) + tcp->doff * 4;
	return packet->length > headers ? packet->length - headers : 0;
}

/* Of a packet that carries TCP. */
static __always_inline struct segment segment_of(const struct packet *packet)
{
	struct segment segment = { .flags = packet->flags };
	const struct tcphdr *tcp = packet->tcp;

	if ((void *)(tcp + 1) <= packet->end) {
		segment.sequence = bpf_ntohl(tcp->seq);
		segment.acknowledgement = bpf_ntohl(tcp->ack_seq);
	}
	return segment;
}

/* Opens a connection. */
static __always_inline int is_syn(const struct packet *packet)
{
	return packet->protocol == IPPROTO_TCP && (packet->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline void read_ipv6_address(struct address *to, const struct in6_addr *from)
{
	__builtin_memcpy(to, from, sizeof(*to));
}

/* The transport header, in whole. */
static __always_inline enum shape parse_transport(void *l4, void *end, struct packet *packet)
{
	packet->l4 = l4;
	if (packet->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = l4;

		if ((void *)(tcp + 1) > end)
			return SHAPE_ODD;
		packet->flags = ((__u8 *)tcp)[13];
		packet->die = bpf_ntohs(tcp->check);
	} else if (packet->protocol == IPPROTO_UDP) {
		if (l4 + sizeof(struct udphdr) > end)
			return SHAPE_ODD;
	} else {
		return packet->protocol == (packet->is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ? SHAPE_ODD : SHAPE_OTHER;
	}
	/* Both begin with their ports. */
	packet->ports = *(__be32 *)l4;
	return SHAPE_WHOLE;
}

static __always_inline __u32 fixed_header(__u8 protocol)
{
	return protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
}

static __always_inline enum shape parse4(void *end, struct packet *packet)
{
	struct iphdr *ip = packet->ip4;
	__u32 header, fixed;

	if ((void *)(ip + 1) > end)
		return SHAPE_OTHER;
	header = ip->ihl * 4;
	if (ip->version != 4 || header < sizeof(*ip))
		return SHAPE_OTHER;
	packet->source = mapped_address(ip->saddr);
	packet->destination = mapped_address(ip->daddr);
	packet->protocol = ip->protocol;
	packet->length = bpf_ntohs(ip->tot_len);
	packet->ttl = ip->ttl;
	packet->tos = ip->tos;
	packet->may_fragment = !(ip->frag_off & bpf_htons(IPV4_DO_NOT_FRAGMENT));
	fixed = fixed_header(ip->protocol);
	if (ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET) ||
	    packet->length < header + fixed || packet->length > end - packet->ip)
		return ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_ICMP
			       ? SHAPE_ODD
			       : SHAPE_OTHER;
	return parse_transport((void *)ip + header, end, packet);
}

static __always_inline int is_extension(__u8 header)
{
	return header == IPPROTO_HOPOPTS || header == IPPROTO_DSTOPTS || header == IPPROTO_ROUTING;
}

/* A routing header that is not used up: the destination is not the last, and the checksum counts the last. */
static __always_inline int has_further_to_go(__u8 header, const struct ipv6_opt_hdr *extension)
{
	return header == IPPROTO_ROUTING && ((const __u8 *)extension)[3];
}

static __always_inline enum shape parse6(void *end, struct packet *packet)
{
	struct ipv6hdr *ip = packet->ip6;
	__u32 skipped = 0;
	void *at = ip + 1;
	__u8 next;

	if (at > end)
		return SHAPE_OTHER;
	if (ip->version != 6)
		return SHAPE_OTHER;
	read_ipv6_address(&packet->source, &ip->saddr);
	read_ipv6_address(&packet->destination, &ip->daddr);
	packet->is_ipv6 = 1;
	packet->ttl = ip->hop_limit;
	packet->length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	next = ip->nexthdr;
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		struct ipv6_opt_hdr *extension = at + skipped;

		if (!is_extension(next))
			break;
		if ((void *)extension + 4 > end || has_further_to_go(next, extension))
			return SHAPE_ODD;
		next = extension->nexthdr;
		skipped += (extension->hdrlen + 1) * 8;
		if (skipped > EXTENSION_BYTES_MAX)
			return SHAPE_ODD;
	}
	if (is_extension(next) || next == IPPROTO_FRAGMENT)
		return SHAPE_ODD;
	packet->protocol = next;
	if ((next == IPPROTO_TCP || next == IPPROTO_UDP) &&
	    (packet->length < sizeof(*ip) + skipped + fixed_header(next) || packet->length > end - packet->ip))
		return SHAPE_ODD;
	return parse_transport(at + skipped, end, packet);
}

static __always_inline enum shape parse(struct xdp_md *ctx, struct packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	__be16 ethertype;

	if ((void *)(ethernet + 1) > end)
		return SHAPE_OTHER;
	/* Multicast and broadcast frames are never a service's. */
	if (ethernet->h_dest[0] & 1)
		return SHAPE_OTHER;
	packet->end = end;
	packet->ethernet = ethernet;
	packet->ip = ethernet + 1;
	ethertype = *(__be16 *)(data + 2 * ETH_ALEN);
	if (ethertype == bpf_htons(ETH_P_IP))
		return parse4(end, packet);
	if (ethertype == bpf_htons(ETH_P_IPV6))
		return parse6(end, packet);
	return SHAPE_OTHER;
}

#endif
