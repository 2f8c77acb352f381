/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Sends on what has no transport header of its own: a translated ICMP message, or a later fragment. */
#ifndef FUTAGO_RELAY_H
#define FUTAGO_RELAY_H

#include "choose.h"
#include "forward.h"
#include "header.h"

/* Where a packet goes, and in which addresses. */
struct relay {
	struct address source;
	struct address destination;
	/* To a backend: its number. */
	__u32 backend;
	__u8 to_client;
	/* `direct`: the destination is only the next hop's. */
	__u8 is_direct;
};

/* An ICMP error, what it quotes, and what the quotation becomes. */
struct icmp_error {
	struct header inner;
	struct address inner_source;
	struct address inner_destination;
	struct ports ports;
	struct ports inner_ports;
	/* The destination was not reached: neither of its size nor of its path's length. */
	__u32 is_unreachable;
};

/* What the stack has no room for, of the packet in hand. */
struct oddity {
	struct header outer;
	struct icmp_error error;
	struct relay relay;
	struct fragment went;
	struct fragment_key key;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct oddity);
} odd_scratch SEC(".maps");

static __always_inline struct oddity *odd_packet(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&odd_scratch, &zero);
}

static __always_inline enum way find_relay_way(struct xdp_md *ctx, const struct packet *packet,
					       const struct relay *relay, struct hop **hop)
{
	const volatile struct state *current = state();
	__u64 now = bpf_ktime_get_boot_ns();

	if (!current)
		return WAY_NONE;
	if (relay->to_client)
		return way_to_client(ctx, packet, &relay->source, &relay->destination,
				     bpf_map_lookup_elem(&client_hops, &relay->destination), now, current->generation,
				     hop);
	return way_to_backend(ctx, packet, &relay->source, &relay->destination, relay->backend, now, current->generation,
			      hop);
}

/* The reason why the packet cannot go, or negative. No ICMP error answers one, nor a later fragment. RFC 1122 3.2.2 */
static __always_inline int refused_way(const struct packet *packet, const struct relay *relay, enum way way)
{
	if (!relay->is_direct && is_expired(packet))
		return DROP_TTL;
	if (way == WAY_TOO_BIG && (relay->is_direct || !packet->may_fragment))
		return DROP_TOO_BIG;
	if (way == WAY_NONE || (way == WAY_UNRESOLVED && relay->is_direct))
		return DROP_NO_ROUTE;
	return -1;
}

/* After the way was found and the rest of the packet translated. */
static __always_inline int relay(struct xdp_md *ctx, struct packet *packet, const struct relay *relay, enum way way,
				 const struct hop *hop)
{
	struct rewrite to = { .source = relay->source, .destination = relay->destination };
	int verdict = XDP_PASS, reason;

	if (relay->is_direct)
		return transmit_direct(ctx, packet, hop);
	reason = reason_to_leave(ctx, way, hop, &verdict);
	rewrite_ip(packet, &to,
		   changed_address(packet, &packet->source, &to.source) +
			   changed_address(packet, &packet->destination, &to.destination),
		   reason < 0);
	if (reason >= 0)
		return leave_to_kernel(ctx, reason);
	address_frame(packet, hop);
	return verdict;
}

/* The bits of the VIP's group, negative when the address is no VIP. */
static __always_inline long vip_bits(const struct address *address)
{
	__u32 *group = bpf_map_lookup_elem(&futago_vips, address);

	return group ? (long)group_bits(*group, bpf_ktime_get_boot_ns()) : -1;
}

static __always_inline int is_own_address(const struct address *address)
{
	return bpf_map_lookup_elem(&futago_own, address) != 0;
}

/* Some service has a backend at this address, in `nat`: what it sends must not leak. */
static __always_inline int is_backend_host(const struct address *address, __u8 protocol)
{
	struct endpoint host = { .address = *address, .protocol = protocol };

	return bpf_map_lookup_elem(&reverses, &host) != 0;
}

#endif
