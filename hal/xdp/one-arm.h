/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * `one-arm`: the backend sees the VIP and a port of it, which stands for the client. Each flow has two entries, one
 * by the client's side and one by the backend's; a flow that is not established has both in tables that may forget.
 * A port of the VIP never stands for two clients towards one backend: whoever wants it puts it into `half_returns`
 * first and looks into `returns` then, and whoever moves it writes `returns` first and leaves `half_returns` then.
 */
#ifndef FUTAGO_ONE_ARM_H
#define FUTAGO_ONE_ARM_H

#include "flow.h"

static __always_inline void return_key_of(const struct flow_key *flow, const struct target *target,
					  struct return_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->backend = target->address;
	key->vip = flow->vip;
	key->backend_port = target->port;
	key->vip_source_port = target->vip_source_port;
	key->protocol = flow->protocol;
}

static __always_inline void return_flow_of(const struct flow_key *flow, const struct target *target, __u32 service,
					   struct return_flow *to)
{
	to->client = flow->client;
	to->client_port = flow->client_port;
	to->vip_port = flow->vip_port;
	to->backend = target->number;
	to->service = service;
}

static __always_inline int is_of(const struct return_flow *found, const struct flow_key *flow)
{
	return found->client_port == flow->client_port && found->vip_port == flow->vip_port &&
	       same_address(&found->client, &flow->client);
}

static __always_inline int is_service(const struct address *address, __be16 port, __u8 protocol)
{
	struct endpoint endpoint = { .address = *address, .port = port, .protocol = protocol };

	return bpf_map_lookup_elem(&services, &endpoint) != 0;
}

/* Takes the port that `target` names for this flow, or finds that it has it. False when it is another's. */
__noinline int take_port(const struct passage *passage)
{
	struct return_flow value = {}, *found;
	struct return_key key;

	if (!passage)
		return 0;
	return_key_of(&passage->key, &passage->target, &key);
	found = bpf_map_lookup_elem(&half_returns, &key);
	if (found)
		return is_of(found, &passage->key);
	return_flow_of(&passage->key, &passage->target, passage->service.index, &value);
	if (bpf_map_update_elem(&half_returns, &key, &value, BPF_NOEXIST))
		return 0;
	if (!bpf_map_lookup_elem(&returns, &key))
		return 1;
	bpf_map_delete_elem(&half_returns, &key);
	return 0;
}

/*
 * Claims a port of the VIP that nobody uses towards this backend. False when none was found. One that was used lately
 * is taken last: the backend may remember its former connection, and a client whose clock is behind that one's has to
 * reset that memory first and try again. RFC 6191
 */
__noinline int claim_port(struct passage *passage)
{
	__u32 hash, round;

	if (!passage)
		return 0;
	round = passage->now / ONE_ARM_STEP_NS;
	hash = mix((__u64)flow_hash(&passage->key, &passage->service) + passage->key.client_port + passage->now);
	for (int i = 0; i < ONE_ARM_TRIES; i++) {
		__u32 port = i < ONE_ARM_NEAR_TRIES ? round + hash % ONE_ARM_NEAR : hash;

		port = ONE_ARM_PORT_MIN + port % (ONE_ARM_PORT_MAX - ONE_ARM_PORT_MIN + 1);

		hash = hash * 1664525 + 1013904223;
		passage->target.vip_source_port = bpf_htons(port);
		if (!is_service(&passage->key.vip, passage->target.vip_source_port, passage->key.protocol) &&
		    take_port(passage))
			return 1;
	}
	passage->target.vip_source_port = 0;
	return 0;
}

/*
 * Both sides of a flow whose handshake is complete. The port of a connection whose place it takes is free then. False:
 * it stays where it was.
 */
__noinline int establish_both(void)
{
	const struct passage *passage = passage_in_hand();
	struct return_flow value = {}, *taken;
	struct target former = {};
	struct return_key key;
	const struct target *target;
	const struct flow_key *flow;
	struct flow *known;
	int kept;

	if (!passage)
		return NOT_KEPT;
	flow = &passage->key;
	target = &passage->target;
	known = bpf_map_lookup_elem(&established, flow);
	if (known)
		go_to(&former, known);
	return_key_of(flow, target, &key);
	return_flow_of(flow, target, passage->service.index, &value);
	if (bpf_map_update_elem(&returns, &key, &value, BPF_NOEXIST)) {
		taken = bpf_map_lookup_elem(&returns, &key);
		if (!taken)
			count(TABLE_REFUSED);
		if (!taken || !is_of(taken, flow))
			return NOT_KEPT;
	}
	kept = establish();
	if (!kept) {
		bpf_map_delete_elem(&returns, &key);
		return NOT_KEPT;
	}
	bpf_map_delete_elem(&half_returns, &key);
	if (former.vip_source_port && (former.vip_source_port != target->vip_source_port || former.port != target->port ||
				       !same_address(&former.address, &target->address))) {
		return_key_of(flow, &former, &key);
		bpf_map_delete_elem(&returns, &key);
	}
	return kept;
}

/*
 * A packet from a backend to a VIP, its key filled in as if it were a client's: the passage becomes that of the reply to
 * the client behind the port. False when there is none.
 */
__noinline int find_client(struct passage *passage)
{
	struct return_flow *found;
	struct return_key back;
	__u16 port;

	if (!passage)
		return 0;
	port = bpf_ntohs(passage->key.vip_port);
	if (port < ONE_ARM_PORT_MIN || port > ONE_ARM_PORT_MAX)
		return 0;
	passage->target.address = passage->key.client;
	passage->target.port = passage->key.client_port;
	passage->target.vip_source_port = passage->key.vip_port;
	return_key_of(&passage->key, &passage->target, &back);
	found = bpf_map_lookup_elem(&returns, &back);
	if (!found)
		found = bpf_map_lookup_elem(&half_returns, &back);
	if (!found)
		return 0;
	passage->key.client = found->client;
	passage->key.client_port = found->client_port;
	passage->key.vip_port = found->vip_port;
	passage->target.number = found->backend;
	passage->service.index = found->service;
	return 1;
}

#endif
