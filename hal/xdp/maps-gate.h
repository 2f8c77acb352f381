/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The maps that gate and balancer share by their pins. */
#ifndef FUTAGO_MAPS_GATE_H
#define FUTAGO_MAPS_GATE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "structs.h"

/* Written by mmap: a store is in force with the next packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, GROUPS_MAX);
	__type(key, __u32);
	__type(value, struct group);
} futago_groups SEC(".maps");

/* VIP to group. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VIPS_MAX);
	__type(key, struct address);
	__type(value, __u32);
} futago_vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct state);
} futago_state SEC(".maps");

#endif
