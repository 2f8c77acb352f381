/* Raw ICMP and ICMPv6 sockets that hear echo replies, and errors where they are wanted. Messages are made and read in TypeScript. */
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

static int set_filter(int fd, int family, bool errors)
{
	struct icmp_filter wanted = { .data = ~(1u << ICMP_ECHOREPLY) };
	struct icmp6_filter wanted6;

	if (family == AF_INET) {
		if (errors)
			wanted.data &= ~(1u << ICMP_DEST_UNREACH | 1u << ICMP_TIME_EXCEEDED);
		return setsockopt(fd, SOL_RAW, ICMP_FILTER, &wanted, sizeof(wanted));
	}
	ICMP6_FILTER_SETBLOCKALL(&wanted6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &wanted6);
	if (errors) {
		ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &wanted6);
		ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &wanted6);
		ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &wanted6);
	}
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &wanted6, sizeof(wanted6));
}

static int open_descriptor(int family, bool errors)
{
	static const int on = 1;
	int fd, error;

	fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, family == AF_INET ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (!set_filter(fd, family, errors))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* icmpOpen(ipv6, errors, callback(message | undefined, code | undefined, from, at)): an IPv4 message comes with its IP header. */
static napi_value icmp_open(napi_env env, napi_callback_info info)
{
	size_t argc = 3;
	napi_value argv[3];
	struct icmp_socket *icmp;
	bool ipv6 = false, errors = false;
	int fd;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	napi_get_value_bool(env, argv[0], &ipv6);
	napi_get_value_bool(env, argv[1], &errors);
	fd = open_descriptor(ipv6 ? AF_INET6 : AF_INET, errors);
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
	return futago_socket_start(&icmp->base, argv[2], true);
}

/* Room for a link and for hops. */
struct control {
	union {
		struct cmsghdr header;
		uint8_t bytes[128];
	} space;
	size_t length;
};

static void add_control(struct control *control, int level, int type, const void *value, size_t length)
{
	struct cmsghdr *header = (struct cmsghdr *)(void *)(control->space.bytes + control->length);

	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(header), value, length);
	control->length += CMSG_SPACE(length);
}

/* One message out of a given link, or out of the one that the routes say when `ifindex` is 0; likewise for `hops`. */
static ssize_t send_message(int fd, struct iovec *vector, struct sockaddr_storage *to, int ifindex, int hops)
{
	struct control control = { 0 };
	bool ipv4 = to->ss_family == AF_INET;
	struct msghdr message = { .msg_name = to, .msg_iov = vector, .msg_iovlen = 1,
				  .msg_namelen = ipv4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6) };
	struct in_pktinfo info = { .ipi_ifindex = ifindex };
	struct in6_pktinfo info6 = { .ipi6_ifindex = (unsigned int)ifindex };

	if (ifindex > 0 && ipv4)
		add_control(&control, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (ifindex > 0 && !ipv4)
		add_control(&control, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
	if (hops > 0)
		add_control(&control, ipv4 ? IPPROTO_IP : (int)IPPROTO_IPV6, ipv4 ? IP_TTL : IPV6_HOPLIMIT, &hops, sizeof(hops));
	if (control.length > 0) {
		message.msg_control = control.space.bytes;
		message.msg_controllen = control.length;
	}
	return sendmsg(fd, &message, MSG_DONTWAIT);
}

/* icmpSend(handle, message, to, ifindex, hops) */
static napi_value icmp_send(napi_env env, napi_callback_info info)
{
	size_t argc = 5, address_length;
	struct sockaddr_storage to = { 0 };
	struct iovec vector = { 0 };
	napi_value argv[5];
	struct icmp_socket *icmp;
	uint8_t *bytes, *address;
	int32_t ifindex = 0, hops = 0;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	icmp = (struct icmp_socket *)futago_socket_get(env, argv[0], FUTAGO_ICMP, "sendmsg(SOCK_RAW)");
	if (!icmp || !futago_get_bytes(env, argv[1], &bytes, &vector.iov_len) || !futago_get_bytes(env, argv[2], &address, &address_length))
		return NULL;
	vector.iov_base = bytes;
	napi_get_value_int32(env, argv[3], &ifindex);
	napi_get_value_int32(env, argv[4], &hops);
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
	if (send_message(icmp->base.fd, &vector, &to, ifindex, hops) < 0)
		futago_throw_errno(env, errno, "sendmsg(SOCK_RAW)");
	return NULL;
}

void futago_register_icmp(napi_env env, napi_value exports)
{
	futago_export(env, exports, "icmpOpen", icmp_open);
	futago_export(env, exports, "icmpSend", icmp_send);
}
