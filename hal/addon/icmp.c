/* Raw ICMP and ICMPv6 sockets that hear echo replies only. Messages are made and read in TypeScript. */
#define _GNU_SOURCE
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct icmp_socket {
	struct futago_socket base;
	int family;
	uint8_t *buffer;
};

static void icmp_release(struct futago_socket *sock)
{
	free(((struct icmp_socket *)sock)->buffer);
}

static void emit_message(struct futago_socket *sock, struct mmsghdr *message, const uint8_t *content)
{
	const struct sockaddr_storage *from = message->msg_hdr.msg_name;
	bool ipv4 = from->ss_family == AF_INET;
	const void *address = ipv4 ? (const void *)&((const struct sockaddr_in *)from)->sin_addr
				   : (const void *)&((const struct sockaddr_in6 *)from)->sin6_addr;
	napi_env env = sock->env;
	napi_handle_scope scope;
	napi_value argv[4];
	uint8_t *bytes;

	napi_open_handle_scope(env, &scope);
	argv[0] = futago_new_bytes(env, message->msg_len, &bytes);
	memcpy(bytes, content, message->msg_len);
	napi_get_undefined(env, &argv[1]);
	argv[2] = futago_new_bytes(env, ipv4 ? 4 : 16, &bytes);
	memcpy(bytes, address, ipv4 ? 4 : 16);
	napi_create_double(env, futago_received_at(&message->msg_hdr), &argv[3]);
	futago_socket_emit(sock, 4, argv);
	napi_close_handle_scope(env, scope);
}

static void icmp_readable(struct futago_socket *sock)
{
	/* Errors are of one destination (RFC 1122 §3.2.2); whoever waits for its reply will not get it. */
	futago_receive(sock, ((struct icmp_socket *)sock)->buffer, emit_message);
}

static int open_descriptor(int family)
{
	static const int on = 1;
	struct icmp_filter only_replies = { .data = ~(1u << ICMP_ECHOREPLY) };
	struct icmp6_filter only_replies6;
	int fd, error, refused;

	fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, family == AF_INET ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
	if (fd < 0)
		return -1;
	ICMP6_FILTER_SETBLOCKALL(&only_replies6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only_replies6);
	if (family == AF_INET)
		refused = setsockopt(fd, SOL_RAW, ICMP_FILTER, &only_replies, sizeof(only_replies));
	else
		refused = setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only_replies6, sizeof(only_replies6));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (!refused)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* icmpOpen(ipv6, callback(message | undefined, code | undefined, from, at)): an IPv4 message comes with its IP header. */
static napi_value icmp_open(napi_env env, napi_callback_info info)
{
	size_t argc = 2;
	napi_value argv[2];
	struct icmp_socket *icmp;
	bool ipv6 = false;
	int fd;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	napi_get_value_bool(env, argv[0], &ipv6);
	fd = open_descriptor(ipv6 ? AF_INET6 : AF_INET);
	if (fd < 0) {
		futago_throw_errno(env, errno, "socket(SOCK_RAW)");
		return NULL;
	}
	icmp = calloc(1, sizeof(*icmp));
	icmp->buffer = malloc((size_t)FUTAGO_BATCH * FUTAGO_DATAGRAM_BYTES);
	icmp->family = ipv6 ? AF_INET6 : AF_INET;
	icmp->base.env = env;
	icmp->base.fd = fd;
	icmp->base.kind = FUTAGO_ICMP;
	icmp->base.readable = icmp_readable;
	icmp->base.release = icmp_release;
	return futago_socket_start(&icmp->base, argv[1], true);
}

/* One message out of a given link, or out of the one that the routes say when `ifindex` is 0. */
static ssize_t send_message(int fd, const uint8_t *bytes, size_t length, struct sockaddr_storage *to, int ifindex)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[64];
	} control = { 0 };
	struct iovec vector = { (void *)(uintptr_t)bytes, length };
	bool ipv4 = to->ss_family == AF_INET;
	struct msghdr message = { .msg_name = to, .msg_iov = &vector, .msg_iovlen = 1,
				  .msg_namelen = ipv4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6) };
	size_t info_length = ipv4 ? sizeof(struct in_pktinfo) : sizeof(struct in6_pktinfo);

	if (ifindex > 0) {
		control.header.cmsg_level = ipv4 ? IPPROTO_IP : IPPROTO_IPV6;
		control.header.cmsg_type = ipv4 ? IP_PKTINFO : IPV6_PKTINFO;
		control.header.cmsg_len = CMSG_LEN(info_length);
		if (ipv4)
			((struct in_pktinfo *)(void *)CMSG_DATA(&control.header))->ipi_ifindex = ifindex;
		else
			((struct in6_pktinfo *)(void *)CMSG_DATA(&control.header))->ipi6_ifindex = (unsigned int)ifindex;
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(info_length);
	}
	return sendmsg(fd, &message, MSG_DONTWAIT);
}

/* icmpSend(handle, message, to, ifindex) */
static napi_value icmp_send(napi_env env, napi_callback_info info)
{
	size_t argc = 4, length, address_length;
	struct sockaddr_storage to = { 0 };
	napi_value argv[4];
	struct icmp_socket *icmp;
	uint8_t *bytes, *address;
	int32_t ifindex = 0;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	icmp = (struct icmp_socket *)futago_socket_get(env, argv[0], FUTAGO_ICMP, "sendmsg(SOCK_RAW)");
	if (!icmp || !futago_get_bytes(env, argv[1], &bytes, &length) || !futago_get_bytes(env, argv[2], &address, &address_length))
		return NULL;
	napi_get_value_int32(env, argv[3], &ifindex);
	if (address_length != (icmp->family == AF_INET ? 4 : 16)) {
		futago_throw_errno(env, EAFNOSUPPORT, "sendmsg(SOCK_RAW)");
		return NULL;
	}
	to.ss_family = (sa_family_t)icmp->family;
	if (icmp->family == AF_INET) {
		memcpy(&((struct sockaddr_in *)&to)->sin_addr, address, 4);
	} else {
		memcpy(&((struct sockaddr_in6 *)&to)->sin6_addr, address, 16);
		((struct sockaddr_in6 *)&to)->sin6_scope_id = (uint32_t)ifindex;
	}
	if (send_message(icmp->base.fd, bytes, length, &to, ifindex) < 0)
		futago_throw_errno(env, errno, "sendmsg(SOCK_RAW)");
	return NULL;
}

void futago_register_icmp(napi_env env, napi_value exports)
{
	futago_export(env, exports, "icmpOpen", icmp_open);
	futago_export(env, exports, "icmpSend", icmp_send);
}
