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
	__uint(max_entries, SLOTS);
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

/* The ports that are ends of veth pairs: what they send back by XDP_TX only an end with a program of its own gets. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PORTS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} futago_veths SEC(".maps");

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
	__type(key, struct endpoint);
	__type(value, struct service);
} services SEC(".maps");

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
	__type(key, struct endpoint);
	__type(value, struct reverse);
} reverses SEC(".maps");

/* TCP flows whose handshake was completed. Not LRU: a flood takes nobody's place. Core collects what has ended. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ESTABLISHED_MAX);
	__type(key, struct flow_key);
	__type(value, struct flow);
} established SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HALF_OPEN_MAX);
	__type(key, struct flow_key);
	__type(value, struct flow);
} half_open SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, UDP_FLOWS_MAX);
	__type(key, struct flow_key);
	__type(value, struct flow);
} udp_flows SEC(".maps");

/* `one-arm`: the twin of each entry of `established`. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ESTABLISHED_MAX);
	__type(key, struct return_key);
	__type(value, struct return_flow);
} returns SEC(".maps");

/* `one-arm`: the twins of `half_open` and `udp_flows`. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HALF_OPEN_MAX + UDP_FLOWS_MAX);
	__type(key, struct return_key);
	__type(value, struct return_flow);
} half_returns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FRAGMENTS_MAX);
	__type(key, struct fragment_key);
	__type(value, struct fragment);
} fragments SEC(".maps");

/* Next hops, each processor its own, so that none reads what another is writing. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BACKENDS_MAX);
	__type(key, __u32);
	__type(value, struct hop);
} backend_hops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, CLIENT_HOPS_MAX);
	__type(key, struct address);
	__type(value, struct hop);
} client_hops SEC(".maps");

/* Services that packets came for, and backends that they came from, each processor its own: see known.h. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KNOWN_SERVICES);
	__type(key, __u32);
	__type(value, struct known_service);
} known_services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KNOWN_BACKENDS);
	__type(key, __u32);
	__type(value, struct known_backend);
} known_backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SOURCES_MAX);
	__type(key, struct source_key);
	__type(value, struct source);
} sources SEC(".maps");

/* 1 allows, 0 denies; the longest prefix decides. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ACCESS_MAX);
	__type(key, struct access_key);
	__type(value, __u32);
} access_lists SEC(".maps");

/*
 * Flows that a backend got, and those of them that are over, by their end here or by core's collecting what fell
 * silent: the rest are open. Core puts right what these counts miss, such as flows that a table forgot.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BACKENDS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} backend_opened SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BACKENDS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} backend_closed SEC(".maps");

/* Open flows of a service, and of each client at the services that have a limit for it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct service_open);
} service_open SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ESTABLISHED_MAX);
	__type(key, struct source_key);
	__type(value, __s64);
} client_open SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct errand);
} errands SEC(".maps");

/* What a processor may still answer with ICMP messages of its own. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct source);
} answer_tokens SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* struct flow_event, for core to tell the peer. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENTS_BYTES);
} flow_events SEC(".maps");

/* struct refusal, for core to look at the backend. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, REFUSALS_BYTES);
} refusals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BALANCER_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} balancer_counts SEC(".maps");

/* By the service: what its former backends had counted when they went. Core's to write; the programs have no use for it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct traffic);
} former_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BACKENDS_MAX);
	__type(key, __u32);
	__type(value, struct traffic);
} backend_counts SEC(".maps");

#endif
