/* Netlink sockets, and entering a network namespace. Knows datagrams and overruns; messages are TypeScript's business. */
#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define BATCH 16
/* The kernel fills dumps up to 32 KiB when the reader offers as much (netlink_dump). */
#define DATAGRAM_BYTES 32768
#define ROUNDS_PER_WAKEUP 8
#define DISCARD_ROUNDS_MAX 65536

struct netlink_socket {
	struct futago_socket base;
	uint8_t *buffer;
};

static void netlink_release(struct futago_socket *sock)
{
	free(((struct netlink_socket *)sock)->buffer);
}

/* Reads one batch. Returns what recvmmsg does; only messages of the kernel itself keep a length. */
static int read_batch(struct netlink_socket *netlink, struct mmsghdr *batch, bool *cut)
{
	struct sockaddr_nl senders[BATCH];
	struct iovec vectors[BATCH];
	int count;

	memset(batch, 0, BATCH * sizeof(*batch));
	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){ netlink->buffer + (size_t)i * DATAGRAM_BYTES, DATAGRAM_BYTES };
		batch[i].msg_hdr = (struct msghdr){ .msg_name = &senders[i], .msg_namelen = sizeof(senders[i]),
						    .msg_iov = &vectors[i], .msg_iovlen = 1 };
	}
	count = recvmmsg(netlink->base.fd, batch, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		if (batch[i].msg_hdr.msg_flags & MSG_TRUNC)
			*cut = true;
		if (senders[i].nl_pid != 0)
			batch[i].msg_len = 0;
	}
	return count;
}

/*
 * After an overrun nothing that is still queued may reach the reader: it is older than what the reader will list, and
 * what contradicts it may be among the lost. So the queue is emptied before the overrun is told.
 */
static void discard_queued(struct netlink_socket *netlink)
{
	struct mmsghdr batch[BATCH];
	bool cut;

	for (int round = 0; round < DISCARD_ROUNDS_MAX; round++)
		if (read_batch(netlink, batch, &cut) < 0 && errno != ENOBUFS && errno != EINTR)
			return;
}

/* One Uint8Array for the whole batch: each datagram ends at a message boundary, aligned to four bytes. */
static void emit_batch(struct netlink_socket *netlink, const struct mmsghdr *batch, int count)
{
	napi_env env = netlink->base.env;
	napi_handle_scope scope;
	napi_value argv[2];
	size_t total = 0, at = 0;
	uint8_t *bytes;

	for (int i = 0; i < count; i++)
		total += NLMSG_ALIGN(batch[i].msg_len);
	if (total == 0)
		return;
	napi_open_handle_scope(env, &scope);
	argv[0] = futago_new_bytes(env, total, &bytes);
	napi_get_undefined(env, &argv[1]);
	for (int i = 0; i < count; i++) {
		memcpy(bytes + at, netlink->buffer + (size_t)i * DATAGRAM_BYTES, batch[i].msg_len);
		at += NLMSG_ALIGN(batch[i].msg_len);
	}
	futago_socket_emit(&netlink->base, 2, argv);
	napi_close_handle_scope(env, scope);
}

static void netlink_readable(struct futago_socket *sock)
{
	struct netlink_socket *netlink = (struct netlink_socket *)sock;
	struct mmsghdr batch[BATCH];

	for (int round = 0; round < ROUNDS_PER_WAKEUP && !sock->closed; round++) {
		bool cut = false;
		int count = read_batch(netlink, batch, &cut);

		if (count < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (count < 0 && errno != ENOBUFS) {
			futago_socket_emit_error(sock, errno);
			return;
		}
		if (count < 0 || cut) {
			discard_queued(netlink);
			futago_socket_emit_error(sock, ENOBUFS);
			return;
		}
		emit_batch(netlink, batch, count);
	}
}

static int open_descriptor(int receive_bytes, int protocol)
{
	static const int on = 1;
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		return -1;
	/* Without the privilege to force it the size is cut at net.core.rmem_max. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof(receive_bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
	/* Each is missing from some kernel that is otherwise good enough: texts and filters are then poorer. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* netlinkOpen(receiveBytes, callback(bytes | undefined, code | undefined), protocol = NETLINK_ROUTE) */
static napi_value netlink_open(napi_env env, napi_callback_info info)
{
	size_t argc = 3;
	napi_value argv[3];
	struct netlink_socket *netlink;
	int32_t receive_bytes, protocol = NETLINK_ROUTE;
	int fd;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	if (napi_get_value_int32(env, argv[0], &receive_bytes) != napi_ok) {
		futago_throw_errno(env, EINVAL, "socket(AF_NETLINK)");
		return NULL;
	}
	if (argc > 2)
		napi_get_value_int32(env, argv[2], &protocol);
	fd = open_descriptor(receive_bytes, protocol);
	if (fd < 0) {
		futago_throw_errno(env, errno, "socket(AF_NETLINK)");
		return NULL;
	}
	netlink = calloc(1, sizeof(*netlink));
	netlink->buffer = malloc((size_t)BATCH * DATAGRAM_BYTES);
	netlink->base.env = env;
	netlink->base.fd = fd;
	netlink->base.kind = FUTAGO_NETLINK;
	netlink->base.readable = netlink_readable;
	netlink->base.release = netlink_release;
	return futago_socket_start(&netlink->base, argv[1], true);
}

/* netlinkSend(handle, bytes): one or more complete messages in one datagram to the kernel. */
static napi_value netlink_send(napi_env env, napi_callback_info info)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t argc = 2, length;
	napi_value argv[2];
	struct futago_socket *sock;
	uint8_t *bytes;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	sock = futago_socket_get(env, argv[0], FUTAGO_NETLINK, "sendto(AF_NETLINK)");
	if (!sock || !futago_get_bytes(env, argv[1], &bytes, &length))
		return NULL;
	if (sendto(sock->fd, bytes, length, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		futago_throw_errno(env, errno, "sendto(AF_NETLINK)");
	return NULL;
}

/* netlinkJoin(handle, group): a multicast group by its number, RTNLGRP_*. */
static napi_value netlink_join(napi_env env, napi_callback_info info)
{
	size_t argc = 2;
	napi_value argv[2];
	struct futago_socket *sock;
	int32_t group = 0;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	sock = futago_socket_get(env, argv[0], FUTAGO_NETLINK, "setsockopt(NETLINK_ADD_MEMBERSHIP)");
	if (!sock)
		return NULL;
	napi_get_value_int32(env, argv[1], &group);
	if (setsockopt(sock->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		futago_throw_errno(env, errno, "setsockopt(NETLINK_ADD_MEMBERSHIP)");
	return NULL;
}

/* enterNamespace(path): moves the calling thread. Sockets stay in the namespace they were opened in. For tests. */
static napi_value enter_namespace(napi_env env, napi_callback_info info)
{
	size_t argc = 1, length;
	napi_value argument;
	char path[4096];
	int fd;

	napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
	if (napi_get_value_string_utf8(env, argument, path, sizeof(path), &length) != napi_ok) {
		futago_throw_errno(env, EINVAL, "setns");
		return NULL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		futago_throw_errno(env, errno, "open");
		return NULL;
	}
	if (setns(fd, CLONE_NEWNET) < 0)
		futago_throw_errno(env, errno, "setns");
	close(fd);
	return NULL;
}

void futago_register_netlink(napi_env env, napi_value exports)
{
	futago_register_socket(env, exports);
	futago_export(env, exports, "netlinkOpen", netlink_open);
	futago_export(env, exports, "netlinkSend", netlink_send);
	futago_export(env, exports, "netlinkJoin", netlink_join);
	futago_export(env, exports, "enterNamespace", enter_namespace);
}
