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

#endif
