/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What the generator's programs and frames.c share. */
#ifndef FRAMES_H
#define FRAMES_H

#include <linux/types.h>

/* Room for Ethernet, IPv6 and TCP headers. */
#define FRAME_BYTES 80
#define STEPS_MAX 2

/* The frames to make. The client's address ends in zeros in a template, its port is 0, and the checksums say so. */
struct plan {
	/* The packets of a flow, in their order. */
	__u8 templates[STEPS_MAX][FRAME_BYTES];
	__u32 steps;
	/* So many flows take turns; 0 makes each flow a new one. */
	__u32 flows;
	__u32 is_ipv6;
	/* The far end answers a SYN, and the near end that answer. */
	__u32 answers;
};

/* Of one processor: what comes next. */
struct turn {
	__u32 flow;
	__u32 step;
};

/* Packets that came to each end. */
struct arrivals {
	__u64 front;
	__u64 back;
};

#endif
