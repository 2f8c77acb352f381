/*
 * The control of the row "checks": the same exchanges in the plainest way, blocking and one after another, in C. What
 * they cost is the kernel's share, which nobody can go below without asking for less.
 *
 *   plain-checks PORT PER_SECOND SECONDS [REQUEST]
 *
 * Prints the CPU seconds taken and the exchanges made.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int exchange(const struct sockaddr_in *to, const char *request)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	static const struct timeval patience = { .tv_sec = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), good;
	char answer[4096];

	if (fd < 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	good = !connect(fd, (const struct sockaddr *)to, sizeof(*to));
	if (good && request)
		good = send(fd, request, strlen(request), MSG_NOSIGNAL) > 0 && recv(fd, answer, sizeof(answer), 0) > 12;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	return good;
}

static void wait_until(struct timespec *next, long nanoseconds)
{
	next->tv_nsec += nanoseconds;
	next->tv_sec += next->tv_nsec / 1000000000;
	next->tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct rusage usage;
	struct timespec next;
	long per_second, total, good = 0;

	if (argc < 4)
		return 2;
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	per_second = atol(argv[2]);
	total = per_second * atol(argv[3]);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (long i = 0; i < total; i++) {
		good += exchange(&to, argc > 4 ? argv[4] : NULL);
		wait_until(&next, 1000000000 / per_second);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%.6f %ld\n", (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6, good);
	return 0;
}
