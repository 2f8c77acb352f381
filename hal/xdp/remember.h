/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Where a packet's first fragment went, for those that follow it. */
#ifndef FUTAGO_REMEMBER_H
#define FUTAGO_REMEMBER_H

#include "flow.h"
#include "forward.h"

/* `mode` of a fragment whose first went to the kernel as it was. */
#define FRAGMENT_PASSES MODES

/* IPv6 tells fragments apart without their protocol, which later ones may state otherwise. RFC 8200 section 4.5 */
static __always_inline void fragment_key_of(const struct packet *packet, struct fragment_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->source = packet->source;
	key->destination = packet->destination;
	key->id = packet->fragment_id;
	key->protocol = packet->is_ipv6 ? 0 : packet->protocol;
}

static __noinline void remember_fragment(const struct packet *packet, const struct fragment *went)
{
	struct fragment_key key;

	fragment_key_of(packet, &key);
	bpf_map_update_elem(&fragments, &key, went, BPF_ANY);
}

/* Leaves no mark that the packet is a first fragment: it has been remembered. */
static __noinline void remember(struct packet *packet, const struct rewrite *to, const struct passage *passage,
				int to_client)
{
	struct fragment went = {
		.source = to->source, .destination = to->destination, .backend = passage->target.number,
		.mode = passage->service.mode, .to_client = to_client,
		.seen_ns = passage->now,
	};

	packet->is_first_fragment = 0;
	if (to_client)
		went.mode = MODE_NAT;
	remember_fragment(packet, &went);
}

#endif
