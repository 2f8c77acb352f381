/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * ICMP errors about flows of services, without which the sender does not learn that its packets are too big or that
 * nobody takes them. An error quotes the packet that it is about; the quotation becomes the packet as its sender sent
 * it, and the error goes to that sender. RFC 792, RFC 4443, RFC 5508 section 4.2. What is no error, or about no such
 * flow, is left as it is.
 */
#ifndef FUTAGO_ICMP_H
#define FUTAGO_ICMP_H

#include "refusal.h"
#include "relay.h"

/* linux/icmp.h wants the C library. RFC 792, RFC 4443 */
#define ICMP_DEST_UNREACH 3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PKT_TOOBIG 2
#define ICMPV6_TIME_EXCEED 3
#define ICMPV6_PARAMPROB 4

#define ICMP_CODE_FRAGMENTATION_NEEDED 4

#define ICMP_HEADER 8
#define ICMP_CHECKSUM_AT 2
#define TCP_CHECKSUM_AT 16
#define UDP_CHECKSUM_AT 6

static __always_inline int is_icmp(const struct header *header)
{
	return header->protocol == (header->is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* A redirect is no error of a flow, and source quench is long gone. RFC 6633 */
static __always_inline int is_icmp_error(__u8 type, __u8 is_ipv6)
{
	if (is_ipv6)
		return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* Host, port or network; of IPv4's kinds "fragmentation needed" says nothing of the sort. */
static __always_inline int is_unreachable(__u8 type, __u8 code, __u8 is_ipv6)
{
	if (is_ipv6)
		return type == ICMPV6_DEST_UNREACH;
	return type == ICMP_DEST_UNREACH && code != ICMP_CODE_FRAGMENTATION_NEEDED;
}

static __always_inline __u64 put_address(struct xdp_md *ctx, const struct header *header, __u32 at,
					 const struct address *from, const struct address *to)
{
	if (!header->is_ipv6) {
		bpf_xdp_store_bytes(ctx, at, (void *)&to->words[3], sizeof(to->words[3]));
		return changed32(from->words[3], to->words[3]);
	}
	bpf_xdp_store_bytes(ctx, at, (void *)to, sizeof(*to));
	return changed32(from->words[0], to->words[0]) + changed32(from->words[1], to->words[1]) +
	       changed32(from->words[2], to->words[2]) + changed32(from->words[3], to->words[3]);
}

/* Brings the checksum at `at` up to date, if the frame holds it, and returns by how much it changed itself. */
static __noinline __u64 put_checksum(struct xdp_md *ctx, const struct header *inner, __u32 at, __u64 changes)
{
	int is_udp = inner->protocol == IPPROTO_UDP && at >= inner->l4;
	__u16 before, after;

	if (at + sizeof(before) > inner->end || bpf_xdp_load_bytes(ctx, at, &before, sizeof(before)))
		return 0;
	if (is_udp && !inner->is_ipv6 && !before)
		return 0;
	after = before;
	update_checksum(&after, changes);
	if (is_udp && !after)
		after = 0xffff;
	bpf_xdp_store_bytes(ctx, at, &after, sizeof(after));
	return changed16(before, after);
}

/* Writes the quotation as it is to become, and the checksum of the message, which covers all of it. */
static __noinline void translate_quotation(struct xdp_md *ctx, const struct oddity *odd, __u64 pseudo_header)
{
	const struct icmp_error *error = &odd->error;
	const struct header *inner = &error->inner;
	__u32 addresses_at = inner->at + (inner->is_ipv6 ? offsetof(struct ipv6hdr, saddr) : offsetof(struct iphdr, saddr));
	__u32 address_bytes = inner->is_ipv6 ? sizeof(struct address) : sizeof(__be32);
	__u32 checksum_at = inner->l4 + (inner->protocol == IPPROTO_TCP ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT);
	__u64 addresses, ports, all;
	__u16 message;

	addresses = put_address(ctx, inner, addresses_at, &inner->source, &error->inner_source);
	addresses += put_address(ctx, inner, addresses_at + address_bytes, &inner->destination, &error->inner_destination);
	ports = changed16(error->ports.source, error->inner_ports.source) +
		changed16(error->ports.destination, error->inner_ports.destination);
	bpf_xdp_store_bytes(ctx, inner->l4, (void *)&error->inner_ports, sizeof(error->inner_ports));
	all = addresses + ports;
	if (!inner->is_ipv6)
		all += put_checksum(ctx, inner, inner->at + offsetof(struct iphdr, check), addresses);
	all += put_checksum(ctx, inner, checksum_at, addresses + ports);
	if (odd->outer.is_ipv6)
		all += pseudo_header;
	if (bpf_xdp_load_bytes(ctx, odd->outer.l4 + ICMP_CHECKSUM_AT, &message, sizeof(message)))
		return;
	update_checksum(&message, all);
	bpf_xdp_store_bytes(ctx, odd->outer.l4 + ICMP_CHECKSUM_AT, &message, sizeof(message));
}

static __noinline int send_error(struct xdp_md *ctx, const struct oddity *odd)
{
	const struct relay *to = &odd->relay;
	struct packet packet = {};
	struct hop found, *hop = &found;
	enum way way;
	int refused;

	if (!open_packet(ctx, &odd->outer, &packet))
		return counted(DROP_MALFORMED, XDP_DROP);
	way = find_relay_way(ctx, &packet, to, &hop);
	refused = refused_way(&packet, to, way);
	if (refused >= 0)
		return counted(refused, XDP_DROP);
	if (!to->is_direct)
		translate_quotation(ctx, odd,
				    changed_address(&packet, &packet.source, &to->source) +
					    changed_address(&packet, &packet.destination, &to->destination));
	count(FORWARDED_ICMP);
	return relay(ctx, &packet, to, way, hop);
}

/* The backend of a flow, without changing what is known of it. Negative, or why there is none. */
static __noinline int find_backend(struct passage *passage)
{
	int is_tcp = passage->key.protocol == IPPROTO_TCP;
	struct flow *known = is_tcp ? bpf_map_lookup_elem(&established, &passage->key)
				    : bpf_map_lookup_elem(&udp_flows, &passage->key);
	struct flow *half = is_tcp ? bpf_map_lookup_elem(&half_open, &passage->key) : 0;

	if (half && (!known || known->flags & FLOW_REOPENED) && is_usable(half))
		known = half;
	if (known && is_usable(known)) {
		go_to(&passage->target, known);
		return -1;
	}
	if (passage->service.mode == MODE_ONE_ARM || known)
		return DROP_ICMP_UNKNOWN;
	if (pick_from_ring(0) >= 0 || passage->service.mode == MODE_ONE_ARM)
		return DROP_ICMP_UNKNOWN;
	return -1;
}

/* About what a backend sent to a client in the VIP's name: to the backend. */
static __always_inline int about_reply(struct xdp_md *ctx, struct oddity *odd, const struct service *service)
{
	struct passage *passage = passage_in_hand();
	struct icmp_error *error = &odd->error;
	struct relay *to = &odd->relay;
	int refused;

	if (!passage)
		return XDP_DROP;
	__builtin_memset(passage, 0, sizeof(*passage));
	passage->service = *service;
	passage->key.client = error->inner.destination;
	passage->key.vip = error->inner.source;
	passage->key.client_port = error->ports.destination;
	passage->key.vip_port = error->ports.source;
	passage->key.protocol = error->inner.protocol;
	refused = find_backend(passage);
	if (refused >= 0)
		return counted(refused, XDP_DROP);
	to->source = odd->outer.source;
	to->destination = passage->target.address;
	to->backend = passage->target.number;
	to->to_client = 0;
	to->is_direct = passage->service.mode == MODE_DIRECT;
	error->inner_source = passage->target.address;
	error->inner_destination = error->inner.destination;
	error->inner_ports.source = passage->target.port;
	error->inner_ports.destination = error->ports.destination;
	if (passage->target.vip_source_port) {
		to->source = error->inner.source;
		error->inner_destination = error->inner.source;
		error->inner_ports.destination = passage->target.vip_source_port;
	}
	return send_error(ctx, odd);
}

/*
 * About what a client sent, on its way to or at the backend: to the client. Routers on this side have addresses that
 * the client's side may not route, so the VIP speaks. RFC 5508 section 4.2, REQ-4
 */
static __always_inline int about_request(struct xdp_md *ctx, struct oddity *odd, const struct return_flow *flow,
					 const struct address *vip)
{
	struct icmp_error *error = &odd->error;
	struct relay *to = &odd->relay;

	if (error->is_unreachable)
		note_refusal(flow->backend, REFUSAL_UNREACHABLE);
	error->inner_source = flow->client;
	error->inner_destination = *vip;
	error->inner_ports.source = flow->client_port;
	error->inner_ports.destination = flow->vip_port;
	to->source = *vip;
	to->destination = flow->client;
	to->to_client = 1;
	to->is_direct = 0;
	return send_error(ctx, odd);
}

/* The error is to a VIP, and quotes what the VIP sent: a service's reply, or a request in `one-arm`. */
static __always_inline int error_to_vip(struct xdp_md *ctx, struct oddity *odd)
{
	const struct header *inner = &odd->error.inner;
	const struct ports *ports = &odd->error.ports;
	struct endpoint vip = { .address = inner->source, .port = ports->source, .protocol = inner->protocol };
	struct return_key back = {
		.backend = inner->destination, .vip = inner->source, .backend_port = ports->destination,
		.vip_source_port = ports->source, .protocol = inner->protocol,
	};
	struct service *service = bpf_map_lookup_elem(&services, &vip);
	struct return_flow *found;

	if (service)
		return about_reply(ctx, odd, service);
	found = bpf_map_lookup_elem(&returns, &back);
	if (!found)
		found = bpf_map_lookup_elem(&half_returns, &back);
	if (!found)
		return counted(PASS_NO_SERVICE, XDP_PASS);
	return about_request(ctx, odd, found, &inner->source);
}

/* The error is to somebody else: about a request in `nat`, or about nothing of ours. */
static __always_inline int error_to_client(struct xdp_md *ctx, struct oddity *odd)
{
	const struct header *inner = &odd->error.inner;
	struct endpoint backend = {
		.address = inner->destination, .port = odd->error.ports.destination, .protocol = inner->protocol,
	};
	struct return_flow flow = { .client = inner->source, .client_port = odd->error.ports.source };
	struct reverse *reverse = bpf_map_lookup_elem(&reverses, &backend);
	long bits;

	if (!reverse || !backend.port)
		return XDP_PASS;
	if (is_own_address(&odd->outer.destination))
		return counted(PASS_OWN, XDP_PASS);
	if (!same_address(&inner->source, &odd->outer.destination))
		return counted(DROP_ICMP_UNKNOWN, XDP_DROP);
	bits = vip_bits(&reverse->vip);
	if (bits < 0 || !(bits & GROUP_FORWARD))
		return counted(DROP_REPLY_CLOSED, XDP_DROP);
	flow.vip_port = reverse->port;
	flow.backend = reverse->backend;
	return about_request(ctx, odd, &flow, &reverse->vip);
}

/* What the error quotes cannot be told from a part of a flow: from a backend it must not leak. */
static __always_inline int unread_quotation(const struct oddity *odd, int is_to_vip)
{
	const struct address *host = &odd->error.inner.destination;

	if (is_to_vip)
		return counted(PASS_VIP_UNREAD, XDP_PASS);
	if (is_own_address(&odd->outer.destination))
		return XDP_PASS;
	if (!is_backend_host(host, IPPROTO_TCP) && !is_backend_host(host, IPPROTO_UDP))
		return XDP_PASS;
	return counted(DROP_ICMP_UNKNOWN, XDP_DROP);
}

static __always_inline int handle_icmp(struct xdp_md *ctx, struct oddity *odd)
{
	struct header *inner = &odd->error.inner;
	const struct header *outer = &odd->outer;
	__u8 type[2];
	long bits;

	if (bpf_xdp_load_bytes(ctx, outer->l4, type, sizeof(type)) || !is_icmp_error(type[0], outer->is_ipv6))
		return XDP_PASS;
	odd->error.is_unreachable = is_unreachable(type[0], type[1], outer->is_ipv6);
	bits = vip_bits(&outer->destination);
	if (bits >= 0 && !(bits & GROUP_FORWARD))
		return counted(PASS_VIP_CLOSED, XDP_PASS);
	if (!read_header(ctx, outer->l4 + ICMP_HEADER, outer->is_ipv6, inner))
		return unread_quotation(odd, bits >= 0);
	if (!has_ports(inner->protocol))
		return XDP_PASS;
	/* The message may end before the frame does. */
	if (inner->end > outer->end)
		inner->end = outer->end;
	if (!read_ports(ctx, inner, &odd->error.ports))
		return unread_quotation(odd, bits >= 0);
	if (bits < 0)
		return error_to_client(ctx, odd);
	/* An error that quotes what its receiver never sent. */
	if (!same_address(&inner->source, &outer->destination))
		return counted(PASS_NO_SERVICE, XDP_PASS);
	return error_to_vip(ctx, odd);
}

#endif
