/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What a group may do at this moment. */
#ifndef FUTAGO_LEASE_H
#define FUTAGO_LEASE_H

#include "address.h"
#include "maps-gate.h"

/*
 * The group's bits, or 0 while it has no valid lease at this moment of CLOCK_BOOTTIME. Another processor stores into the
 * group: read each field once.
 */
static __always_inline __u32 group_bits(__u32 index, __u64 now)
{
	struct group *group = bpf_map_lookup_elem(&futago_groups, &index);

	if (!group || now >= *(volatile __u64 *)&group->lease_until_ns)
		return 0;
	return *(volatile __u32 *)&group->bits;
}

#endif
