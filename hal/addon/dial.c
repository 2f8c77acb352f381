/*
 * Many short TCP connections behind one descriptor in the event loop, each with a request to send once it stands.
 * This file starts and ends them; dial_events.c is what happens in between.
 */
#define _GNU_SOURCE
#include "dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SLOTS_FIRST 64
#define REQUEST_BYTES_MAX 65536

static void dial_release(struct futago_socket *sock)
{
	struct dialer *dialer = (struct dialer *)sock;

	for (uint32_t slot = 0; slot < dialer->slot_count; slot++)
		if (dialer->slots[slot].fd >= 0)
			futago_dial_close(dialer, slot);
	free(dialer->slots);
	dialer->slots = NULL;
	dialer->slot_count = 0;
	if (dialer->buffer_ref)
		napi_delete_reference(sock->env, dialer->buffer_ref);
}

/* dialOpen(buffer, callback(slot, event, length, code)): what is read goes to `buffer`, at least 16 KiB. */
static napi_value dial_open(napi_env env, napi_callback_info info)
{
	size_t argc = 2, length;
	struct dialer *dialer;
	napi_value argv[2];
	uint8_t *buffer;
	int fd;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	if (!futago_get_bytes(env, argv[0], &buffer, &length))
		return NULL;
	if (length < DIAL_READ_BYTES) {
		napi_throw_range_error(env, NULL, "the buffer is smaller than 16 KiB");
		return NULL;
	}
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		futago_throw_errno(env, errno, "epoll_create1");
		return NULL;
	}
	dialer = calloc(1, sizeof(*dialer));
	napi_create_reference(env, argv[0], 1, &dialer->buffer_ref);
	dialer->buffer = buffer;
	dialer->first_free = UINT32_MAX;
	dialer->base.env = env;
	dialer->base.fd = fd;
	dialer->base.kind = FUTAGO_DIALER;
	dialer->base.readable = futago_dial_readable;
	dialer->base.release = dial_release;
	return futago_socket_start(&dialer->base, argv[1], true);
}

/* A free slot, after making more of them where there is none; UINT32_MAX without memory. */
static uint32_t take_slot(struct dialer *dialer)
{
	uint32_t slot = dialer->first_free;

	if (slot == UINT32_MAX) {
		uint32_t count = dialer->slot_count ? dialer->slot_count * 2 : SLOTS_FIRST;
		struct dial_connection *slots = realloc(dialer->slots, count * sizeof(*slots));

		if (!slots)
			return UINT32_MAX;
		for (uint32_t i = dialer->slot_count; i < count; i++)
			slots[i] = (struct dial_connection){ .fd = -1, .next_free = i + 1 < count ? i + 1 : UINT32_MAX };
		slot = dialer->slot_count;
		dialer->slots = slots;
		dialer->slot_count = count;
	}
	dialer->first_free = dialer->slots[slot].next_free;
	return slot;
}

static socklen_t fill_address(struct sockaddr_storage *to, const uint8_t *bytes, size_t length, uint16_t port)
{
	memset(to, 0, sizeof(*to));
	if (length == 4) {
		struct sockaddr_in *ipv4 = (struct sockaddr_in *)to;

		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		memcpy(&ipv4->sin_addr, bytes, 4);
		return sizeof(*ipv4);
	}
	if (length == 16) {
		struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)to;

		ipv6->sin6_family = AF_INET6;
		ipv6->sin6_port = htons(port);
		memcpy(&ipv6->sin6_addr, bytes, 16);
		return sizeof(*ipv6);
	}
	return 0;
}

/* A socket on its way to `to`, or -1 with errno and the name of the call that was refused. */
static int begin_connect(const struct sockaddr_storage *to, const struct sockaddr_storage *from, socklen_t length,
			 const char **syscall)
{
	static const int on = 1;
	int fd, error;

	*syscall = "socket";
	fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (from->ss_family != AF_UNSPEC) {
		/* The port is chosen by connect(), which may take one that another destination uses too. */
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		*syscall = "bind";
		if (bind(fd, (const struct sockaddr *)from, length))
			goto refused;
	}
	*syscall = "connect";
	if (!connect(fd, (const struct sockaddr *)to, length) || errno == EINPROGRESS)
		return fd;
refused:
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Puts the socket into a slot and into the epoll set; the slot, or UINT32_MAX with errno set and `fd` closed. */
static uint32_t keep_connection(struct dialer *dialer, int fd, const uint8_t *request, size_t length)
{
	uint32_t slot = take_slot(dialer);
	struct dial_connection *connection;
	struct epoll_event interest;
	int error;

	if (slot == UINT32_MAX) {
		close(fd);
		errno = ENOMEM;
		return UINT32_MAX;
	}
	connection = &dialer->slots[slot];
	connection->fd = fd;
	connection->connected = false;
	connection->sent = 0;
	connection->request_length = length;
	connection->request = length > 0 ? malloc(length) : NULL;
	if (connection->request)
		memcpy(connection->request, request, length);
	interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	interest.data.u64 = (uint64_t)connection->generation << 32 | slot;
	error = length > 0 && !connection->request ? ENOMEM : 0;
	if (!error && !epoll_ctl(dialer->base.fd, EPOLL_CTL_ADD, fd, &interest))
		return slot;
	if (!error)
		error = errno;
	futago_dial_close(dialer, slot);
	errno = error;
	return UINT32_MAX;
}

/* dialConnect(handle, to, port, from, request): the slot. `from` and `request` may be empty. */
static napi_value dial_connect(napi_env env, napi_callback_info info)
{
	size_t argc = 5, to_length, from_length, request_length;
	struct sockaddr_storage to, from = { .ss_family = AF_UNSPEC };
	uint8_t *to_bytes, *from_bytes, *request;
	const char *syscall = "connect";
	struct dialer *dialer;
	napi_value argv[5], result;
	uint32_t port = 0, slot;
	socklen_t length;
	int fd;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	dialer = (struct dialer *)futago_socket_get(env, argv[0], FUTAGO_DIALER, syscall);
	if (!dialer || !futago_get_bytes(env, argv[1], &to_bytes, &to_length) ||
	    !futago_get_bytes(env, argv[3], &from_bytes, &from_length) ||
	    !futago_get_bytes(env, argv[4], &request, &request_length))
		return NULL;
	napi_get_value_uint32(env, argv[2], &port);
	length = fill_address(&to, to_bytes, to_length, (uint16_t)port);
	if (length == 0 || (from_length > 0 && fill_address(&from, from_bytes, from_length, 0) != length)) {
		futago_throw_errno(env, EAFNOSUPPORT, syscall);
		return NULL;
	}
	if (port == 0 || port > 65535 || request_length > REQUEST_BYTES_MAX) {
		futago_throw_errno(env, EINVAL, syscall);
		return NULL;
	}
	fd = begin_connect(&to, &from, length, &syscall);
	slot = fd < 0 ? UINT32_MAX : keep_connection(dialer, fd, request, request_length);
	if (slot == UINT32_MAX) {
		futago_throw_errno(env, errno, syscall);
		return NULL;
	}
	napi_create_uint32(env, slot, &result);
	return result;
}

/* dialClose(handle, slot): resets the connection; nothing is told of it any more. */
static napi_value dial_close(napi_env env, napi_callback_info info)
{
	struct dialer *dialer;
	napi_value argv[2];
	size_t argc = 2;
	uint32_t slot = UINT32_MAX;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	dialer = (struct dialer *)futago_socket_get(env, argv[0], FUTAGO_DIALER, "close");
	if (!dialer)
		return NULL;
	napi_get_value_uint32(env, argv[1], &slot);
	if (slot < dialer->slot_count && dialer->slots[slot].fd >= 0)
		futago_dial_close(dialer, slot);
	return NULL;
}

/* dialStands(handle, slot): whether the connection was accepted. */
static napi_value dial_stands(napi_env env, napi_callback_info info)
{
	uint32_t slot = UINT32_MAX;
	napi_value argv[2], result;
	struct dialer *dialer;
	size_t argc = 2;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	dialer = (struct dialer *)futago_socket_get(env, argv[0], FUTAGO_DIALER, "getpeername");
	if (!dialer)
		return NULL;
	napi_get_value_uint32(env, argv[1], &slot);
	napi_get_boolean(env, slot < dialer->slot_count && dialer->slots[slot].fd >= 0 && dialer->slots[slot].connected, &result);
	return result;
}

void futago_register_dial(napi_env env, napi_value exports)
{
	futago_export(env, exports, "dialOpen", dial_open);
	futago_export(env, exports, "dialConnect", dial_connect);
	futago_export(env, exports, "dialClose", dial_close);
	futago_export(env, exports, "dialStands", dial_stands);
}
