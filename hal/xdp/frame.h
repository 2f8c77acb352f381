/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Reads what the gate needs from a frame, wherever its bytes lie. Every function is false when the frame is too
 * short or not what it should be; the kernel drops such frames by itself.
 */
#ifndef FUTAGO_FRAME_H
#define FUTAGO_FRAME_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "lease.h"

#define ETHERTYPE_AT 12
#define VLAN_TAGS_MAX 2

/* RFC 826 for IPv4 over Ethernet: the first eight bytes, and where the protocol addresses lie. */
#define ARP_ETHERNET_IPV4 0x0001080006040000ULL
#define ARP_KIND_MASK 0xffffffffffff0000ULL
#define ARP_SENDER 14
#define ARP_TARGET 24

#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV4_OFFSET_MASK 0x1fff
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24
#define IPV6_HEADER 40
#define IPV6_EXTENSIONS_MAX 8

/* RFC 4861 sections 4.3 and 4.4. */
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define ND_TARGET_AT 8

#define TCP_FLAGS_AT 13
#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* No protocol of the next layer, or one whose header is not in this packet. */
#define PROTOCOL_UNSEEN IPPROTO_RAW

struct layer3 {
	__u32 offset;
	__be16 ethertype;
};

static __always_inline int find_layer3(struct __sk_buff *skb, struct layer3 *l3)
{
	l3->offset = ETHERTYPE_AT;
#pragma unroll
	for (int tags = 0; tags <= VLAN_TAGS_MAX; tags++) {
		if (bpf_skb_load_bytes(skb, l3->offset, &l3->ethertype, 2))
			return 0;
		l3->offset += 2;
		if (l3->ethertype != bpf_htons(ETH_P_8021Q) && l3->ethertype != bpf_htons(ETH_P_8021AD))
			return 1;
		l3->offset += 2;
	}
	return 0;
}

static __always_inline int load_arp(struct __sk_buff *skb, __u32 at, __u32 field, struct address *address)
{
	__be64 kind;
	__be32 ipv4;

	if (bpf_skb_load_bytes(skb, at, &kind, 8) ||
	    (kind & bpf_cpu_to_be64(ARP_KIND_MASK)) != bpf_cpu_to_be64(ARP_ETHERNET_IPV4))
		return 0;
	if (bpf_skb_load_bytes(skb, at + field, &ipv4, 4))
		return 0;
	*address = mapped_address(ipv4);
	return 1;
}

static __always_inline int load_ipv4(struct __sk_buff *skb, __u32 at, __u32 field, struct address *address,
				     __u8 *protocol, __u32 *payload)
{
	__u8 header[20];
	__be32 ipv4;

	if (bpf_skb_load_bytes(skb, at, header, sizeof(header)) || header[0] >> 4 != 4 || (header[0] & 15) < 5)
		return 0;
	__builtin_memcpy(&ipv4, header + field, 4);
	*address = mapped_address(ipv4);
	*protocol = ((header[6] << 8 | header[7]) & IPV4_OFFSET_MASK) ? PROTOCOL_UNSEEN : header[9];
	*payload = at + (header[0] & 15) * 4;
	return 1;
}

/*
 * Steps over one extension header (RFC 8200 section 4). False when `protocol` is the one that is wanted, or when
 * there is nothing to see behind it.
 */
static __always_inline int skip_extension(struct __sk_buff *skb, __u8 *protocol, __u32 *at)
{
	__u8 header[4];
	__u8 kind = *protocol;

	if (kind != IPPROTO_HOPOPTS && kind != IPPROTO_ROUTING && kind != IPPROTO_DSTOPTS && kind != IPPROTO_AH &&
	    kind != IPPROTO_FRAGMENT)
		return 0;
	*protocol = PROTOCOL_UNSEEN;
	if (bpf_skb_load_bytes(skb, *at, header, sizeof(header)))
		return 0;
	/* A fragment header's upper 13 bits are the offset: only the first fragment shows what is inside. */
	if (kind == IPPROTO_FRAGMENT && ((header[2] << 8 | header[3]) & 0xfff8))
		return 0;
	*protocol = header[0];
	if (kind == IPPROTO_FRAGMENT)
		*at += 8;
	else if (kind == IPPROTO_AH)
		*at += (header[1] + 2) * 4;
	else
		*at += (header[1] + 1) * 8;
	return 1;
}

static __always_inline int load_ipv6(struct __sk_buff *skb, __u32 at, __u32 field, struct address *address,
				     __u8 *protocol, __u32 *payload)
{
	__u8 start[8];

	if (bpf_skb_load_bytes(skb, at, start, sizeof(start)) || start[0] >> 4 != 6)
		return 0;
	if (bpf_skb_load_bytes(skb, at + field, address, sizeof(*address)))
		return 0;
	*protocol = start[6];
	*payload = at + IPV6_HEADER;
	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		if (!skip_extension(skb, protocol, payload))
			break;
	}
	return 1;
}

/* The target of a neighbour solicitation or advertisement; false, and nothing changed, for any other ICMPv6. */
static __always_inline int load_nd_target(struct __sk_buff *skb, __u32 at, __u8 kind, struct address *target)
{
	__u8 type;

	if (bpf_skb_load_bytes(skb, at, &type, 1) || type != kind)
		return 0;
	/* A failed load clears the buffer, so read aside. */
	struct address found;

	if (bpf_skb_load_bytes(skb, at + ND_TARGET_AT, &found, sizeof(found)))
		return 0;
	*target = found;
	return 1;
}

/* SYN without ACK. */
static __always_inline int opens_flow(struct __sk_buff *skb, __u32 at)
{
	__u8 flags;

	if (bpf_skb_load_bytes(skb, at + TCP_FLAGS_AT, &flags, 1))
		return 0;
	return (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

#endif
