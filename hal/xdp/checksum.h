/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Internet checksums brought up to date for the words that changed. RFC 1624 section 3, equation 3. */
#ifndef FUTAGO_CHECKSUM_H
#define FUTAGO_CHECKSUM_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* Adds the change of a 32-bit word, in network byte order as it lies in the packet, to a running sum. */
static __always_inline __u64 changed32(__be32 from, __be32 to)
{
	return (__u64)(__u32)~from + (__u32)to;
}

static __always_inline __u64 changed16(__be16 from, __be16 to)
{
	return (__u64)(__u16)~from + (__u16)to;
}

static __always_inline void update_checksum(__u16 *checksum, __u64 changes)
{
	__u64 sum = (__u16)~*checksum + changes;

	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*checksum = ~sum;
}

#endif
