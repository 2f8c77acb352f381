/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The maps of the balancer. The loader pins all of them, so they outlive core. */
#ifndef FUTAGO_MAPS_BALANCER_H
#define FUTAGO_MAPS_BALANCER_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "structs.h"

/* What the root program runs: the balancer, changed without touching the port. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} futago_slots SEC(".maps");

/* The ports that take a redirected frame, by ifindex: those with a native XDP program. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, PORTS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} futago_ports SEC(".maps");

/* The box's own addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWN_MAX);
	__type(key, struct address);
	__type(value, __u32);
} futago_own SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SERVICES_MAX);
	__type(key, struct endpoint4);
	__type(value, struct service);
} services4 SEC(".maps");

/* By the service's index. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BACKENDS_MAX);
	__type(key, __u32);
	__type(value, struct backend);
} backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, REVERSE_MAX);
	__type(key, struct endpoint4);
	__type(value, struct reverse4);
} reverse4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ESTABLISHED_MAX);
	__type(key, struct flow4_key);
	__type(value, struct flow4);
} established4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HALF_OPEN_MAX);
	__type(key, struct flow4_key);
	__type(value, struct flow4);
} half_open4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BALANCER_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} balancer_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct traffic);
} service_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BACKENDS_MAX);
	__type(key, __u32);
	__type(value, struct traffic);
} backend_counts SEC(".maps");

#endif
