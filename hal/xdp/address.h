/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Addresses of both families in one form. */
#ifndef FUTAGO_ADDRESS_H
#define FUTAGO_ADDRESS_H

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "structs.h"

/* The compiler copies what it takes for unaligned byte by byte. */
typedef __u32 __attribute__((may_alias)) word;
typedef __u64 __attribute__((may_alias)) half;

static __always_inline struct address mapped_address(__be32 ipv4)
{
	struct address address;
	half *halves = (half *)&address;

	/* What is read in one piece later is written in one. */
	halves[0] = 0;
	halves[1] = (__u64)ipv4 << 32 | bpf_htonl(0xffff);
	return address;
}

static __always_inline int same_address(const struct address *a, const struct address *b)
{
	const half *one = (const half *)a, *other = (const half *)b;

	return one[1] == other[1] && one[0] == other[0];
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
