/* Packet sockets on one link, packet(7), and the group memberships that go with them. */
#define _GNU_SOURCE
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

struct packet_socket {
	struct futago_socket base;
	int ifindex;
	/* Two sockets that are members of IP groups, or -1. */
	int members[2];
	uint8_t *buffer;
};

struct packet_options {
	int32_t ifindex;
	/* Empty: the socket only sends. */
	struct sock_fprog filter;
	bool ignore_outgoing;
	/* Six bytes each. */
	const uint8_t *groups;
	size_t group_count;
};

static void packet_release(struct futago_socket *sock)
{
	struct packet_socket *packet = (struct packet_socket *)sock;

	for (int i = 0; i < 2; i++)
		if (packet->members[i] >= 0)
			close(packet->members[i]);
	free(packet->buffer);
}

static void emit_frame(struct futago_socket *sock, struct mmsghdr *message, const uint8_t *frame)
{
	const struct sockaddr_ll *from = message->msg_hdr.msg_name;
	napi_env env = sock->env;
	napi_handle_scope scope;
	napi_value argv[5];
	uint8_t *bytes;

	napi_open_handle_scope(env, &scope);
	argv[0] = futago_new_bytes(env, message->msg_len, &bytes);
	memcpy(bytes, frame, message->msg_len);
	napi_get_undefined(env, &argv[1]);
	napi_create_int32(env, from->sll_ifindex, &argv[2]);
	napi_get_boolean(env, from->sll_pkttype == PACKET_OUTGOING, &argv[3]);
	napi_create_double(env, futago_received_at(&message->msg_hdr), &argv[4]);
	futago_socket_emit(sock, 5, argv);
	napi_close_handle_scope(env, scope);
}

static void packet_readable(struct futago_socket *sock)
{
	int error = futago_receive(sock, ((struct packet_socket *)sock)->buffer, emit_frame);

	if (error && !sock->closed)
		futago_socket_emit_error(sock, error);
}

static bool join_link_groups(int fd, const struct packet_options *options)
{
	for (size_t i = 0; i < options->group_count; i++) {
		struct packet_mreq request = { .mr_ifindex = options->ifindex, .mr_type = PACKET_MR_MULTICAST,
					       .mr_alen = ETH_ALEN };

		memcpy(request.mr_address, options->groups + i * ETH_ALEN, ETH_ALEN);
		if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) < 0)
			return false;
	}
	return true;
}

/* The filter is there before the socket is bound: not one frame gets past it. Returns -1 with errno and `step` set. */
static int open_descriptor(const struct packet_options *options, const char **step)
{
	static const int on = 1;
	bool receives = options->filter.len > 0;
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = options->ifindex,
				       .sll_protocol = receives ? htons(ETH_P_ALL) : 0 };
	int fd, error;

	*step = "socket(AF_PACKET)";
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* Kernels before 4.20 do not know it; frames on their way out are then delivered and marked as such. */
	if (options->ignore_outgoing)
		setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	*step = "setsockopt(SO_ATTACH_FILTER)";
	if (receives && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &options->filter, sizeof(options->filter)) < 0)
		goto refused;
	*step = "bind(AF_PACKET)";
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		goto refused;
	*step = "setsockopt(PACKET_ADD_MEMBERSHIP)";
	if (join_link_groups(fd, options))
		return fd;
refused:
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* packetOpen(ifindex, filter, ignoreOutgoing, groups, callback(bytes | undefined, code | undefined, ifindex, outgoing, at)) */
static napi_value packet_open(napi_env env, napi_callback_info info)
{
	size_t argc = 5, filter_bytes, group_bytes;
	napi_value argv[5];
	struct packet_options options = { 0 };
	struct packet_socket *packet;
	uint8_t *filter, *groups;
	const char *step;
	int fd;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	napi_get_value_int32(env, argv[0], &options.ifindex);
	napi_get_value_bool(env, argv[2], &options.ignore_outgoing);
	if (!futago_get_bytes(env, argv[1], &filter, &filter_bytes) || !futago_get_bytes(env, argv[3], &groups, &group_bytes))
		return NULL;
	options.filter.filter = (struct sock_filter *)(void *)filter;
	options.filter.len = (unsigned short)(filter_bytes / sizeof(struct sock_filter));
	options.groups = groups;
	options.group_count = group_bytes / ETH_ALEN;
	fd = open_descriptor(&options, &step);
	if (fd < 0) {
		futago_throw_errno(env, errno, step);
		return NULL;
	}
	packet = calloc(1, sizeof(*packet));
	packet->buffer = malloc((size_t)FUTAGO_BATCH * FUTAGO_DATAGRAM_BYTES);
	packet->ifindex = options.ifindex;
	packet->members[0] = packet->members[1] = -1;
	packet->base.env = env;
	packet->base.fd = fd;
	packet->base.kind = FUTAGO_PACKET;
	packet->base.readable = packet_readable;
	packet->base.release = packet_release;
	return futago_socket_start(&packet->base, argv[4], options.filter.len > 0);
}

static int join_ipv4(int ifindex, const uint8_t *group)
{
	struct ip_mreqn request = { .imr_ifindex = ifindex };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&request.imr_multiaddr, group, sizeof(request.imr_multiaddr));
	if (fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) == 0)
		return fd;
	int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

static int join_ipv6(int ifindex, const uint8_t *group)
{
	struct ipv6_mreq request = { .ipv6mr_interface = (unsigned int)ifindex };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&request.ipv6mr_multiaddr, group, sizeof(request.ipv6mr_multiaddr));
	if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof(request)) == 0)
		return fd;
	int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

/*
 * packetJoinGroup(handle, group): makes the kernel report membership of an IP group (IGMP, MLD) on the socket's link for
 * as long as the socket is open, so that switches which snoop forward the group to us. One group of each family.
 */
static napi_value packet_join_group(napi_env env, napi_callback_info info)
{
	size_t argc = 2, length;
	napi_value argv[2];
	struct packet_socket *packet;
	uint8_t *group;
	int fd;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	packet = (struct packet_socket *)futago_socket_get(env, argv[0], FUTAGO_PACKET, "setsockopt(IP_ADD_MEMBERSHIP)");
	if (!packet || !futago_get_bytes(env, argv[1], &group, &length))
		return NULL;
	int *member = &packet->members[length == 16];
	if ((length != 4 && length != 16) || *member >= 0) {
		futago_throw_errno(env, EINVAL, "setsockopt(IP_ADD_MEMBERSHIP)");
		return NULL;
	}
	fd = length == 4 ? join_ipv4(packet->ifindex, group) : join_ipv6(packet->ifindex, group);
	if (fd < 0)
		futago_throw_errno(env, errno, length == 4 ? "setsockopt(IP_ADD_MEMBERSHIP)" : "setsockopt(IPV6_JOIN_GROUP)");
	*member = fd;
	return NULL;
}

/* packetSend(handle, frame): from the Ethernet header on. */
static napi_value packet_send(napi_env env, napi_callback_info info)
{
	size_t argc = 2, length;
	napi_value argv[2];
	struct futago_socket *sock;
	uint8_t *frame;

	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	sock = futago_socket_get(env, argv[0], FUTAGO_PACKET, "send(AF_PACKET)");
	if (!sock || !futago_get_bytes(env, argv[1], &frame, &length))
		return NULL;
	if (send(sock->fd, frame, length, MSG_DONTWAIT) < 0)
		futago_throw_errno(env, errno, "send(AF_PACKET)");
	return NULL;
}

/* packetAttached(handle): false once the link is gone from the namespace; a link that is only down stays attached. */
static napi_value packet_attached(napi_env env, napi_callback_info info)
{
	struct sockaddr_ll address = { 0 };
	socklen_t length = sizeof(address);
	size_t argc = 1;
	napi_value argument, result;
	struct futago_socket *sock;

	napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
	sock = futago_socket_get(env, argument, FUTAGO_PACKET, "getsockname(AF_PACKET)");
	if (!sock)
		return NULL;
	if (getsockname(sock->fd, (struct sockaddr *)&address, &length) < 0) {
		futago_throw_errno(env, errno, "getsockname(AF_PACKET)");
		return NULL;
	}
	napi_get_boolean(env, address.sll_ifindex > 0, &result);
	return result;
}

void futago_register_packet(napi_env env, napi_value exports)
{
	futago_register_icmp(env, exports);
	futago_export(env, exports, "packetOpen", packet_open);
	futago_export(env, exports, "packetJoinGroup", packet_join_group);
	futago_export(env, exports, "packetSend", packet_send);
	futago_export(env, exports, "packetAttached", packet_attached);
}
