/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Copies of packets as they came in and as they went out, for `futago capture`. While nobody captures it costs
 * a look at `struct state`. What is needed of a packet before it is rewritten is kept in the processor's own scratch; a program
 * of its own, called before the balancer decides and again with its verdict, copies, judges and hands over.
 */
#ifndef FUTAGO_CAPTURE_H
#define FUTAGO_CAPTURE_H

#include "maps-balancer.h"
#include "parse.h"

/* What is captured. */
struct capture_filter {
	/* CLOCK_BOOTTIME; 0 captures nothing. */
	__u64 until_ns;
	/* Packets that found no room. */
	__u64 lost;
	struct address client;
	/* Of each frame so many bytes are kept. */
	__u32 snap;
	__u8 by_client;
	/* Only what concerns an endpoint in capture_endpoints. */
	__u8 by_service;
	__u8 zero[2];
};

struct captured {
	/* CLOCK_BOOTTIME. */
	__u64 at_ns;
	/* A bit for each enum balancer_counter that the packet moved. */
	__u64 counted;
	/* The port that it came in by. */
	__u32 ifindex;
	/* Of the whole frames. */
	__u32 length_before;
	__u32 length_after;
	__u16 kept_before;
	__u16 kept_after;
	/* enum xdp_action */
	__u32 verdict;
	__u32 zero;
	__u8 before[CAPTURE_BYTES_MAX];
	__u8 after[CAPTURE_BYTES_MAX];
};

/* The ends of a packet; ports are 0 where they cannot be read. */
struct capture_ends {
	struct address source;
	struct address destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 zero[3];
};

struct capture_scratch {
	struct captured record;
	struct capture_ends came;
	__u64 counts[BALANCER_COUNTERS];
	/* A packet was copied on its way in and not yet judged. */
	__u64 armed;
};

_Static_assert(BALANCER_COUNTERS <= 64, "a bit for each counter");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct capture_filter);
} capture_filters SEC(".maps");

/* Of the services that are captured; port and protocol 0 stand for packets to the address whose ports cannot be read. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CAPTURE_ENDPOINTS_MAX);
	__type(key, struct endpoint);
	__type(value, __u32);
} capture_endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct capture_scratch);
} capture_scratches SEC(".maps");

/* struct captured */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CAPTURE_RECORDS_BYTES);
} capture_records SEC(".maps");

static __always_inline struct capture_scratch *capture_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&capture_scratches, &zero);
}

static __always_inline void ends_of(const struct packet *packet, struct capture_ends *ends)
{
	ends->source = packet->source;
	ends->destination = packet->destination;
	ends->source_port = packet->source_port;
	ends->destination_port = packet->destination_port;
	ends->protocol = packet->source_port || packet->destination_port ? packet->protocol : 0;
}

/* Copies the beginning of the frame; the length that was copied. */
static __always_inline __u32 copy_frame(struct xdp_md *ctx, __u8 *to, __u32 length, __u32 snap)
{
	__u32 kept = length < snap ? length : snap, last;

	if (kept > CAPTURE_BYTES_MAX)
		kept = CAPTURE_BYTES_MAX;
	/* Older verifiers learn nothing from a comparison with 0. */
	last = kept - 1;
	asm volatile("" : "+r"(last));
	if (last >= CAPTURE_BYTES_MAX || bpf_xdp_load_bytes(ctx, 0, to, last + 1))
		return 0;
	return last + 1;
}

static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data_end - (void *)(long)ctx->data;
}

/* The key is a copy: whatever a helper is shown, the verifier knows no bound of any more. */
static __always_inline __u64 counter(__u32 reason)
{
	__u64 *value = bpf_map_lookup_elem(&balancer_counts, &reason);

	return value ? *value : 0;
}

/*
 * To be called before the packet is read, since some verifiers take a tail call that fails for a change of it. A captured
 * packet goes to futago_capture, which copies it and sends it back here: the balancer's stack has no room for that.
 */
static __always_inline void capture_before(struct xdp_md *ctx)
{
	struct capture_scratch *scratch = capture_scratch();

	if (scratch && !scratch->armed)
		bpf_tail_call(ctx, &futago_slots, SLOT_CAPTURE);
}

/* The last that a program does: comes back, or goes to futago_capture, which returns the verdict in its stead. */
static __always_inline int capture_after(struct xdp_md *ctx, int verdict)
{
	struct capture_scratch *scratch = capture_scratch();

	if (!scratch || !scratch->armed)
		return verdict;
	scratch->record.verdict = verdict;
	bpf_tail_call(ctx, &futago_slots, SLOT_CAPTURE);
	scratch->armed = 0;
	return verdict;
}

static __always_inline int is_captured_end(const struct address *address, __be16 port, __u8 protocol)
{
	struct endpoint endpoint = { .address = *address, .port = port, .protocol = protocol };

	return bpf_map_lookup_elem(&capture_endpoints, &endpoint) != 0;
}

/* To the service, from it, or a backend's reply that will never be. */
static __always_inline int is_of_service(const struct capture_ends *came, const struct capture_ends *went)
{
	struct endpoint source = { .address = came->source, .port = came->source_port, .protocol = came->protocol };
	struct reverse *reverse;

	if (is_captured_end(&came->destination, came->destination_port, came->protocol) ||
	    is_captured_end(&went->source, went->source_port, went->protocol))
		return 1;
	reverse = bpf_map_lookup_elem(&reverses, &source);
	return reverse && is_captured_end(&reverse->vip, reverse->port, came->protocol);
}

static __always_inline int is_of_client(const struct address *client, const struct capture_ends *came,
					const struct capture_ends *went)
{
	return same_address(client, &came->source) || same_address(client, &came->destination) ||
	       same_address(client, &went->source) || same_address(client, &went->destination);
}

static __always_inline __u64 counters_moved(const struct capture_scratch *scratch)
{
	__u64 moved = 0;

	for (int reason = 0; reason < BALANCER_COUNTERS; reason++) {
		if (counter(reason) != scratch->counts[reason])
			moved |= 1ULL << reason;
	}
	return moved;
}

static __always_inline void copy_before(struct xdp_md *ctx, const struct packet *packet,
					struct capture_scratch *scratch, __u32 snap)
{
	struct captured *record = &scratch->record;

	ends_of(packet, &scratch->came);
	record->at_ns = bpf_ktime_get_boot_ns();
	record->ifindex = ctx->ingress_ifindex;
	record->length_before = frame_length(ctx);
	record->kept_before = copy_frame(ctx, record->before, record->length_before, snap);
	for (int reason = 0; reason < BALANCER_COUNTERS; reason++)
		scratch->counts[reason] = counter(reason);
}

static __always_inline void hand_over(struct xdp_md *ctx, struct capture_scratch *scratch, struct capture_filter *filter)
{
	struct captured *record = &scratch->record;
	struct packet packet = {};
	struct capture_ends went = {};

	if (parse(ctx, &packet) != SHAPE_OTHER)
		ends_of(&packet, &went);
	if (filter->by_client && !is_of_client(&filter->client, &scratch->came, &went))
		return;
	if (filter->by_service && !is_of_service(&scratch->came, &went))
		return;
	record->counted = counters_moved(scratch);
	record->length_after = frame_length(ctx);
	record->kept_after = copy_frame(ctx, record->after, record->length_after, filter->snap);
	if (bpf_ringbuf_output(&capture_records, record, sizeof(*record), 0))
		__sync_fetch_and_add(&filter->lost, 1);
}

/* Called twice for a packet: before it is balanced, and with the verdict. */
SEC("xdp")
int futago_capture(struct xdp_md *ctx)
{
	struct capture_scratch *scratch = capture_scratch();
	struct packet packet = {};
	__u32 zero = 0;
	struct capture_filter *filter = bpf_map_lookup_elem(&capture_filters, &zero);

	if (!scratch || !filter)
		return XDP_ABORTED;
	if (!scratch->armed) {
		/* The balancer passes it, too. */
		if (parse(ctx, &packet) == SHAPE_OTHER)
			return XDP_PASS;
		copy_before(ctx, &packet, scratch, filter->snap);
		scratch->armed = 1;
		bpf_tail_call(ctx, &futago_slots, SLOT_BALANCER);
		scratch->armed = 0;
		return XDP_PASS;
	}
	scratch->armed = 0;
	if (scratch->record.at_ns < filter->until_ns)
		hand_over(ctx, scratch, filter);
	return scratch->record.verdict;
}

#endif
