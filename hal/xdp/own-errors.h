/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Tells the sender of a packet why it goes no further, in the VIP's name. The way on is too narrow for it: ICMP
 * "fragmentation needed" with the next hop's MTU (RFC 792, RFC 1191 section 4) or ICMPv6 "packet too big" (RFC 4443
 * section 3.2). Its time to live is over: "time exceeded" (RFC 1812 section 5.3.1, RFC 4443 section 3.3). The
 * packet's beginning stays where it is and becomes the quotation.
 */
#ifndef FUTAGO_OWN_ERRORS_H
#define FUTAGO_OWN_ERRORS_H

#include "admit.h"
#include "answer.h"
#include "icmp.h"

/*
 * As much of the packet as makes a message of 576 bytes (RFC 1812 4.3.2.3). Of a smaller one the largest IP header and 8
 * bytes, the headers of a TCP packet, or the least that there is: lengths are constants, for the verifier.
 */
#define QUOTED4 548
#define QUOTED4_SMALL 68
#define QUOTED4_TCP 40
#define QUOTED4_MIN 28
/* As much as makes one of 1280 bytes. RFC 4443 section 2.4 (c) */
#define QUOTED6 1232
#define QUOTED6_SMALL 80
#define QUOTED6_TCP 60
#define QUOTED6_MIN 48
#define IPV6_MTU_MIN 1280

/* Precedence "internetwork control". RFC 1812 section 4.3.2.5 */
#define TOS_CONTROL 0xc0

/* So many bytes can be summed at once. */
#define SUMMED_MAX 512

/* Of each processor, in a second. */
#define ANSWERS_PER_SECOND 1000

struct icmp_message {
	__u8 type;
	__u8 code;
	__be16 checksum;
	/* Of IPv4's MTU 16 bits, of IPv6's all 32; unused in "time exceeded". */
	__be32 rest;
};

struct own_error4 {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct icmp_message icmp;
} __attribute__((packed));

struct own_error6 {
	struct ethhdr ethernet;
	struct ipv6hdr ip;
	struct icmp_message icmp;
} __attribute__((packed));

/* RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f) */
static __always_inline int may_answer(__u64 now)
{
	__u32 zero = 0;
	struct source *tokens = bpf_map_lookup_elem(&answer_tokens, &zero);
	__u64 earned;

	if (!tokens)
		return 0;
	earned = now - tokens->refilled_ns > SECOND_NS ? ANSWERS_PER_SECOND
						       : (now - tokens->refilled_ns) * ANSWERS_PER_SECOND / SECOND_NS;
	if (earned) {
		tokens->tokens += earned;
		if (tokens->tokens > ANSWERS_PER_SECOND)
			tokens->tokens = ANSWERS_PER_SECOND;
		tokens->refilled_ns = now;
	}
	if (!tokens->tokens)
		return 0;
	tokens->tokens--;
	return 1;
}

/* Cuts the packet behind what is quoted and makes room for the answer's headers where its own frame header was. */
static __always_inline int make_room(struct xdp_md *ctx, __u32 quoted, __u32 headers)
{
	int over = (int)frame_bytes(ctx) - (int)(ETH_HLEN + quoted);

	return over >= 0 && !bpf_xdp_adjust_tail(ctx, -over) && !bpf_xdp_adjust_head(ctx, -(int)(headers - ETH_HLEN));
}

/* The sum of the quotation; its length is a constant, and a multiple of 4. */
static __always_inline __s64 sum_quotation(void *quotation, void *end, __u32 quoted, __s64 sum)
{
#pragma unroll
	for (__u32 at = 0; at < 3 * SUMMED_MAX && at < quoted; at += SUMMED_MAX) {
		__u32 bytes = quoted - at > SUMMED_MAX ? SUMMED_MAX : quoted - at;

		if (quotation + at + bytes > end)
			return 0;
		sum = bpf_csum_diff(0, 0, quotation + at, bytes, sum);
	}
	return sum;
}

static __always_inline int send_error4(struct xdp_md *ctx, const struct header *header, const struct address *vip,
				       const struct ethhdr *question, struct icmp_message icmp, const __u32 quoted)
{
	struct own_error4 *answer;
	struct iphdr ip;
	void *end;

	if (header->l4 + ICMP_HEADER > header->at + quoted || !make_room(ctx, quoted, sizeof(*answer)))
		return 0;
	answer = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if ((void *)(answer + 1) > end)
		return 0;
	icmp.checksum = folded(sum_quotation(answer + 1, end, quoted, bpf_csum_diff(0, 0, (__be32 *)&icmp, sizeof(icmp), 0)));
	answer_ip4(&ip, vip, &header->source, IPPROTO_ICMP, TOS_CONTROL, sizeof(icmp) + quoted);
	answer_frame(&answer->ethernet, question);
	answer->ip = ip;
	answer->icmp = icmp;
	return 1;
}

static __always_inline int send_error6(struct xdp_md *ctx, const struct header *header, const struct address *vip,
				       const struct ethhdr *question, struct icmp_message icmp, const __u32 quoted)
{
	struct own_error6 *answer;
	struct ipv6hdr ip;
	__s64 sum;
	void *end;

	if (header->l4 + ICMP_HEADER > header->at + quoted || !make_room(ctx, quoted, sizeof(*answer)))
		return 0;
	answer = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if ((void *)(answer + 1) > end)
		return 0;
	sum = sum_quotation(answer + 1, end, quoted, bpf_csum_diff(0, 0, (__be32 *)&icmp, sizeof(icmp), 0));
	icmp.checksum = folded((__u32)sum + pseudo_header(vip, &header->source, 1, IPPROTO_ICMPV6, sizeof(icmp) + quoted));
	answer_ip6(&ip, vip, &header->source, IPPROTO_ICMPV6, sizeof(icmp) + quoted);
	answer_frame(&answer->ethernet, question);
	answer->ip = ip;
	answer->icmp = icmp;
	return 1;
}

static __always_inline struct icmp_message message4(__u32 kind, __u32 mtu)
{
	struct icmp_message time_exceeded = { .type = ICMP_TIME_EXCEEDED };
	struct icmp_message too_big = {
		.type = ICMP_DEST_UNREACH, .code = ICMP_CODE_FRAGMENTATION_NEEDED, .rest = bpf_htonl(mtu & 0xffff),
	};

	return kind == DROP_TTL ? time_exceeded : too_big;
}

static __always_inline struct icmp_message message6(__u32 kind, __u32 mtu)
{
	struct icmp_message time_exceeded = { .type = ICMPV6_TIME_EXCEED };
	struct icmp_message too_big = {
		.type = ICMPV6_PKT_TOOBIG, .rest = bpf_htonl(mtu < IPV6_MTU_MIN ? IPV6_MTU_MIN : mtu),
	};

	return kind == DROP_TTL ? time_exceeded : too_big;
}

static __noinline int send_quoting4(struct xdp_md *ctx, const struct header *header, const struct address *vip,
				    const struct ethhdr *question, const struct icmp_message *icmp)
{
	if (header->length >= QUOTED4)
		return send_error4(ctx, header, vip, question, *icmp, QUOTED4);
	if (header->length >= QUOTED4_SMALL)
		return send_error4(ctx, header, vip, question, *icmp, QUOTED4_SMALL);
	if (header->length >= QUOTED4_TCP)
		return send_error4(ctx, header, vip, question, *icmp, QUOTED4_TCP);
	return send_error4(ctx, header, vip, question, *icmp, QUOTED4_MIN);
}

static __noinline int send_quoting6(struct xdp_md *ctx, const struct header *header, const struct address *vip,
				    const struct ethhdr *question, const struct icmp_message *icmp)
{
	if (header->length >= QUOTED6)
		return send_error6(ctx, header, vip, question, *icmp, QUOTED6);
	if (header->length >= QUOTED6_SMALL)
		return send_error6(ctx, header, vip, question, *icmp, QUOTED6_SMALL);
	if (header->length >= QUOTED6_TCP)
		return send_error6(ctx, header, vip, question, *icmp, QUOTED6_TCP);
	return send_error6(ctx, header, vip, question, *icmp, QUOTED6_MIN);
}

/* In whose name the sender is told: of the VIP that it speaks to, or, a backend, for. */
static __always_inline int find_speaker(struct xdp_md *ctx, const struct header *header, struct address *vip)
{
	struct endpoint backend = { .address = header->source, .protocol = header->protocol };
	struct reverse *reverse;
	struct ports ports;

	*vip = header->destination;
	if (vip_bits(vip) >= 0)
		return 1;
	if (!read_ports(ctx, header, &ports))
		return 0;
	backend.port = ports.source;
	reverse = bpf_map_lookup_elem(&reverses, &backend);
	if (!reverse)
		return 0;
	*vip = reverse->vip;
	return 1;
}

/* `kind` is why the packet goes no further: DROP_TOO_BIG, with the MTU of its way, or DROP_TTL. */
static __always_inline int answer_error(struct xdp_md *ctx, struct header *header, __u32 kind, __u32 mtu)
{
	struct icmp_message icmp;
	struct ethhdr ethernet;
	struct address vip;
	int sent;

	count(kind);
	if (!read_outer(ctx, header) || header->fragment_offset || !is_one_host(&header->source, header->is_ipv6) ||
	    bpf_xdp_load_bytes(ctx, 0, &ethernet, sizeof(ethernet)) || !find_speaker(ctx, header, &vip) ||
	    !may_answer(bpf_ktime_get_boot_ns()))
		return XDP_DROP;
	icmp = header->is_ipv6 ? message6(kind, mtu) : message4(kind, mtu);
	sent = header->is_ipv6 ? send_quoting6(ctx, header, &vip, &ethernet, &icmp)
			      : send_quoting4(ctx, header, &vip, &ethernet, &icmp);
	if (!sent)
		return XDP_DROP;
	return counted(kind == DROP_TTL ? SENT_TIME_EXCEEDED : SENT_TOO_BIG, send_back(ctx));
}

#endif
