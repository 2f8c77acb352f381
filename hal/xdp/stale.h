/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Who still sends to this box what is for a VIP that it may not serve: he missed that the VIP moved. */
#ifndef FUTAGO_STALE_H
#define FUTAGO_STALE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "structs.h"

/* Filled by gate and balancer, read and emptied by the sentinel. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STALE_MAX);
	__type(key, struct stale_key);
	__type(value, struct stale);
} futago_stale SEC(".maps");

/* One more packet of a host. `first` holds source and destination, for the entry of a host that has none. */
static __always_inline void note_stale(const struct stale_key *key, struct stale *first)
{
	struct stale *known = bpf_map_lookup_elem(&futago_stale, key);
	__u64 now = bpf_ktime_get_boot_ns();

	if (known) {
		__sync_fetch_and_add(&known->packets, 1);
		known->seen_ns = now;
		return;
	}
	first->packets = 1;
	first->seen_ns = now;
	bpf_map_update_elem(&futago_stale, key, first, BPF_ANY);
}

#endif
