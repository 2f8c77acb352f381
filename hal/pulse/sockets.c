/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One UDP socket per path, bound to its device. Beats go to the peer's link-local address where it was last heard,
 * and to a link-local multicast group while it was not or has only just been: neither a switch that prunes groups nor
 * a neighbour entry that has to be resolved first cuts the pair.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program.h"

/* Transient (T = 1), link-local scope: RFC 4291 section 2.7. "FT" in ASCII. */
static const struct in6_addr beat_group = { .s6_addr = { 0xff, 0x12, [14] = 'F', [15] = 'T' } };

static void set_option(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		fprintf(stderr, "pulse: cannot set %s: %s\n", what, strerror(errno));
}

static int path_open(uint32_t ifindex, uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any };
	struct ipv6_mreq membership = { .ipv6mr_multiaddr = beat_group, .ipv6mr_interface = ifindex };
	char ifname[IF_NAMESIZE];
	int fd;

	if (!if_indextoname(ifindex, ifname))
		return -1;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
	set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)ifindex, "IPV6_MULTICAST_IF");
	set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "IPV6_MULTICAST_LOOP");
	set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255, "IPV6_MULTICAST_HOPS");
	set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255, "IPV6_UNICAST_HOPS");
	set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT");
	/* DSCP CS6, network control. */
	set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, 0xc0, "IPV6_TCLASS");
	set_option(fd, SOL_SOCKET, SO_PRIORITY, 6, "SO_PRIORITY");
	set_option(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20, "SO_RCVBUF");
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strlen(ifname)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &membership, sizeof(membership)) < 0) {
		fprintf(stderr, "pulse: cannot open the heartbeat path on %s, port %u: %s\n", ifname, port, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static void path_watch(struct program *program, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(program->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* A path that was just found has no neighbour entry yet, and a beat must not wait for one. */
#define MULTICAST_FIRST_MICROS 1000000u

/* Called after the core took the order: its paths stand in the order's sequence. */
void paths_configure(struct program *program, const struct pulse_configure *order)
{
	struct path_socket before[PULSE_PATHS_MAX];

	memcpy(before, program->paths, sizeof(before));
	for (int i = 0; i < PULSE_PATHS_MAX; i++) {
		const struct pulse_path *path = &program->core.paths[i];
		struct path_socket *socket = &program->paths[i];

		*socket = (struct path_socket){ .fd = -1 };
		if (!path->used)
			continue;
		for (int j = 0; j < PULSE_PATHS_MAX && program->port == order->port; j++) {
			if (before[j].fd < 0 || before[j].ifindex != path->ifindex)
				continue;
			*socket = before[j];
			before[j].fd = -1;
			break;
		}
		if (socket->fd >= 0)
			continue;
		socket->fd = path_open(path->ifindex, order->port);
		socket->ifindex = path->ifindex;
		if (socket->fd >= 0)
			path_watch(program, socket->fd);
	}
	for (int j = 0; j < PULSE_PATHS_MAX; j++)
		if (before[j].fd >= 0)
			close(before[j].fd);
	program->port = order->port;
}

static int hop_limit_of(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		int value;

		if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_HOPLIMIT)
			continue;
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		return value;
	}
	return -1;
}

static void take(struct program *program, int path, struct msghdr *message, const uint8_t *bytes, size_t length)
{
	const struct sockaddr_in6 *from = message->msg_name;
	enum beat_refusal refusal;
	struct in6_addr before;
	struct beat beat;

	if (!IN6_IS_ADDR_LINKLOCAL(&from->sin6_addr)) {
		pulse_refused(&program->core, BEAT_NOT_LINK_LOCAL);
		return;
	}
	/* Nothing that crossed a router is from this link (RFC 5082). */
	if (hop_limit_of(message) != 255) {
		pulse_refused(&program->core, BEAT_HOP_LIMIT);
		return;
	}
	refusal = beat_decode(bytes, length, program->key, &beat);
	if (refusal == BEAT_BAD_MAC)
		refusal = beat_decode(bytes, length, program->other_key, &beat);
	if (refusal != BEAT_OK) {
		pulse_refused(&program->core, refusal);
		return;
	}
	/* The answer goes where the beat came from. Only one that was believed moves all the rest there. */
	before = program->paths[path].peer;
	program->paths[path].peer = from->sin6_addr;
	if (pulse_receive(&program->core, path, &beat, boot_micros()) != BEAT_OK)
		program->paths[path].peer = before;
}

static void drain(struct program *program, int path)
{
	for (int i = 0; i < DRAIN_MAX; i++) {
		uint8_t bytes[BEAT_BYTES_MAX + 1];
		uint8_t ancillary[CMSG_SPACE(sizeof(int))];
		struct sockaddr_in6 from;
		struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
		struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
					  .msg_control = ancillary, .msg_controllen = sizeof(ancillary) };
		ssize_t length = recvmsg(program->paths[path].fd, &message, MSG_DONTWAIT);

		if (length < 0 && errno == EINTR)
			continue;
		/* A queued error (network down) is taken off the socket by reading it; what follows may be a beat. */
		if (length < 0 && errno != EAGAIN)
			continue;
		if (length < 0)
			return;
		take(program, path, &message, bytes, (size_t)length);
	}
}

void paths_drain(struct program *program)
{
	for (int path = 0; path < PULSE_PATHS_MAX; path++)
		if (program->paths[path].fd >= 0)
			drain(program, path);
}

void path_send(void *context, int path, const struct beat *beat)
{
	struct program *program = context;
	const struct pulse_path *found = &program->core.paths[path];
	struct path_socket *socket = &program->paths[path];
	uint8_t bytes[BEAT_BYTES_MAX];
	size_t length = beat_encode(beat, program->key, bytes);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(program->port),
				   .sin6_scope_id = socket->ifindex };

	if (socket->fd < 0)
		return;
	to.sin6_addr = socket->peer;
	if (!found->alive || boot_micros() - found->alive_since < MULTICAST_FIRST_MICROS ||
	    IN6_IS_ADDR_UNSPECIFIED(&to.sin6_addr))
		to.sin6_addr = beat_group;
	if (sendto(socket->fd, bytes, length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
		program->send_errors++;
}
