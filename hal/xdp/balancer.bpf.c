/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The balancer: TCP and UDP services over IPv4 and IPv6, by XDP. A client's packet to a VIP goes to a backend; a
 * backend's reply goes to the client in the VIP's name, except in `direct`, where the backend speaks for the VIP
 * itself. It decides nothing about packets that are neither. Which backends there are, which live and how the ring
 * lies is core's to write into the maps.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "lease.h"
#include "maps-balancer.h"
#include "count.h"
#include "parse.h"
#include "choose.h"
#include "learn.h"
#include "forward.h"
#include "remember.h"
#include "stale.h"
#include "capture.h"

/* No verdict of XDP: what the packet is has been found out, it goes to a client. */
#define VERDICT_REPLY 0x101

static __always_inline void fill_key(struct passage *passage, const struct address *client, __be16 client_port,
				     const struct address *vip, __be16 vip_port)
{
	passage->key.client = *client;
	passage->key.client_port = client_port;
	passage->key.vip = *vip;
	passage->key.vip_port = vip_port;
}

static __always_inline int refuse(const struct packet *packet, int why)
{
	/* The client of a backend that died hears so, instead of waiting. */
	if (why == DROP_DEAD_BACKEND && packet->protocol == IPPROTO_TCP)
		return errand(DROP_DEAD_BACKEND, 0);
	return counted(why, XDP_DROP);
}

static __always_inline int no_way(enum way way, const struct hop *hop)
{
	return way == WAY_TOO_BIG ? errand(DROP_TOO_BIG, hop->mtu) : counted(DROP_NO_ROUTE, XDP_DROP);
}

/* The kernel resolves neighbours and fragments what may be fragmented; of `direct` it knows nothing. */
static __always_inline int is_shut(const struct packet *packet, enum way way, int is_direct)
{
	if (way == WAY_TOO_BIG)
		return is_direct || !packet->may_fragment;
	return way == WAY_NONE || (way == WAY_UNRESOLVED && is_direct);
}

/* From a client to a service whose VIP's lease holds. */
static __always_inline int to_service(struct xdp_md *ctx, struct packet *packet, struct scratch *scratch, __u32 bits)
{
	struct passage *passage = &scratch->passage;
	int is_direct = passage->service.mode == MODE_DIRECT;
	struct rewrite *to = &scratch->to;
	struct hop hop = {};
	enum way way;
	int refused;

	if (is_syn(packet) && !(bits & GROUP_ANSWER))
		return counted(PASS_NEW_FLOW_CLOSED, XDP_PASS);
	if (passage->service.flags & (SERVICE_LISTED | SERVICE_LISTED_ONLY) && is_listed_out(passage))
		return counted(DROP_DENIED, XDP_DROP);
	refused = choose(packet, passage);
	if (refused >= 0)
		return refuse(packet, refused);
	to->source = passage->target.vip_source_port ? passage->key.vip : passage->key.client;
	to->source_port = passage->target.vip_source_port ? passage->target.vip_source_port : passage->key.client_port;
	to->destination = passage->target.address;
	to->destination_port = passage->target.port;
	if (!is_direct && is_expired(packet))
		return errand(DROP_TTL, 0);
	way = way_to_backend(ctx, packet, &to->source, &to->destination, passage->target.number, passage->now, &hop);
	if (is_shut(packet, way, is_direct))
		return no_way(way, &hop);
	count_in(passage->service.index, passage->target.number, packet->length);
	if (packet->is_first_fragment)
		remember(packet, to, passage, 0);
	if (is_direct)
		return transmit_direct(ctx, packet, &hop);
	return transmit(ctx, packet, to, way, &hop);
}

/* A backend's reply that is known to be one, of the flow `passage->key`. */
static __always_inline int to_client(struct xdp_md *ctx, struct packet *packet, struct scratch *scratch)
{
	struct passage *passage = &scratch->passage;
	struct rewrite *to = &scratch->to;
	struct hop hop = {};
	enum way way;

	if (is_expired(packet))
		return errand(DROP_TTL, 0);
	to->source = passage->key.vip;
	to->source_port = passage->key.vip_port;
	to->destination = passage->key.client;
	to->destination_port = passage->key.client_port;
	way = way_to_client(ctx, packet, &to->source, &to->destination, passage->now, &hop);
	if (is_shut(packet, way, 0))
		return no_way(way, &hop);
	learn(packet, passage);
	count_out(passage->service.index, passage->target.number, packet->length);
	if (packet->is_first_fragment)
		remember(packet, to, passage, 1);
	return transmit(ctx, packet, to, way, &hop);
}

static __always_inline int is_own(const struct address *address)
{
	return bpf_map_lookup_elem(&futago_own, address) != 0;
}

/* Remembers a backend that sends its replies to this box although the other one holds its gateway. */
static __noinline void note_backend(struct xdp_md *ctx, const struct packet *packet, const struct address *vip)
{
	struct stale_key key = { .vip = *vip, .ifindex = ctx->ingress_ifindex };
	struct stale stale = { .source = packet->source };

	__builtin_memcpy(key.host, packet->ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(stale.sent_to, packet->ethernet->h_dest, ETH_ALEN);
	note_stale(&key, &stale);
}

/* Not to a VIP: a backend's reply in `nat`, or nothing of ours. */
static __always_inline int from_backend(struct xdp_md *ctx, struct packet *packet, struct passage *passage)
{
	struct endpoint source = { .address = packet->source, .port = packet->source_port, .protocol = packet->protocol };
	struct reverse *reverse = bpf_map_lookup_elem(&reverses, &source);
	__u32 *group;

	/* Port 0 is the host's entry, no backend. A bare SYN opens a connection of the backend's own. */
	if (!reverse || !source.port)
		return XDP_PASS;
	if (is_syn(packet))
		return XDP_PASS;
	/* A health check's answer, or what the box itself asked. */
	if (is_own(&packet->destination))
		return counted(PASS_OWN, XDP_PASS);
	group = bpf_map_lookup_elem(&futago_vips, &reverse->vip);
	if (!group || !(group_bits(*group) & GROUP_FORWARD)) {
		note_backend(ctx, packet, &reverse->vip);
		return counted(DROP_REPLY_CLOSED, XDP_DROP);
	}
	fill_key(passage, &packet->destination, packet->destination_port, &reverse->vip, reverse->port);
	passage->key.protocol = packet->protocol;
	passage->target.address = packet->source;
	passage->target.number = reverse->backend;
	passage->target.port = packet->source_port;
	passage->target.vip_source_port = 0;
	passage->service.index = reverse->service;
	return VERDICT_REPLY;
}

static __always_inline int to_vip(struct xdp_md *ctx, struct packet *packet, struct scratch *scratch, __u32 group)
{
	struct passage *passage = &scratch->passage;
	struct endpoint vip = {
		.address = packet->destination, .port = packet->destination_port, .protocol = packet->protocol,
	};
	__u32 bits = group_bits(group);
	struct service *service;

	/* The gate drops what a closed VIP gets, and counts it. */
	if (!(bits & GROUP_FORWARD))
		return counted(PASS_VIP_CLOSED, XDP_PASS);
	fill_key(passage, &packet->source, packet->source_port, &packet->destination, packet->destination_port);
	passage->key.protocol = packet->protocol;
	service = bpf_map_lookup_elem(&services, &vip);
	if (service) {
		passage->service = *service;
		return to_service(ctx, packet, scratch, bits);
	}
	/* `one-arm`: to no service may be a backend's reply, if a client stands behind the port. */
	return find_client(passage) ? VERDICT_REPLY : counted(PASS_NO_SERVICE, XDP_PASS);
}

static __always_inline int balance(struct xdp_md *ctx, struct packet *packet, enum shape shape)
{
	__u32 zero = 0, *group;
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &zero);
	int verdict;

	if (shape == SHAPE_ODD)
		return errand(ERRAND_ODD, 0);
	if (!scratch)
		return XDP_DROP;
	scratch->passage.now = bpf_ktime_get_boot_ns();
	group = bpf_map_lookup_elem(&futago_vips, &packet->destination);
	verdict = group ? to_vip(ctx, packet, scratch, *group) : from_backend(ctx, packet, &scratch->passage);
	return verdict == VERDICT_REPLY ? to_client(ctx, packet, scratch) : verdict;
}

SEC("xdp")
int futago_balancer(struct xdp_md *ctx)
{
	struct packet packet = {};
	const struct capture_filter *filter = capture_before(ctx);
	enum shape shape;
	int verdict;

	if (!filter)
		return XDP_PASS;
	shape = parse(ctx, &packet);
	if (shape == SHAPE_OTHER)
		return XDP_PASS;
	verdict = balance(ctx, &packet, shape);
	if (verdict == VERDICT_ERRAND)
		verdict = run_errand(ctx);
	return filter->until_ns ? capture_after(ctx, verdict) : verdict;
}

#include "oddities.h"

/* All that is ever attached to a port: some drivers restart the port when its program changes. */
SEC("xdp")
int futago_root(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &futago_slots, SLOT_BALANCER);
	return XDP_PASS;
}

/* The kernel's word for "these may use its GPL-only helpers"; the licence of the source is above. */
char LICENSE[] SEC("license") = "GPL";
