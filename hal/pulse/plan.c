/* SPDX-License-Identifier: Apache-2.0 */
/* Carries out what the sentinel prepared: netlink requests and frames, in order, without looking inside. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netlink.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "program.h"

#define REPLY_BYTES 8192

bool plan_open(struct program *program)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };

	program->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	program->packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return program->netlink >= 0 && program->packet >= 0 &&
	       bind(program->netlink, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool well_formed(const uint8_t *at, size_t left)
{
	while (left > 0) {
		struct pulse_operation operation;

		if (left < sizeof(operation))
			return false;
		memcpy(&operation, at, sizeof(operation));
		if (operation.length > left - sizeof(operation) ||
		    (operation.kind != PULSE_OPERATION_NETLINK && operation.kind != PULSE_OPERATION_FRAME))
			return false;
		at += sizeof(operation) + operation.length;
		left -= sizeof(operation) + operation.length;
	}
	return true;
}

bool plan_store(struct program *program, int group, int kind, const uint8_t *operations, size_t length)
{
	struct plan *plan;
	uint8_t *copy;

	if (group >= PULSE_GROUPS_MAX || (kind != PULSE_PLAN_TAKE_OVER && kind != PULSE_PLAN_RELEASE) ||
	    !well_formed(operations, length))
		return false;
	copy = malloc(length ? length : 1);
	if (!copy)
		return false;
	memcpy(copy, operations, length);
	plan = &program->plans[group][kind];
	free(plan->operations);
	*plan = (struct plan){ .operations = copy, .length = length };
	return true;
}

static void note_error(int error, uint16_t *errors, uint16_t *first_errno)
{
	/* Already there, or already gone: what was wanted is so. */
	if (error == EEXIST || error == EADDRNOTAVAIL)
		return;
	if ((*errors)++ == 0)
		*first_errno = (uint16_t)error;
}

/* The kernel carries requests out inside sendto(); refusals are waiting when it returns. */
static void collect_refusals(int fd, uint16_t *errors, uint16_t *first_errno)
{
	uint8_t reply[REPLY_BYTES] __attribute__((aligned(8)));

	for (int i = 0; i < 1024; i++) {
		ssize_t length = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);

		if (length <= 0)
			return;
		for (struct nlmsghdr *message = (struct nlmsghdr *)reply; NLMSG_OK(message, (size_t)length);
		     message = NLMSG_NEXT(message, length)) {
			struct nlmsgerr *refusal = NLMSG_DATA(message);

			if (message->nlmsg_type == NLMSG_ERROR && refusal->error != 0)
				note_error(-refusal->error, errors, first_errno);
		}
	}
}

static void send_frame(int fd, const struct pulse_operation *operation, const uint8_t *frame, uint16_t *errors,
		       uint16_t *first_errno)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)operation->ifindex };

	if (sendto(fd, frame, operation->length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
		note_error(errno, errors, first_errno);
}

void plan_run(void *context, int group, enum pulse_plan kind, uint16_t *errors, uint16_t *first_errno)
{
	struct program *program = context;
	const struct plan *plan = &program->plans[group][kind];
	const uint8_t *at = plan->operations;
	const uint8_t *end = at + plan->length;

	*errors = 0;
	*first_errno = 0;
	while (at < end) {
		struct pulse_operation operation;

		memcpy(&operation, at, sizeof(operation));
		at += sizeof(operation);
		if (operation.kind == PULSE_OPERATION_FRAME) {
			send_frame(program->packet, &operation, at, errors, first_errno);
		} else if (send(program->netlink, at, operation.length, 0) < 0) {
			note_error(errno, errors, first_errno);
		} else {
			collect_refusals(program->netlink, errors, first_errno);
		}
		at += operation.length;
	}
}
