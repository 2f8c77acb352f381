/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * An IP header at any place of a frame, copied: the packet that an ICMP error quotes lies wherever the headers before
 * it end. Slower than parse.h, for the packets of which there are few.
 */
#ifndef FUTAGO_HEADER_H
#define FUTAGO_HEADER_H

#include "parse.h"

/* A fragment's offset in units of 8 bytes is the upper 13 bits in IPv6. RFC 8200 section 4.5 */
#define IPV6_OFFSET_SHIFT 3
#define IPV6_MORE_FRAGMENTS 1

struct header {
	struct address source;
	struct address destination;
	/* Of a fragment. */
	__u32 id;
	/* From the frame's start: the IP header, what follows it and its extension headers, the first byte behind it all. */
	__u16 at;
	__u16 l4;
	__u16 end;
	/* Of the IP packet, as its header says. */
	__u16 length;
	/* In units of 8 bytes. */
	__u16 fragment_offset;
	__u8 is_fragment;
	__u8 more_fragments;
	__u8 may_fragment;
	__u8 protocol;
	__u8 is_ipv6;
	__u8 ttl;
	__u8 tos;
};

struct ipv6_fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

static __always_inline __u32 frame_bytes(const struct xdp_md *ctx)
{
	__u64 bytes = (void *)(long)ctx->data_end - (void *)(long)ctx->data;

	/* A sum with the pointers themselves is not allowed, which the compiler would make of it. */
	asm volatile("" : "+r"(bytes));
	return bytes;
}

/* Where the packet ends in the frame: padding may follow it, and of a quoted packet the rest is missing. */
static __always_inline __u16 packet_end(struct xdp_md *ctx, const struct header *header)
{
	__u32 end = header->at + header->length, frame = frame_bytes(ctx);

	return end < frame ? end : frame;
}

static __always_inline int read_header4(struct xdp_md *ctx, __u32 at, struct header *header)
{
	struct iphdr ip;
	__u16 fragment;

	if (bpf_xdp_load_bytes(ctx, at, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl * 4 < sizeof(ip))
		return 0;
	fragment = bpf_ntohs(ip.frag_off);
	header->source = mapped_address(ip.saddr);
	header->destination = mapped_address(ip.daddr);
	header->length = bpf_ntohs(ip.tot_len);
	header->l4 = at + ip.ihl * 4;
	header->id = bpf_ntohs(ip.id);
	header->fragment_offset = fragment & IPV4_FRAGMENT_OFFSET;
	header->more_fragments = (fragment & IPV4_MORE_FRAGMENTS) != 0;
	header->may_fragment = !(fragment & IPV4_DO_NOT_FRAGMENT);
	header->is_fragment = header->fragment_offset || header->more_fragments;
	header->protocol = ip.protocol;
	header->ttl = ip.ttl;
	header->tos = ip.tos;
	header->end = packet_end(ctx, header);
	return 1;
}

/*
 * Steps over the extension header at `*to`: 1 when there may be more, 0 when there is none, negative when it is cut or
 * the packet is not at its last destination.
 */
static __always_inline int step_over(struct xdp_md *ctx, struct header *header, __u32 *to)
{
	struct ipv6_fragment_header fragment;
	/* Next header, length, type, segments left. */
	__u8 extension[4];

	if (is_extension(header->protocol)) {
		if (bpf_xdp_load_bytes(ctx, *to, extension, sizeof(extension)) ||
		    has_further_to_go(header->protocol, (const struct ipv6_opt_hdr *)extension))
			return -1;
		header->protocol = extension[0];
		*to += (extension[1] + 1) * 8;
		return 1;
	}
	if (header->protocol != IPPROTO_FRAGMENT || header->is_fragment)
		return 0;
	if (bpf_xdp_load_bytes(ctx, *to, &fragment, sizeof(fragment)))
		return -1;
	header->protocol = fragment.next;
	header->id = fragment.id;
	header->fragment_offset = bpf_ntohs(fragment.offset) >> IPV6_OFFSET_SHIFT;
	header->more_fragments = bpf_ntohs(fragment.offset) & IPV6_MORE_FRAGMENTS;
	header->is_fragment = 1;
	*to += sizeof(fragment);
	/* Of a later fragment, what follows is not a header. */
	return header->fragment_offset == 0;
}

static __always_inline int read_header6(struct xdp_md *ctx, __u32 at, struct header *header)
{
	__u32 l4 = at + sizeof(struct ipv6hdr);
	struct ipv6hdr ip;
	int more = 1;

	if (bpf_xdp_load_bytes(ctx, at, &ip, sizeof(ip)) || ip.version != 6)
		return 0;
	read_ipv6_address(&header->source, &ip.saddr);
	read_ipv6_address(&header->destination, &ip.daddr);
	header->length = bpf_ntohs(ip.payload_len) + sizeof(ip);
	header->protocol = ip.nexthdr;
	header->ttl = ip.hop_limit;
	header->tos = ip.priority << 4 | ip.flow_lbl[0] >> 4;
	header->is_ipv6 = 1;
	/* The extension headers, a fragment header, and what is neither. */
	for (int i = 0; i < EXTENSIONS_MAX + 2 && more > 0; i++)
		more = step_over(ctx, header, &l4);
	header->end = packet_end(ctx, header);
	header->l4 = l4;
	return !more && l4 <= at + sizeof(ip) + EXTENSION_BYTES_MAX + sizeof(struct ipv6_fragment_header);
}

/*
 * False when there is no such header, or none that can be followed to its end; the addresses are then right if
 * `length` is not 0.
 */
static __noinline int read_header(struct xdp_md *ctx, __u32 at, __u32 is_ipv6, struct header *header)
{
	__builtin_memset(header, 0, sizeof(*header));
	header->at = at;
	return is_ipv6 ? read_header6(ctx, at, header) : read_header4(ctx, at, header);
}

/* Both protocols begin with their ports. */
struct ports {
	__be16 source;
	__be16 destination;
};

static __always_inline int read_ports(struct xdp_md *ctx, const struct header *header, struct ports *ports)
{
	if (header->fragment_offset || header->l4 + sizeof(*ports) > header->end)
		return 0;
	return !bpf_xdp_load_bytes(ctx, header->l4, ports, sizeof(*ports));
}

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* The frame's own IP header; of other ethertypes there is none. */
static __always_inline int read_outer(struct xdp_md *ctx, struct header *header)
{
	__be16 ethertype;

	__builtin_memset(header, 0, sizeof(*header));
	if (bpf_xdp_load_bytes(ctx, offsetof(struct ethhdr, h_proto), &ethertype, sizeof(ethertype)))
		return 0;
	return read_header(ctx, ETH_HLEN, ethertype == bpf_htons(ETH_P_IPV6), header);
}

/* The parts of `struct packet` that are not of the transport header; false when the frame is too short to have them. */
static __always_inline int open_packet(struct xdp_md *ctx, const struct header *header, struct packet *packet)
{
	struct ethhdr *ethernet = (void *)(long)ctx->data;

	packet->end = (void *)(long)ctx->data_end;
	if ((void *)(ethernet + 1) > packet->end)
		return 0;
	packet->ethernet = ethernet;
	packet->ip = ethernet + 1;
	packet->source = header->source;
	packet->destination = header->destination;
	packet->length = header->length;
	packet->protocol = header->protocol;
	packet->is_ipv6 = header->is_ipv6;
	packet->ttl = header->ttl;
	packet->tos = header->tos;
	packet->may_fragment = header->may_fragment;
	return 1;
}

#endif
