/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * What a processor remembers of the tables: the service that a packet is for, and the backend that one comes from, found
 * without hashing a key. What is neither is not remembered, so that packets to anywhere else take nobody's place.
 */
#ifndef FUTAGO_KNOWN_H
#define FUTAGO_KNOWN_H

#include "maps-balancer.h"
#include "maps-gate.h"
#include "parse.h"

static __always_inline const volatile struct state *state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&futago_state, &zero);
}

/* Spread over as many places as `bits` number. */
static __always_inline __u32 place_of(const struct address *address, __be16 port, __u8 protocol, __u32 bits)
{
	__u32 mixed = (address->words[3] ^ (__u32)port << 8 ^ protocol) * 0x9e3779b1;

	/* The upper bits of a product are the mixed ones. */
	return mixed >> (32 - bits);
}

/* Where the service that a packet is for would be remembered. */
static __always_inline struct known_service *place_of_service(const struct packet *packet)
{
	__u32 place = place_of(&packet->destination, packet->destination_port, packet->protocol,
			       __builtin_ctz(KNOWN_SERVICES));

	return bpf_map_lookup_elem(&known_services, &place);
}

/* Where the backend that a packet comes from would be remembered. */
static __always_inline struct known_backend *place_of_backend(const struct packet *packet)
{
	__u32 place = place_of(&packet->source, packet->source_port, packet->protocol, __builtin_ctz(KNOWN_BACKENDS));

	return bpf_map_lookup_elem(&known_backends, &place);
}

/* It is of this endpoint and of this generation; whether its time is over is not asked. */
static __always_inline int is_known(const struct known *known, const struct address *address, __be16 port,
				    __u8 protocol, __u32 generation)
{
	return same_address(&known->at.address, address) && known->at.port == port && known->at.protocol == protocol &&
	       known->generation == generation;
}

static __always_inline void note_known(struct known *known, const struct endpoint *at, __u32 group, __u64 now,
				       __u32 generation)
{
	known->at = *at;
	known->group = group;
	known->generation = generation;
	known->until_ns = now + MEMORY_LASTS_NS;
}

#endif
