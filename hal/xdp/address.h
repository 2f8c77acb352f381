/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Addresses of both families in one form. */
#ifndef FUTAGO_ADDRESS_H
#define FUTAGO_ADDRESS_H

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "structs.h"

static __always_inline struct address mapped_address(__be32 ipv4)
{
	struct address address = { .words = { 0, 0, bpf_htonl(0xffff), ipv4 } };

	return address;
}

static __always_inline int same_address(const struct address *a, const struct address *b)
{
	return a->words[3] == b->words[3] && a->words[2] == b->words[2] && a->words[1] == b->words[1] &&
	       a->words[0] == b->words[0];
}

/* Whether both begin with the same `bits` of 128. */
static __always_inline int share_prefix(const struct address *a, const struct address *b, __u32 bits)
{
	for (__u32 i = 0; i < 4; i++) {
		__u32 left = bits > 32 * i ? bits - 32 * i : 0;
		__u32 differ = left ? bpf_ntohl(a->words[i] ^ b->words[i]) : 0;

		if (left < 32 ? (__u64)differ >> (32 - left) : differ)
			return 0;
	}
	return 1;
}

#endif
