/* SPDX-License-Identifier: Apache-2.0 */
/* How late timers fired: counts by powers of two of microseconds, since the program started. */
#ifndef FUTAGO_LATENESS_H
#define FUTAGO_LATENESS_H

#include <stdint.h>

#include "protocol.h"

struct lateness {
	/* counts[i]: late by less than 2^i microseconds, and not less than half that; the last holds all the rest. */
	uint64_t counts[PULSE_LATENESS_BUCKETS];
};

static inline void lateness_add(struct lateness *lateness, uint64_t micros)
{
	int bucket = 0;

	while (bucket < PULSE_LATENESS_BUCKETS - 1 && micros >> bucket != 0)
		bucket++;
	lateness->counts[bucket]++;
}

#endif
