/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The balancer: IPv4 TCP services in `nat` mode, by XDP. A client's packet to a VIP goes to a backend, a backend's
 * reply goes to the client in the VIP's name. It decides nothing about packets that are neither. Which backends
 * there are, which live and how the ring lies is core's to write into the maps.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "lease.h"
#include "maps-balancer.h"
#include "count.h"
#include "parse.h"
#include "flow.h"
#include "forward.h"
#include "stale.h"

/* From a client to a VIP whose lease holds. */
static __always_inline int to_service(struct xdp_md *ctx, struct packet *packet, enum shape shape, __u32 bits)
{
	struct endpoint4 vip = { .address = packet->ip->daddr, .port = packet->tcp->dest, .protocol = IPPROTO_TCP };
	struct service *service = bpf_map_lookup_elem(&services4, &vip);
	struct bpf_fib_lookup fib = {};
	struct target target = {};
	long found;
	int refused;

	if (!service)
		return counted(PASS_NO_SERVICE, XDP_PASS);
	if (shape == SHAPE_FIRST_FRAGMENT)
		return counted(DROP_FRAGMENT, XDP_DROP);
	if (packet->tcp->syn && !packet->tcp->ack && !(bits & GROUP_ANSWER))
		return counted(PASS_NEW_FLOW_CLOSED, XDP_PASS);

	struct flow4_key key = {
		.client = packet->ip->saddr, .vip = vip.address,
		.client_port = packet->tcp->source, .vip_port = vip.port, .protocol = IPPROTO_TCP,
	};

	refused = choose(packet, &key, service, bpf_ktime_get_boot_ns(), &target);
	if (refused >= 0)
		return counted(refused, XDP_DROP);

	struct rewrite to = {
		.source = key.client, .source_port = key.client_port,
		.destination = target.address, .destination_port = target.port,
	};

	refused = find_route(ctx, packet, &to, &fib, &found);
	if (refused >= 0)
		return counted(refused, XDP_DROP);
	count_in(service->index, target.number, packet->length);
	return transmit(ctx, packet, &to, &fib, found);
}

static __always_inline int is_own(__be32 ipv4)
{
	struct address address = mapped_address(ipv4);

	return bpf_map_lookup_elem(&futago_own, &address) != 0;
}

/* A backend's packet without a readable TCP header, to whomever: it may be part of a reply, which must not leak. */
static __always_inline int from_host_unread(const struct packet *packet, enum shape shape)
{
	struct endpoint4 host = { .address = packet->ip->saddr, .protocol = IPPROTO_TCP };

	if (!bpf_map_lookup_elem(&reverse4, &host) || is_own(packet->ip->daddr))
		return XDP_PASS;
	return counted(shape == SHAPE_TRUNCATED ? DROP_REPLY_TRUNCATED : DROP_REPLY_FRAGMENT, XDP_DROP);
}

/* Remembers a backend that sends its replies to this box although the other one holds its gateway. */
static __always_inline void note_backend(struct xdp_md *ctx, const struct packet *packet, const struct address *vip)
{
	struct stale_key key = { .vip = *vip, .ifindex = ctx->ingress_ifindex };
	struct stale stale = { .source = mapped_address(packet->ip->saddr) };

	__builtin_memcpy(key.host, packet->ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(stale.sent_to, packet->ethernet->h_dest, ETH_ALEN);
	note_stale(&key, &stale);
}

/* Not to a VIP: a backend's reply, or nothing of ours. What is for the box itself is known when no route leads on. */
static __always_inline int from_backend(struct xdp_md *ctx, struct packet *packet, enum shape shape)
{
	struct endpoint4 source = { .address = packet->ip->saddr, .port = packet->tcp->source, .protocol = IPPROTO_TCP };
	struct reverse4 *reverse = bpf_map_lookup_elem(&reverse4, &source);
	struct bpf_fib_lookup fib = {};
	long found = 0;
	int refused;
	__u32 *group;

	/* A bare SYN opens a connection of the backend's own. Port 0 is the host's entry, no backend. */
	if (!reverse || !source.port || (packet->tcp->syn && !packet->tcp->ack))
		return XDP_PASS;

	struct address vip = mapped_address(reverse->vip);
	struct rewrite to = {
		.source = reverse->vip, .source_port = reverse->port,
		.destination = packet->ip->daddr, .destination_port = packet->tcp->dest,
	};

	group = bpf_map_lookup_elem(&futago_vips, &vip);
	if (!group || !(group_bits(*group) & GROUP_FORWARD))
		refused = DROP_REPLY_CLOSED;
	else if (shape == SHAPE_FIRST_FRAGMENT)
		refused = DROP_REPLY_FRAGMENT;
	else
		refused = find_route(ctx, packet, &to, &fib, &found);
	if (refused >= 0) {
		if (is_own(to.destination))
			return counted(PASS_OWN, XDP_PASS);
		if (refused == DROP_REPLY_CLOSED)
			note_backend(ctx, packet, &vip);
		return counted(refused, XDP_DROP);
	}

	struct flow4_key key = {
		.client = to.destination, .vip = to.source,
		.client_port = to.destination_port, .vip_port = to.source_port, .protocol = IPPROTO_TCP,
	};
	struct target backend = { .address = source.address, .port = source.port, .number = reverse->backend };

	learn(packet, &key, &backend, reverse->service, bpf_ktime_get_boot_ns());
	count_out(reverse->service, reverse->backend, packet->length);
	return transmit(ctx, packet, &to, &fib, found);
}

SEC("xdp")
int futago_balancer(struct xdp_md *ctx)
{
	struct packet packet = {};
	enum shape shape = parse(ctx, &packet);
	__u32 *group;
	__u32 bits;

	if (shape == SHAPE_OTHER)
		return XDP_PASS;

	struct address destination = mapped_address(packet.ip->daddr);

	group = bpf_map_lookup_elem(&futago_vips, &destination);
	if (!group) {
		if (shape == SHAPE_WHOLE || shape == SHAPE_FIRST_FRAGMENT)
			return from_backend(ctx, &packet, shape);
		return from_host_unread(&packet, shape);
	}
	/* The gate drops what a closed VIP gets, and counts it. */
	bits = group_bits(*group);
	if (!(bits & GROUP_FORWARD))
		return counted(PASS_VIP_CLOSED, XDP_PASS);
	if (shape == SHAPE_WHOLE || shape == SHAPE_FIRST_FRAGMENT)
		return to_service(ctx, &packet, shape, bits);
	return counted(PASS_VIP_UNREAD, XDP_PASS);
}

/* All that is ever attached to a port: some drivers restart the port when its program changes. */
SEC("xdp")
int futago_root(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &futago_slots, SLOT_BALANCER);
	return XDP_PASS;
}

/* The kernel's word for "these may use its GPL-only helpers"; the licence of the source is above. */
char LICENSE[] SEC("license") = "GPL";
