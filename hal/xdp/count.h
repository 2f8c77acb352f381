/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Counters, each processor its own. */
#ifndef FUTAGO_COUNT_H
#define FUTAGO_COUNT_H

#include "maps-balancer.h"

/* For functions deep in the stack, of which each call takes 32 bytes on some kernels. */
static __always_inline void count_inline(__u32 reason)
{
	__u64 *value = bpf_map_lookup_elem(&balancer_counts, &reason);

	if (value)
		*value += 1;
}

__noinline int count(__u32 reason)
{
	count_inline(reason);
	return 0;
}

static __always_inline int counted(__u32 reason, int verdict)
{
	count(reason);
	return verdict;
}

static __always_inline void count_in(__u32 backend, __u32 bytes)
{
	struct traffic *traffic = bpf_map_lookup_elem(&backend_counts, &backend);

	if (!traffic)
		return;
	traffic->packets_in += 1;
	traffic->bytes_in += bytes;
}

static __always_inline void count_out(__u32 backend, __u32 bytes)
{
	struct traffic *traffic = bpf_map_lookup_elem(&backend_counts, &backend);

	if (!traffic)
		return;
	traffic->packets_out += 1;
	traffic->bytes_out += bytes;
}

static __always_inline void count_flow(__u32 backend)
{
	struct traffic *traffic = bpf_map_lookup_elem(&backend_counts, &backend);

	if (traffic)
		traffic->flows += 1;
}

#endif
