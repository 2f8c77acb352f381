/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What all answers have in common that the balancer makes itself and sends back by the port that the packet came in. */
#ifndef FUTAGO_ANSWER_H
#define FUTAGO_ANSWER_H

#include "checksum.h"
#include "relay.h"

#define ANSWER_TTL 64

static __always_inline __u16 folded(__u64 sum)
{
	__u16 checksum = 0xffff;

	update_checksum(&checksum, sum);
	return checksum;
}

/* Of the answer to a frame of these addresses. */
static __always_inline void answer_frame(struct ethhdr *ethernet, const struct ethhdr *question)
{
	__builtin_memcpy(ethernet->h_dest, question->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, question->h_dest, ETH_ALEN);
	ethernet->h_proto = question->h_proto;
}

static __always_inline void answer_ip4(struct iphdr *ip, const struct address *source,
				       const struct address *destination, __u8 protocol, __u8 tos, __u16 payload)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->tos = tos;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(sizeof(*ip) + payload);
	ip->frag_off = bpf_htons(IPV4_DO_NOT_FRAGMENT);
	ip->ttl = ANSWER_TTL;
	ip->protocol = protocol;
	ip->saddr = source->words[3];
	ip->daddr = destination->words[3];
	ip->check = folded(bpf_csum_diff(0, 0, (__be32 *)ip, sizeof(*ip), 0));
}

static __always_inline void answer_ip6(struct ipv6hdr *ip, const struct address *source,
				       const struct address *destination, __u8 protocol, __u16 payload)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = bpf_htons(payload);
	ip->nexthdr = protocol;
	ip->hop_limit = ANSWER_TTL;
	__builtin_memcpy(&ip->saddr, source, sizeof(*source));
	__builtin_memcpy(&ip->daddr, destination, sizeof(*destination));
}

/* The sum of the words that a transport checksum covers besides its message. RFC 9293 3.1, RFC 8200 8.1 */
static __always_inline __u64 pseudo_header(const struct address *source, const struct address *destination,
					   __u8 is_ipv6, __u8 protocol, __u16 payload)
{
	__u64 sum = (__u32)bpf_htonl(payload) + (__u64)bpf_htonl(protocol);

	for (int i = is_ipv6 ? 0 : 3; i < 4; i++)
		sum += (__u64)source->words[i] + destination->words[i];
	return sum;
}

/* Nobody is told what is wrong who is not one. RFC 1122 section 3.2.2, RFC 4443 section 2.4 */
static __always_inline int is_one_host(const struct address *address, __u8 is_ipv6)
{
	__u8 first = bpf_ntohl(address->words[is_ipv6 ? 0 : 3]) >> 24;

	if (is_ipv6)
		return first != 0xff && (address->words[0] || address->words[1] || address->words[2] || address->words[3]);
	return first != 0 && first != 127 && first < 224;
}

#endif
