/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Whether a client may come in at all. */
#ifndef FUTAGO_ADMIT_H
#define FUTAGO_ADMIT_H

#include "flow.h"

#define SECOND_NS 1000000000ULL

/* Only for services that have a list. */
__noinline int is_listed_out(const struct passage *passage)
{
	struct access_key key = { .prefix_bits = 32 + 128 };
	__u32 *allowed;

	if (!passage)
		return 1;
	key.service = bpf_htonl(passage->service.index);
	key.address = passage->key.client;
	allowed = bpf_map_lookup_elem(&access_lists, &key);
	return allowed ? !*allowed : passage->service.flags & SERVICE_LISTED_ONLY;
}

/* An address that no packet to another host may come from; the kernel, which refuses those, does not see the packet. */
static __always_inline int is_martian(const struct address *source)
{
	__u32 first = bpf_ntohl(source->words[0]), ipv4 = bpf_ntohl(source->words[3]);

	if (bpf_map_lookup_elem(&futago_vips, source) || bpf_map_lookup_elem(&futago_own, source))
		return 1;
	if (first || source->words[1])
		return first >> 24 == 0xff || first >> 22 == 0xfe80 >> 6;
	/* Of what begins with 64 zeros only an IPv4 address is one. RFC 4291 section 2.5, RFC 6890 */
	return source->words[2] != bpf_htonl(0xffff) || ipv4 >> 24 == 0 || ipv4 >> 24 == 127 || ipv4 >> 28 >= 0xe;
}

/*
 * A token bucket that holds the tokens of one second. Two processors that take at one moment may take one token twice;
 * a limit by the second can bear that.
 */
static __always_inline int is_over_limit(const struct service *service, const struct address *client, __u64 now)
{
	struct source_key key = { .client = *client, .service = service->index };
	__u64 limit = service->source_limit, earned = 0;
	__s64 elapsed;
	struct source *source;

	if (!limit)
		return 0;
	source = bpf_map_lookup_elem(&sources, &key);
	if (!source) {
		struct source first = { .refilled_ns = now, .tokens = limit - 1 };

		bpf_map_update_elem(&sources, &key, &first, BPF_ANY);
		return 0;
	}
	elapsed = now - source->refilled_ns;
	if (elapsed >= (__s64)SECOND_NS) {
		source->tokens = limit;
		source->refilled_ns = now;
	} else if (elapsed > 0) {
		earned = elapsed * limit / SECOND_NS;
	}
	if (earned) {
		source->tokens = source->tokens + earned > limit ? limit : source->tokens + earned;
		/* What is left over of the time counts for the next token. */
		source->refilled_ns += earned * SECOND_NS / limit;
	}
	if (!source->tokens)
		return 1;
	source->tokens--;
	return 0;
}

/* The flows that are open already, of the service and of the client. Flows that begin at one moment may all pass. */
__noinline int is_beyond(const struct passage *passage)
{
	struct service_open *all;
	struct source_key key = {};
	__u32 service;
	__s64 *open;

	if (!passage)
		return DROP_SERVICE_FULL;
	service = passage->service.index;
	all = bpf_map_lookup_elem(&service_open, &service);
	if (passage->service.flows_max && all && all->flows >= (__s64)passage->service.flows_max)
		return DROP_SERVICE_FULL;
	if (!passage->service.client_flows_max)
		return -1;
	key.client = passage->key.client;
	key.service = service;
	open = bpf_map_lookup_elem(&client_open, &key);
	return open && *open >= (__s64)passage->service.client_flows_max ? DROP_CLIENT_FULL : -1;
}

/* The backend of a new flow: negative, or why there is none. */
__noinline int admit(void)
{
	const struct passage *passage = passage_in_hand();
	int refused;

	if (!passage)
		return DROP_NO_BACKEND;
	if (is_martian(&passage->key.client))
		return DROP_MALFORMED;
	if (is_over_limit(&passage->service, &passage->key.client, passage->now))
		return DROP_SOURCE_LIMIT;
	if (passage->service.flows_max || passage->service.client_flows_max) {
		refused = is_beyond(passage);
		if (refused >= 0)
			return refused;
	}
	return pick_from_ring(1);
}

#endif
