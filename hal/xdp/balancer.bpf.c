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

/* No verdicts of XDP: what the packet is has been found out, it goes to a client, or to a service. */
#define VERDICT_REPLY 0x101
#define VERDICT_SERVICE 0x102

/* A client's packet to a VIP. */
static __always_inline void fill_key(struct passage *passage, const struct packet *packet)
{
	passage->key.client = packet->source;
	passage->key.vip = packet->destination;
	passage->key.ports = packet->ports;
	passage->key.protocol = packet->protocol;
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

/* From a client to a service. */
static __always_inline int to_service(struct xdp_md *ctx, struct packet *packet, struct scratch *scratch,
				      const struct known_service *known, __u32 generation)
{
	struct passage *passage = &scratch->passage;
	__u32 bits = group_bits(known->known.group, passage->now);
	struct rewrite *to = &scratch->to;
	struct hop found, *hop = &found;
	int refused, is_direct;
	enum way way;

	/* The gate drops what a closed VIP gets, and counts it. */
	if (!(bits & GROUP_FORWARD))
		return counted(PASS_VIP_CLOSED, XDP_PASS);
	if (is_syn(packet) && !(bits & GROUP_ANSWER))
		return counted(PASS_NEW_FLOW_CLOSED, XDP_PASS);
	passage->service = known->service;
	is_direct = passage->service.mode == MODE_DIRECT;
	fill_key(passage, packet);
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
	way = way_to_backend(ctx, packet, &to->source, &to->destination, passage->target.number, passage->now,
			     generation, &hop);
	if (is_shut(packet, way, is_direct))
		return no_way(way, hop);
	count_in(passage->target.number, packet->length);
	if (packet->is_first_fragment)
		remember(packet, to, passage, 0);
	if (is_direct)
		return transmit_direct(ctx, packet, hop);
	return transmit(ctx, packet, to, way, hop);
}

/*
 * A backend's reply that is known to be one, of the flow `passage->key`; `known` is what is remembered of the way to the
 * client, as far as it has been looked for.
 */
static __always_inline int to_client(struct xdp_md *ctx, struct packet *packet, struct scratch *scratch,
				     __u32 generation, struct hop *known)
{
	struct passage *passage = &scratch->passage;
	struct rewrite *to = &scratch->to;
	struct hop found, *hop = &found;
	enum way way;

	if (is_expired(packet))
		return errand(DROP_TTL, 0);
	to->source = passage->key.vip;
	to->source_port = passage->key.vip_port;
	to->destination = passage->key.client;
	to->destination_port = passage->key.client_port;
	if (!known)
		known = bpf_map_lookup_elem(&client_hops, &to->destination);
	way = way_to_client(ctx, packet, &to->source, &to->destination, known, passage->now, generation, &hop);
	if (is_shut(packet, way, 0))
		return no_way(way, hop);
	learn(packet, passage);
	count_out(passage->target.number, packet->length);
	if (packet->is_first_fragment)
		remember(packet, to, passage, 1);
	return transmit(ctx, packet, to, way, hop);
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

/* Looks the backend up that a packet comes from; false when it comes from none. */
static __always_inline int find_source(const struct packet *packet, struct passage *passage,
				       struct known_backend *known, __u32 generation)
{
	struct endpoint source = { .address = packet->source, .port = packet->source_port, .protocol = packet->protocol };
	struct reverse *reverse = bpf_map_lookup_elem(&reverses, &source);
	__u32 *group;

	if (!reverse)
		return 0;
	passage->now = bpf_ktime_get_boot_ns();
	group = bpf_map_lookup_elem(&futago_vips, &reverse->vip);
	/* GROUPS_MAX is no group, so nothing of it is open. */
	note_known(&known->known, &source, group ? *group : GROUPS_MAX, passage->now, generation);
	known->reverse = *reverse;
	return 1;
}

/*
 * Not to a VIP: a backend's reply in `nat`, or nothing of ours. `*hop` becomes what is remembered of the way to the
 * client: the box does not remember one to itself.
 */
static __always_inline int from_backend(struct xdp_md *ctx, const struct packet *packet, struct passage *passage,
					__u32 generation, struct hop **hop)
{
	struct known_backend *known = place_of_backend(packet);
	int is_remembered = 0;

	/* Port 0 is the host's entry, no backend. */
	if (!known || !packet->source_port)
		return XDP_PASS;
	if (is_known(&known->known, &packet->source, packet->source_port, packet->protocol, generation)) {
		passage->now = bpf_ktime_get_boot_ns();
		is_remembered = passage->now < known->known.until_ns;
	}
	if (!is_remembered && !find_source(packet, passage, known, generation))
		return XDP_PASS;
	/* A bare SYN opens a connection of the backend's own. */
	if (is_syn(packet))
		return XDP_PASS;
	*hop = bpf_map_lookup_elem(&client_hops, &packet->destination);
	/* A health check's answer, or what the box itself asked. */
	if (!(*hop && is_fresh(*hop, passage->now, generation)) && is_own(&packet->destination))
		return counted(PASS_OWN, XDP_PASS);
	if (!(group_bits(known->known.group, passage->now) & GROUP_FORWARD)) {
		note_backend(ctx, packet, &known->reverse.vip);
		return counted(DROP_REPLY_CLOSED, XDP_DROP);
	}
	passage->key.client = packet->destination;
	passage->key.client_port = packet->destination_port;
	passage->key.vip = known->reverse.vip;
	passage->key.vip_port = known->reverse.port;
	passage->key.protocol = packet->protocol;
	passage->target.address = packet->source;
	passage->target.number = known->reverse.backend;
	passage->target.port = packet->source_port;
	passage->target.vip_source_port = 0;
	passage->service.index = known->reverse.service;
	return VERDICT_REPLY;
}

/* To a VIP of the group: a service, which is remembered, or in `one-arm` a backend's reply to the client behind a port. */
static __always_inline int to_vip(const struct packet *packet, struct passage *passage, struct known_service *known,
				  __u32 group, __u32 generation)
{
	struct endpoint vip = {
		.address = packet->destination, .port = packet->destination_port, .protocol = packet->protocol,
	};
	struct service *service = bpf_map_lookup_elem(&services, &vip);

	passage->now = bpf_ktime_get_boot_ns();
	if (service) {
		note_known(&known->known, &vip, group, passage->now, generation);
		known->service = *service;
		return VERDICT_SERVICE;
	}
	if (!(group_bits(group, passage->now) & GROUP_FORWARD))
		return counted(PASS_VIP_CLOSED, XDP_PASS);
	fill_key(passage, packet);
	return find_client(passage) ? VERDICT_REPLY : counted(PASS_NO_SERVICE, XDP_PASS);
}

/* What the packet is, by the tables. `generation` was read before them: a change meanwhile makes the memory old. */
static __always_inline int look_up(struct xdp_md *ctx, const struct packet *packet, struct passage *passage,
				   struct known_service *known, __u32 generation, struct hop **hop)
{
	__u32 *group = bpf_map_lookup_elem(&futago_vips, &packet->destination);

	return group ? to_vip(packet, passage, known, *group, generation)
		       : from_backend(ctx, packet, passage, generation, hop);
}

static __always_inline int balance(struct xdp_md *ctx, struct packet *packet, enum shape shape, __u32 generation)
{
	struct known_service *known;
	struct hop *hop = 0;
	__u32 zero = 0;
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &zero);
	int verdict, is_remembered = 0;

	if (shape == SHAPE_ODD)
		return errand(ERRAND_ODD, 0);
	known = place_of_service(packet);
	if (!scratch || !known)
		return XDP_DROP;
	if (is_known(&known->known, &packet->destination, packet->destination_port, packet->protocol, generation)) {
		scratch->passage.now = bpf_ktime_get_boot_ns();
		is_remembered = scratch->passage.now < known->known.until_ns;
	}
	verdict = is_remembered ? VERDICT_SERVICE
				: look_up(ctx, packet, &scratch->passage, known, generation, &hop);
	if (verdict == VERDICT_SERVICE)
		return to_service(ctx, packet, scratch, known, generation);
	return verdict == VERDICT_REPLY ? to_client(ctx, packet, scratch, generation, hop) : verdict;
}

SEC("xdp")
int futago_balancer(struct xdp_md *ctx)
{
	struct packet packet = {};
	const volatile struct state *current = state();
	enum shape shape;
	int verdict;

	if (!current)
		return XDP_PASS;
	if (current->capturing)
		capture_before(ctx);
	shape = parse(ctx, &packet);
	if (shape == SHAPE_OTHER)
		return XDP_PASS;
	verdict = balance(ctx, &packet, shape, current->generation);
	if (verdict == VERDICT_ERRAND)
		verdict = run_errand(ctx);
	return current->capturing ? capture_after(ctx, verdict) : verdict;
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
