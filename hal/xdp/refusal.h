/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * What clients' packets show of backends: that one refuses connections, or cannot be reached. Core hears of it at once
 * and looks for itself, since such packets can be forged.
 */
#ifndef FUTAGO_REFUSAL_H
#define FUTAGO_REFUSAL_H

#include "maps-balancer.h"

/* A ring that is full loses some: a backend that refuses one client refuses the next. */
static __always_inline void note_refusal(__u32 backend, __u32 kind)
{
	struct refusal refusal = { .backend = backend, .kind = kind };

	bpf_ringbuf_output(&refusals, &refusal, sizeof(refusal), 0);
}

#endif
