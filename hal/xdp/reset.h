/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Tells the client of a TCP flow whose backend died that the connection is no more. RFC 9293 section 3.10.7.1 */
#ifndef FUTAGO_RESET_H
#define FUTAGO_RESET_H

#include "answer.h"

/* The shortest frame without its check sequence: what is sent is filled up to it where the question was. */
#define FRAME_BYTES_MIN 60

struct reset4 {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
	__u8 padding[6];
} __attribute__((packed));

struct reset6 {
	struct ethhdr ethernet;
	struct ipv6hdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

/* The state of a connection that does not exist: the sequence number is the one that the client acknowledges. */
static __always_inline void fill_reset(struct tcphdr *tcp, const struct tcphdr *question, __u32 segment)
{
	__builtin_memset(tcp, 0, sizeof(*tcp));
	tcp->source = question->dest;
	tcp->dest = question->source;
	tcp->doff = sizeof(*tcp) / 4;
	tcp->rst = 1;
	if (question->ack) {
		tcp->seq = question->ack_seq;
	} else {
		tcp->ack = 1;
		tcp->ack_seq = bpf_htonl(bpf_ntohl(question->seq) + segment);
	}
}

static __always_inline void sum_reset(struct tcphdr *tcp, const struct header *header)
{
	tcp->check = folded(bpf_csum_diff(0, 0, (__be32 *)tcp, sizeof(*tcp), 0) +
			    pseudo_header(&header->destination, &header->source, header->is_ipv6, IPPROTO_TCP,
					  sizeof(*tcp)));
}

static __noinline int send_reset4(struct xdp_md *ctx, const struct header *header, const struct ethhdr *ethernet,
				  const struct tcphdr *tcp)
{
	struct reset4 reset = {};
	struct iphdr ip;
	struct tcphdr answer = *tcp;
	int is_padded = frame_bytes(ctx) >= FRAME_BYTES_MIN;
	int bytes = is_padded ? sizeof(reset) : offsetof(struct reset4, padding);

	answer_frame(&reset.ethernet, ethernet);
	answer_ip4(&ip, &header->destination, &header->source, IPPROTO_TCP, 0, sizeof(answer));
	sum_reset(&answer, header);
	__builtin_memcpy(&reset.ip, &ip, sizeof(ip));
	__builtin_memcpy(&reset.tcp, &answer, sizeof(answer));
	if (bpf_xdp_adjust_tail(ctx, bytes - (int)frame_bytes(ctx)))
		return 0;
	if (is_padded)
		return !bpf_xdp_store_bytes(ctx, 0, &reset, sizeof(reset));
	return !bpf_xdp_store_bytes(ctx, 0, &reset, offsetof(struct reset4, padding));
}

static __noinline int send_reset6(struct xdp_md *ctx, const struct header *header, const struct ethhdr *ethernet,
				  const struct tcphdr *tcp)
{
	struct reset6 reset = {};
	struct ipv6hdr ip;
	struct tcphdr answer = *tcp;

	answer_frame(&reset.ethernet, ethernet);
	answer_ip6(&ip, &header->destination, &header->source, IPPROTO_TCP, sizeof(answer));
	sum_reset(&answer, header);
	__builtin_memcpy(&reset.ip, &ip, sizeof(ip));
	__builtin_memcpy(&reset.tcp, &answer, sizeof(answer));
	if (bpf_xdp_adjust_tail(ctx, (int)sizeof(reset) - (int)frame_bytes(ctx)))
		return 0;
	return !bpf_xdp_store_bytes(ctx, 0, &reset, sizeof(reset));
}

/* Core collects the entry soon, with its twin. */
static __always_inline void end_flow(const struct header *header, const struct tcphdr *tcp)
{
	struct flow_key key = {
		.client = header->source, .vip = header->destination, .client_port = tcp->source, .vip_port = tcp->dest,
		.protocol = IPPROTO_TCP,
	};
	struct flow *known = bpf_map_lookup_elem(&established, &key);

	if (known)
		set_flag(known, FLOW_RESET);
	bpf_map_delete_elem(&half_open, &key);
}

/* To a flow whose backend is dead. UDP knows no reset, and a reset is never answered. */
static __always_inline int answer_dead(struct xdp_md *ctx, struct header *header)
{
	struct tcphdr question, answer;
	struct ethhdr ethernet;
	__u32 headers, segment;
	int sent;

	count(DROP_DEAD_BACKEND);
	if (!read_outer(ctx, header) || header->protocol != IPPROTO_TCP ||
	    bpf_xdp_load_bytes(ctx, 0, &ethernet, sizeof(ethernet)) ||
	    bpf_xdp_load_bytes(ctx, header->l4, &question, sizeof(question)))
		return XDP_DROP;
	end_flow(header, &question);
	if (question.rst || !is_one_host(&header->source, header->is_ipv6))
		return XDP_DROP;
	headers = header->l4 - header->at + question.doff * 4;
	segment = (header->length > headers ? header->length - headers : 0) + question.syn + question.fin;
	fill_reset(&answer, &question, segment);
	sent = header->is_ipv6 ? send_reset6(ctx, header, &ethernet, &answer)
			      : send_reset4(ctx, header, &ethernet, &answer);
	if (!sent)
		return XDP_DROP;
	return counted(SENT_RESET, send_back(ctx));
}

#endif
