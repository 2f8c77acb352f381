/* What happens to connections of checks: they stand, fail, answer and end. Every one ends with a reset. */
#define _GNU_SOURCE
#include "dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_PER_ROUND 64
#define ROUNDS_PER_WAKEUP 4

void futago_dial_close(struct dialer *dialer, uint32_t slot)
{
	/* Leaves no TIME_WAIT behind on either side. */
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct dial_connection *connection = &dialer->slots[slot];

	/* Leaves the epoll set by being closed: no other descriptor refers to it. */
	setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(connection->fd);
	free(connection->request);
	connection->request = NULL;
	connection->fd = -1;
	connection->generation++;
	connection->next_free = dialer->first_free;
	dialer->first_free = slot;
}

/* callback(slot, event, length, code): `length` bytes lie in the buffer that was given to dialOpen. */
static void emit(struct dialer *dialer, uint32_t slot, enum dial_event event, size_t length, int error)
{
	napi_env env = dialer->base.env;
	const char *name = strerrorname_np(error);
	napi_handle_scope scope;
	napi_value argv[4];

	napi_open_handle_scope(env, &scope);
	napi_create_uint32(env, slot, &argv[0]);
	napi_create_uint32(env, event, &argv[1]);
	napi_create_uint32(env, (uint32_t)length, &argv[2]);
	if (event == DIAL_FAILED)
		napi_create_string_utf8(env, name ? name : "EUNKNOWN", NAPI_AUTO_LENGTH, &argv[3]);
	else
		napi_get_undefined(env, &argv[3]);
	futago_socket_emit(&dialer->base, 4, argv);
	napi_close_handle_scope(env, scope);
}

/* Closes first, so that the callback may start another connection in the same slot. */
static void finish(struct dialer *dialer, uint32_t slot, enum dial_event event, int error)
{
	futago_dial_close(dialer, slot);
	emit(dialer, slot, event, 0, error);
}

static int socket_error(int fd)
{
	socklen_t length = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length))
		return errno;
	return error;
}

/* Sends what is left of the request; false when the connection is over. */
static bool send_request(struct dialer *dialer, uint32_t slot)
{
	struct dial_connection *connection = &dialer->slots[slot];
	ssize_t sent;

	if (connection->sent == connection->request_length)
		return true;
	sent = send(connection->fd, connection->request + connection->sent, connection->request_length - connection->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent >= 0) {
		connection->sent += (size_t)sent;
		return true;
	}
	/* An answer before the request is read first: a server that refuses may close while we still send. */
	if (errno == EAGAIN || errno == EINTR || errno == EPIPE || errno == ECONNRESET)
		return true;
	finish(dialer, slot, DIAL_FAILED, errno);
	return false;
}

/* Reads until nothing is left, which edge-triggered events demand, or until the callback ends the connection. */
static void receive(struct dialer *dialer, uint32_t slot)
{
	uint32_t generation = dialer->slots[slot].generation;

	while (!dialer->base.closed && dialer->slots[slot].generation == generation) {
		ssize_t count = recv(dialer->slots[slot].fd, dialer->buffer, DIAL_READ_BYTES, MSG_DONTWAIT);

		if (count > 0) {
			emit(dialer, slot, DIAL_BYTES, (size_t)count, 0);
		} else if (count == 0) {
			finish(dialer, slot, DIAL_ENDED, 0);
			return;
		} else {
			if (errno != EAGAIN && errno != EINTR)
				finish(dialer, slot, DIAL_FAILED, errno);
			return;
		}
	}
}

static void on_event(struct dialer *dialer, const struct epoll_event *event)
{
	uint32_t slot = (uint32_t)event->data.u64;
	struct dial_connection *connection;

	if (slot >= dialer->slot_count)
		return;
	connection = &dialer->slots[slot];
	/* Ended by the callback of an earlier event of this round. */
	if (connection->fd < 0 || connection->generation != event->data.u64 >> 32)
		return;
	if (!connection->connected) {
		int error = event->events & EPOLLERR ? socket_error(connection->fd) : 0;

		if (error) {
			finish(dialer, slot, DIAL_FAILED, error);
			return;
		}
		if (!(event->events & EPOLLOUT))
			return;
		connection->connected = true;
		if (connection->request_length == 0) {
			finish(dialer, slot, DIAL_CONNECTED, 0);
			return;
		}
	}
	if (event->events & EPOLLOUT && !send_request(dialer, slot))
		return;
	if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		receive(dialer, slot);
}

void futago_dial_readable(struct futago_socket *sock)
{
	struct dialer *dialer = (struct dialer *)sock;
	struct epoll_event events[EVENTS_PER_ROUND];

	for (int round = 0; round < ROUNDS_PER_WAKEUP && !sock->closed; round++) {
		int count = epoll_wait(sock->fd, events, EVENTS_PER_ROUND, 0);

		for (int i = 0; i < count && !sock->closed; i++)
			on_event(dialer, &events[i]);
		if (count < EVENTS_PER_ROUND)
			return;
	}
}

