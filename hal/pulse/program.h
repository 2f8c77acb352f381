/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the pulse program share: the core, and the descriptors it acts through. */
#ifndef FUTAGO_PULSE_PROGRAM_H
#define FUTAGO_PULSE_PROGRAM_H

#include <netinet/in.h>
#include <sys/epoll.h>

#include "core/pulse.h"

/* At most this many datagrams of one path per wake-up: a flood may fill a socket, never the processor. */
#define DRAIN_MAX 128

struct path_socket {
	int fd;
	uint32_t ifindex;
	/* Where the peer was last heard; all zero before. */
	struct in6_addr peer;
};

struct plan {
	uint8_t *operations;
	size_t length;
};

struct program {
	struct pulse core;
	uint8_t key[BEAT_KEY_BYTES];
	uint8_t other_key[BEAT_KEY_BYTES];
	uint16_t port;
	int epoll;
	int control;
	int timer;
	int netlink;
	int packet;
	struct path_socket paths[PULSE_PATHS_MAX];
	struct plan plans[PULSE_GROUPS_MAX][3];
	uint64_t send_errors;
};

uint64_t boot_micros(void);

/* sockets.c */
void paths_configure(struct program *program, const struct pulse_configure *order);
void paths_drain(struct program *program);
void path_send(void *context, int path, const struct beat *beat);

/* plan.c */
bool plan_open(struct program *program);
bool plan_store(struct program *program, int group, int kind, const uint8_t *operations, size_t length);
void plan_run(void *context, int group, enum pulse_plan kind, uint16_t *errors, uint16_t *first_errno);

/* control.c */
/* False: the sentinel is gone or talks nonsense. */
bool control_read(struct program *program);
void control_report(void *context, const void *bytes, size_t length);

#endif
