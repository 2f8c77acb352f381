/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The gate: two tc programs on every device that carries a VIP. Nothing that speaks for a VIP comes in or goes out
 * unless the lease of its group holds and the group's bits allow it. It decides nothing about any other address,
 * and leaves what it cannot read to the kernel.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "lease.h"
#include "frame.h"
#include "stale.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GATE_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} gate_counters SEC(".maps");

/* Drops, and counts under `reason`, what concerns a VIP whose group may not do all of `needed` now. */
static __always_inline int judge(const struct address *vip, __u32 needed, __u32 reason)
{
	__u32 *index = bpf_map_lookup_elem(&futago_vips, vip);
	__u64 *count;
	__u32 bits;

	if (!index)
		return TC_ACT_UNSPEC;
	bits = group_bits(*index, bpf_ktime_get_boot_ns());
	if ((bits & needed) == needed)
		return TC_ACT_UNSPEC;
	if (bits)
		reason += GATE_WITHHELD;
	count = bpf_map_lookup_elem(&gate_counters, &reason);
	if (count)
		*count += 1;
	return TC_ACT_SHOT;
}

/* Remembers who sent a dropped packet. What was not sent to this port's own Ethernet address tells nothing of its sender. */
static __always_inline void note_sender(struct __sk_buff *skb, const struct layer3 *l3, const struct address *vip)
{
	struct stale_key key = { .vip = *vip, .ifindex = skb->ifindex };
	struct stale stale = {};
	__be32 ipv4;

	if (skb->pkt_type != PACKET_HOST || bpf_skb_load_bytes(skb, 0, stale.sent_to, ETH_ALEN) ||
	    bpf_skb_load_bytes(skb, ETH_ALEN, key.host, ETH_ALEN))
		return;
	if (l3->ethertype == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, l3->offset + IPV4_SOURCE, &ipv4, sizeof(ipv4)))
			return;
		stale.source = mapped_address(ipv4);
	} else if (bpf_skb_load_bytes(skb, l3->offset + IPV6_SOURCE, &stale.source, sizeof(stale.source))) {
		return;
	}
	note_stale(&key, &stale);
}

/* An IP packet to what may be a VIP. */
static __always_inline int judge_in(struct __sk_buff *skb, const struct layer3 *l3, const struct address *vip,
				    __u8 protocol, __u32 payload)
{
	int verdict;

	if (protocol == IPPROTO_TCP && opens_flow(skb, payload))
		verdict = judge(vip, GROUP_ANSWER | GROUP_FORWARD, GATE_IN_NEW_FLOW_LAPSED);
	else
		verdict = judge(vip, GROUP_FORWARD, GATE_IN_PACKET_LAPSED);
	if (verdict == TC_ACT_SHOT)
		note_sender(skb, l3, vip);
	return verdict;
}

/* The balancer wrote in front of the packet that it has rewritten it: say so to the firewall. */
static __always_inline void mark_rewritten(struct __sk_buff *skb)
{
	__u32 *meta = (void *)(long)skb->data_meta;

	if ((void *)(meta + 1) <= (void *)(long)skb->data && *meta == META_REWRITTEN)
		skb->mark = MARK_REWRITTEN;
}

SEC("tc")
int futago_ingress(struct __sk_buff *skb)
{
	struct layer3 l3;
	struct address vip;
	__u32 offset;
	__u8 protocol;

	mark_rewritten(skb);
	if (!find_layer3(skb, &l3))
		return TC_ACT_UNSPEC;
	if (l3.ethertype == bpf_htons(ETH_P_ARP)) {
		if (!load_arp(skb, l3.offset, ARP_TARGET, &vip))
			return TC_ACT_UNSPEC;
		return judge(&vip, GROUP_ANSWER, GATE_IN_ARP_LAPSED);
	}
	if (l3.ethertype == bpf_htons(ETH_P_IP)) {
		if (!load_ipv4(skb, l3.offset, IPV4_DESTINATION, &vip, &protocol, &offset))
			return TC_ACT_UNSPEC;
		return judge_in(skb, &l3, &vip, protocol, offset);
	}
	if (l3.ethertype == bpf_htons(ETH_P_IPV6)) {
		if (!load_ipv6(skb, l3.offset, IPV6_DESTINATION, &vip, &protocol, &offset))
			return TC_ACT_UNSPEC;
		if (protocol == IPPROTO_ICMPV6 && load_nd_target(skb, offset, ND_SOLICITATION, &vip))
			return judge(&vip, GROUP_ANSWER, GATE_IN_SOLICITATION_LAPSED);
		return judge_in(skb, &l3, &vip, protocol, offset);
	}
	return TC_ACT_UNSPEC;
}

SEC("tc")
int futago_egress(struct __sk_buff *skb)
{
	struct layer3 l3;
	struct address vip, target;
	__u32 offset;
	__u8 protocol;

	if (!find_layer3(skb, &l3))
		return TC_ACT_UNSPEC;
	if (l3.ethertype == bpf_htons(ETH_P_ARP)) {
		if (!load_arp(skb, l3.offset, ARP_SENDER, &vip))
			return TC_ACT_UNSPEC;
		return judge(&vip, GROUP_ANSWER, GATE_OUT_ARP_LAPSED);
	}
	if (l3.ethertype == bpf_htons(ETH_P_IP)) {
		if (!load_ipv4(skb, l3.offset, IPV4_SOURCE, &vip, &protocol, &offset))
			return TC_ACT_UNSPEC;
		return judge(&vip, GROUP_FORWARD, GATE_OUT_PACKET_LAPSED);
	}
	if (l3.ethertype == bpf_htons(ETH_P_IPV6)) {
		if (!load_ipv6(skb, l3.offset, IPV6_SOURCE, &vip, &protocol, &offset))
			return TC_ACT_UNSPEC;
		if (protocol == IPPROTO_ICMPV6 && load_nd_target(skb, offset, ND_ADVERTISEMENT, &target) &&
		    judge(&target, GROUP_ANSWER, GATE_OUT_ADVERTISEMENT_LAPSED) == TC_ACT_SHOT)
			return TC_ACT_SHOT;
		return judge(&vip, GROUP_FORWARD, GATE_OUT_PACKET_LAPSED);
	}
	return TC_ACT_UNSPEC;
}

/* The kernel's word for "these may use its GPL-only helpers"; the licence of the source is above. */
char LICENSE[] SEC("license") = "GPL";
