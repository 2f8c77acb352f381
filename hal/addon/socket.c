/* Sockets in the event loop: life, death and callbacks. What is read and sent is the business of the kinds. */
#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_PER_WAKEUP 4

static void free_when_done(struct futago_socket *sock)
{
	if (sock->loop_done && sock->collected)
		free(sock);
}

static void on_loop_done(uv_handle_t *handle)
{
	struct futago_socket *sock = handle->data;

	sock->loop_done = true;
	if (sock->cleanup)
		napi_remove_async_cleanup_hook(sock->cleanup);
	free_when_done(sock);
}

static void close_descriptors(struct futago_socket *sock)
{
	sock->closed = true;
	uv_close((uv_handle_t *)&sock->poll, on_loop_done);
	close(sock->fd);
	if (sock->release)
		sock->release(sock);
}

static void on_collected(napi_env env, void *data, void *hint)
{
	struct futago_socket *sock = data;

	(void)env;
	(void)hint;
	sock->collected = true;
	free_when_done(sock);
}

/* The environment (a worker thread or the process) ends with the socket open. */
static void on_environment_end(napi_async_cleanup_hook_handle handle, void *data)
{
	struct futago_socket *sock = data;

	(void)handle;
	if (!sock->closed)
		close_descriptors(sock);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct futago_socket *sock = poll->data;

	(void)events;
	if (sock->closed)
		return;
	/* A pending socket error, such as an overrun: reading takes it off and tells which it was. */
	sock->readable(sock);
	/* libuv has stopped watching then (uv__poll_io), though the socket lives on. */
	if (status < 0 && !sock->closed)
		uv_poll_start(poll, UV_READABLE, on_poll);
}

void futago_socket_watch(struct futago_socket *sock)
{
	uv_poll_start(&sock->poll, UV_READABLE, on_poll);
}

napi_value futago_socket_start(struct futago_socket *sock, napi_value callback, bool watch)
{
	napi_env env = sock->env;
	napi_value handle;
	uv_loop_t *loop;
	int error;

	napi_get_uv_event_loop(env, &loop);
	error = uv_poll_init(loop, &sock->poll, sock->fd);
	if (error) {
		close(sock->fd);
		if (sock->release)
			sock->release(sock);
		free(sock);
		futago_throw_errno(env, -error, "uv_poll_init");
		return NULL;
	}
	sock->poll.data = sock;
	napi_create_external(env, sock, on_collected, NULL, &handle);
	napi_create_reference(env, handle, 1, &sock->self);
	napi_create_reference(env, callback, 1, &sock->callback);
	napi_add_async_cleanup_hook(env, on_environment_end, sock, &sock->cleanup);
	if (watch)
		uv_poll_start(&sock->poll, UV_READABLE, on_poll);
	return handle;
}

struct futago_socket *futago_socket_get(napi_env env, napi_value handle, enum futago_socket_kind kind, const char *syscall)
{
	void *data = NULL;

	if (napi_get_value_external(env, handle, &data) == napi_ok && data) {
		struct futago_socket *sock = data;

		if (sock->kind == kind && !sock->closed)
			return sock;
	}
	futago_throw_errno(env, EBADF, syscall);
	return NULL;
}

void futago_socket_emit(struct futago_socket *sock, size_t argc, napi_value *argv)
{
	napi_env env = sock->env;
	napi_value callback, global, result, error;

	if (napi_get_reference_value(env, sock->callback, &callback) != napi_ok || !callback)
		return;
	napi_get_global(env, &global);
	if (napi_make_callback(env, NULL, global, callback, argc, argv, &result) != napi_pending_exception)
		return;
	if (napi_get_and_clear_last_exception(env, &error) == napi_ok)
		napi_fatal_exception(env, error);
}

void futago_socket_emit_error(struct futago_socket *sock, int error)
{
	const char *name = strerrorname_np(error);
	napi_handle_scope scope;
	napi_value argv[2];

	napi_open_handle_scope(sock->env, &scope);
	napi_get_undefined(sock->env, &argv[0]);
	napi_create_string_utf8(sock->env, name ? name : "EUNKNOWN", NAPI_AUTO_LENGTH, &argv[1]);
	futago_socket_emit(sock, 2, argv);
	napi_close_handle_scope(sock->env, scope);
}

napi_value futago_new_bytes(napi_env env, size_t length, uint8_t **bytes)
{
	napi_value buffer, array;
	void *data;

	napi_create_arraybuffer(env, length, &data, &buffer);
	napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array);
	*bytes = data;
	return array;
}

bool futago_get_bytes(napi_env env, napi_value value, uint8_t **bytes, size_t *length)
{
	napi_typedarray_type type;
	void *data;

	if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) == napi_ok && type == napi_uint8_array) {
		*bytes = data;
		return true;
	}
	napi_throw_type_error(env, NULL, "expected a Uint8Array");
	return false;
}

static double micros(const struct timespec *time)
{
	return (double)time->tv_sec * 1e6 + (double)(time->tv_nsec / 1000);
}

int futago_receive(struct futago_socket *socket, uint8_t *buffer,
		   void (*emit)(struct futago_socket *socket, struct mmsghdr *message, const uint8_t *content))
{
	union {
		struct cmsghdr header;
		uint8_t bytes[64];
	} controls[FUTAGO_BATCH];
	struct sockaddr_storage senders[FUTAGO_BATCH];
	struct iovec vectors[FUTAGO_BATCH];
	struct mmsghdr batch[FUTAGO_BATCH];

	for (int round = 0; round < ROUNDS_PER_WAKEUP && !socket->closed; round++) {
		int count;

		memset(batch, 0, sizeof(batch));
		for (int i = 0; i < FUTAGO_BATCH; i++) {
			vectors[i] = (struct iovec){ buffer + (size_t)i * FUTAGO_DATAGRAM_BYTES, FUTAGO_DATAGRAM_BYTES };
			batch[i].msg_hdr = (struct msghdr){
				.msg_name = &senders[i], .msg_namelen = sizeof(senders[i]),
				.msg_iov = &vectors[i], .msg_iovlen = 1,
				.msg_control = &controls[i], .msg_controllen = sizeof(controls[i]),
			};
		}
		count = recvmmsg(socket->fd, batch, FUTAGO_BATCH, MSG_DONTWAIT, NULL);
		if (count < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : errno;
		for (int i = 0; i < count && !socket->closed; i++)
			emit(socket, &batch[i], buffer + (size_t)i * FUTAGO_DATAGRAM_BYTES);
		if (count < FUTAGO_BATCH)
			return 0;
	}
	return 0;
}

double futago_received_at(struct msghdr *message)
{
	struct timespec boot, real, stamp;
	struct cmsghdr *control;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	for (control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
		double age;

		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		clock_gettime(CLOCK_REALTIME, &real);
		memcpy(&stamp, CMSG_DATA(control), sizeof(stamp));
		age = micros(&real) - micros(&stamp);
		/* The wall clock may be set in between: an age beyond all reason is not believed. */
		if (age >= 0 && age < 10e6)
			return micros(&boot) - age;
	}
	return micros(&boot);
}

/* socketClose(handle): harmless on a closed socket and inside the socket's own callback. */
static napi_value socket_close(napi_env env, napi_callback_info info)
{
	size_t argc = 1;
	napi_value handle;
	void *data = NULL;
	struct futago_socket *sock;

	napi_get_cb_info(env, info, &argc, &handle, NULL, NULL);
	if (napi_get_value_external(env, handle, &data) != napi_ok || !data) {
		futago_throw_errno(env, EBADF, "close");
		return NULL;
	}
	sock = data;
	if (sock->closed)
		return NULL;
	close_descriptors(sock);
	napi_delete_reference(env, sock->callback);
	napi_delete_reference(env, sock->self);
	sock->callback = NULL;
	sock->self = NULL;
	return NULL;
}

void futago_register_socket(napi_env env, napi_value exports)
{
	futago_export(env, exports, "socketClose", socket_close);
}
