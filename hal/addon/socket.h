/* A non-blocking socket in Node's event loop that calls one JavaScript function. Netlink, packet, ICMP, the ring buffer and devices build on it. */
#ifndef FUTAGO_SOCKET_H
#define FUTAGO_SOCKET_H

#include "addon.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

enum futago_socket_kind { FUTAGO_NETLINK = 1, FUTAGO_PACKET, FUTAGO_ICMP, FUTAGO_RING, FUTAGO_DIALER, FUTAGO_DEVICE };

/* First member of what each kind keeps. Freed, as a whole, when JavaScript and the event loop have both let go. */
struct futago_socket {
	uv_poll_t poll;
	napi_env env;
	napi_ref callback;
	napi_ref self;
	napi_async_cleanup_hook_handle cleanup;
	enum futago_socket_kind kind;
	int fd;
	bool closed;
	bool loop_done;
	bool collected;
	/* Reads what is there; stops when `closed` becomes true, which any emit may do. */
	void (*readable)(struct futago_socket *socket);
	/* Gives back what the kind holds besides the descriptor. May be NULL. */
	void (*release)(struct futago_socket *socket);
};

/*
 * Puts `socket` (from calloc, with env, fd, kind, readable and release set) into the event loop and returns its handle.
 * On failure throws, closes the descriptor, frees `socket` and returns NULL. A handle that is not watched for reading
 * does not keep the process alive.
 */
napi_value futago_socket_start(struct futago_socket *socket, napi_value callback, bool watch);
/* Watches for reading again, after `readable` had stopped it with uv_poll_stop. */
void futago_socket_watch(struct futago_socket *socket);
/* The socket behind a handle, or NULL with EBADF thrown when it is closed or of another kind. */
struct futago_socket *futago_socket_get(napi_env env, napi_value handle, enum futago_socket_kind kind, const char *syscall);
/* Calls JavaScript. What the callback throws is an uncaught exception. Needs an open handle scope. */
void futago_socket_emit(struct futago_socket *socket, size_t argc, napi_value *argv);
/* Emits an error: (undefined, "ECODE"). Opens its own handle scope. */
void futago_socket_emit_error(struct futago_socket *socket, int error);

/* What a socket that reads datagrams needs room for: so many at once, of so many bytes at most each. */
#define FUTAGO_BATCH 32
#define FUTAGO_DATAGRAM_BYTES 2048
/*
 * Reads datagrams into `buffer` (FUTAGO_BATCH times FUTAGO_DATAGRAM_BYTES), sender and control messages with them, and
 * hands each to `emit`, until none is left or the loop has had its share of time. Returns 0, or the errno that ended it.
 */
int futago_receive(struct futago_socket *socket, uint8_t *buffer,
		   void (*emit)(struct futago_socket *socket, struct mmsghdr *message, const uint8_t *content));

/* A new Uint8Array; `bytes` receives where to write. */
napi_value futago_new_bytes(napi_env env, size_t length, uint8_t **bytes);
/* The bytes of a Uint8Array; false with a TypeError thrown for anything else. */
bool futago_get_bytes(napi_env env, napi_value value, uint8_t **bytes, size_t *length);
/* CLOCK_BOOTTIME in microseconds at which the kernel received the message: SO_TIMESTAMPNS when there, else now. */
double futago_received_at(struct msghdr *message);

void futago_register_socket(napi_env env, napi_value exports);
void futago_register_icmp(napi_env env, napi_value exports);

#endif
