/* SPDX-License-Identifier: Apache-2.0 */
/* The socket pair to the sentinel. End of file means that it is gone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "program.h"

static uint8_t *buffer;
static size_t held;

static bool obey(struct program *program, const struct pulse_command_header *header, const uint8_t *payload)
{
	if (header->kind == PULSE_PLAN)
		return plan_store(program, header->group, header->argument, payload, header->length);
	if (!pulse_command(&program->core, header, payload, boot_micros()))
		return false;
	if (header->kind == PULSE_CONFIGURE) {
		struct pulse_configure order;

		memcpy(&order, payload, sizeof(order));
		memcpy(program->key, order.key, sizeof(program->key));
		memcpy(program->other_key, order.other_key, sizeof(program->other_key));
		paths_configure(program, &order);
	}
	return true;
}

static bool obey_all(struct program *program)
{
	size_t at = 0;

	while (held - at >= sizeof(struct pulse_command_header)) {
		struct pulse_command_header header;

		memcpy(&header, buffer + at, sizeof(header));
		if (header.length > PULSE_MESSAGE_MAX) {
			fprintf(stderr, "pulse: a command of %u bytes is too long\n", header.length);
			return false;
		}
		if (held - at < sizeof(header) + header.length)
			break;
		if (!obey(program, &header, buffer + at + sizeof(header)))
			fprintf(stderr, "pulse: command %u for group %u refused\n", header.kind, header.group);
		at += sizeof(header) + header.length;
	}
	memmove(buffer, buffer + at, held - at);
	held -= at;
	return true;
}

bool control_read(struct program *program)
{
	const size_t size = sizeof(struct pulse_command_header) + PULSE_MESSAGE_MAX;

	if (!buffer)
		buffer = malloc(size);
	if (!buffer)
		return false;
	for (;;) {
		ssize_t length = recv(program->control, buffer + held, size - held, MSG_DONTWAIT);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (length <= 0)
			return false;
		held += (size_t)length;
		if (!obey_all(program))
			return false;
	}
}

void control_report(void *context, const void *bytes, size_t length)
{
	struct program *program = context;
	struct pulse_command_header header;
	uint8_t copy[sizeof(header) + sizeof(struct pulse_snapshot)];

	if (length > sizeof(copy))
		return;
	memcpy(copy, bytes, length);
	memcpy(&header, copy, sizeof(header));
	if (header.kind == PULSE_REPORT_SNAPSHOT) {
		struct pulse_snapshot *snapshot = (struct pulse_snapshot *)(copy + sizeof(header));

		for (int i = 0; i < PULSE_PATHS_MAX; i++)
			memcpy(snapshot->paths[i].peer_address, &program->paths[i].peer, 16);
	}
	/* A sentinel that reads nothing will be found out by its missing pets. A part of a report is never sent. */
	if (send(program->control, copy, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
		program->core.changed = true;
}
