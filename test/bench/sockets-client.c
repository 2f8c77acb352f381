/*
 * The clients of the row "sockets": always so many connections at a time, each of them new: connect, one request, its
 * answer to the last byte, the server's close, so that TIME_WAIT is the server's. They take turns over many addresses,
 * whose ports the kernel chooses: none runs out of them, and hardly one comes back while the server remembers it.
 *
 *   sockets-client ADDRESS PORT SOURCE CONCURRENCY MILLISECONDS
 *
 * SOURCE is the first of 4096 addresses. Begins no connection after that time, and waits for those that it has. Prints
 * how many ended well in time, how many in all, how many failed, and how many of the good ones were late: a segment of
 * theirs was sent again. Standard error has why the first one failed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "sockets.h"

#define CONCURRENCY_MAX 4096
#define SOURCES 4096
/* TCP sends again after 200 ms at the earliest (TCP_RTO_MIN), a SYN after a second. */
#define LATE_MILLIS 190
#define PATIENCE_MILLIS 5000

union address {
	struct sockaddr generic;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

struct connection {
	int fd; /* -1: none */
	int asked;
	size_t received;
	int64_t begun;
};

static union address to, source;
static socklen_t address_length;
static uint8_t *source_tail;
static struct connection connections[CONCURRENCY_MAX];
static int epoll, open_count;
static long begun, done, failed, late;

static int64_t now_millis(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void read_address(const char *text, const char *port, union address *address)
{
	if (inet_pton(AF_INET, text, &address->ipv4.sin_addr) == 1) {
		address->ipv4.sin_family = AF_INET;
		address->ipv4.sin_port = htons((uint16_t)atoi(port));
		address_length = sizeof(address->ipv4);
	} else if (inet_pton(AF_INET6, text, &address->ipv6.sin6_addr) == 1) {
		address->ipv6.sin6_family = AF_INET6;
		address->ipv6.sin6_port = htons((uint16_t)atoi(port));
		address_length = sizeof(address->ipv6);
	} else {
		exit(2);
	}
}

static void finish(struct connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
	open_count--;
}

static void fail(struct connection *connection, const char *why)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (!failed++)
		fprintf(stderr, "sockets-client: %s\n", why);
	setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	finish(connection);
}

static void begin(struct connection *connection, int64_t now)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection };
	uint16_t tail = htons((uint16_t)(1 + begun++ % SOURCES));
	int fd = socket(to.generic.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	*connection = (struct connection){ .fd = fd, .begun = now };
	open_count++;
	memcpy(source_tail, &tail, sizeof(tail));
	/* Else the port would be chosen before the destination is known, and only 28,000 were to be had. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, &source.generic, address_length) ||
	    (connect(fd, &to.generic, address_length) && errno != EINPROGRESS) ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail(connection, strerror(errno));
}

/* Whatever the socket is ready for. */
static void attend(struct connection *connection, uint32_t events, int64_t now)
{
	char answer[sizeof(ANSWER)];
	ssize_t length;

	if (!connection->asked && events & EPOLLOUT) {
		if (send(connection->fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL) < 0)
			return fail(connection, strerror(errno));
		connection->asked = 1;
	}
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	while ((length = recv(connection->fd, answer, sizeof(answer), 0)) > 0) {
		if (connection->received + (size_t)length > sizeof(ANSWER) - 1 ||
		    memcmp(answer, &ANSWER[connection->received], (size_t)length) != 0)
			return fail(connection, "another answer");
		connection->received += (size_t)length;
	}
	if (length < 0 && errno == EAGAIN)
		return;
	if (length < 0)
		return fail(connection, strerror(errno));
	if (connection->received != sizeof(ANSWER) - 1)
		return fail(connection, "closed before its answer");
	done++;
	late += now - connection->begun >= LATE_MILLIS;
	finish(connection);
}

int main(int argc, char **argv)
{
	struct epoll_event events[64];
	int64_t now, until;
	long concurrency, done_in_time = -1;

	if (argc != 6 || (concurrency = atol(argv[4])) < 1 || concurrency > CONCURRENCY_MAX)
		return 2;
	read_address(argv[1], argv[2], &to);
	read_address(argv[3], "0", &source);
	source_tail = source.generic.sa_family == AF_INET ? (uint8_t *)&source.ipv4.sin_addr + 2
							  : &source.ipv6.sin6_addr.s6_addr[14];
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (long i = 0; i < concurrency; i++)
		connections[i].fd = -1;
	now = now_millis();
	until = now + atol(argv[5]);
	while (now < until || open_count) {
		int count;

		for (long i = 0; i < concurrency; i++) {
			if (connections[i].fd >= 0 && now - connections[i].begun > PATIENCE_MILLIS)
				fail(&connections[i], "no answer in time");
			if (connections[i].fd < 0 && now < until)
				begin(&connections[i], now);
		}
		count = epoll_wait(epoll, events, 64, 100);
		now = now_millis();
		if (now >= until && done_in_time < 0)
			done_in_time = done;
		for (int i = 0; i < count; i++)
			attend(events[i].data.ptr, events[i].events, now);
	}
	printf("%ld %ld %ld %ld\n", done_in_time, done, failed, late);
	return 0;
}
