/*
 * All backends of the row "sockets" in one process: answers each request and closes, as a web server does that keeps no
 * connection, in as few system calls as that takes. So it is this end that remembers the connection (TIME_WAIT).
 *
 *   sockets-server PORT
 *
 * Prints a line when it listens.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "sockets.h"

static int listen_on(int port)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	/* Accepted together with its request, a connection needs no look of its own. */
	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4096)) {
		perror("sockets-server");
		exit(1);
	}
	return fd;
}

/* A request comes in one piece. Returns 0 when it has not come yet: the kernel accepts without it when it is late. */
static int answer(int fd)
{
	char request[1024];
	ssize_t length = recv(fd, request, sizeof(request), 0);

	if (length < 0 && errno == EAGAIN)
		return 0;
	if (length > 0)
		send(fd, ANSWER, sizeof(ANSWER) - 1, MSG_NOSIGNAL);
	close(fd);
	return 1;
}

int main(int argc, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN }, events[64];
	int listener, epoll, fd;

	if (argc != 2)
		return 2;
	listener = listen_on(atoi(argv[1]));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = listener;
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	puts("listening");
	fflush(stdout);
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd != listener) {
				answer(events[i].data.fd);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
				event.data.fd = fd;
				if (!answer(fd))
					epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
			}
		}
	}
}
