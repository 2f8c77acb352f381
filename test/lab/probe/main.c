/*
 * Watches one virtual address from a host beside the boxes: asks it a thousand times a second by ICMP echo, by ARP or
 * by both, and writes what it saw as JSON lines. A control thread on every CPU does nothing but sleep and notes when
 * it woke late: the machine's own stalls, beside which every silence is to be read.
 *
 *   probe --device eth0 --address 10.1.0.1 [--ping] [--arp] [--interval-us 1000] [--gap-us 3000] [--stall-us 2000]
 *
 * Lines (times in microseconds of CLOCK_MONOTONIC; arrivals by the kernel's timestamp):
 *   tick       ten times a second: echoes sent, answered and lost (unanswered for half a second) since the start, time of
 *              the newest answer, longest round trip of the last tenth; ARP requests sent and those that two MACs answered
 *   gap        two answers in a row that lay further apart than --gap-us
 *   lost       echoes in a row that nobody answered: when the first and the last of them were sent, and how many
 *              were lost since the start by then
 *   stall      a control thread woke later than --stall-us
 *   announce   a gratuitous ARP for the address
 *   ask        this host's own kernel asked for the address by ARP
 *   answering, silent   a MAC began to answer our ARP, or has not for 20 ms
 * Ends when its standard input does, so that it never outlives the program that reads it.
 */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REPORT_US 100000
#define PROBE_PRIORITY 85

int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

void report(const char *format, ...)
{
	char line[512];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	line[length] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)length + 1) < 0)
		exit(0); /* nobody reads any more */
}

void real_time(int priority)
{
	struct sched_param parameter = {.sched_priority = priority};
	if (sched_setscheduler(0, SCHED_FIFO, &parameter) < 0)
		fail("SCHED_FIFO (needs root)");
}

static int64_t microseconds(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);
	if (*end != '\0' || value <= 0) {
		fprintf(stderr, "probe: %s: a positive number of microseconds is needed\n", text);
		exit(2);
	}
	return value;
}

static struct options read_options(int argc, char **argv)
{
	static const struct option names[] = {{"device", required_argument, NULL, 'd'}, {"address", required_argument, NULL, 'a'},
					      {"ping", no_argument, NULL, 'p'},		{"arp", no_argument, NULL, 'r'},
					      {"interval-us", required_argument, NULL, 'i'}, {"gap-us", required_argument, NULL, 'g'},
					      {"stall-us", required_argument, NULL, 's'},    {NULL, 0, NULL, 0}};
	struct options options = {.interval = 1000, .gap = 3000, .stall = 2000};
	for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		switch (name) {
		case 'd': options.device = optarg; break;
		case 'a': if (inet_aton(optarg, &options.address) == 0) exit(2); break;
		case 'p': options.ping = true; break;
		case 'r': options.arp = true; break;
		case 'i': options.interval = microseconds(optarg); break;
		case 'g': options.gap = microseconds(optarg); break;
		case 's': options.stall = microseconds(optarg); break;
		default: exit(2);
		}
	}
	if (options.device == NULL || options.address.s_addr == 0) {
		fprintf(stderr, "usage: probe --device DEVICE --address ADDRESS [--ping] [--arp] …\n");
		exit(2);
	}
	return options;
}

static void tick(struct probe *probe, int64_t now)
{
	report("{\"kind\":\"tick\",\"at\":%ld,\"sent\":%lu,\"answered\":%lu,\"lost\":%lu,\"lastAnswerAt\":%ld,\"rttMaxMicros\":%ld,"
	       "\"arpAsked\":%lu,\"arpBoth\":%lu}",
	       (long)now, (unsigned long)probe->sent, (unsigned long)probe->answered, (unsigned long)probe->lost,
	       (long)probe->last_answer, (long)probe->rtt_max, (unsigned long)probe->asked, (unsigned long)probe->both);
	probe->rtt_max = 0;
}

int main(int argc, char **argv)
{
	static struct probe probe;
	probe.options = read_options(argc, argv);
	open_sockets(&probe);
	start_controls(probe.options.stall);
	real_time(PROBE_PRIORITY);
	report("{\"kind\":\"start\",\"at\":%ld}", (long)now_us());

	struct pollfd ready[] = {{.fd = probe.icmp, .events = POLLIN}, {.fd = probe.arp, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	int64_t next_send = now_us(), next_report = next_send + REPORT_US;
	for (;;) {
		int64_t now = now_us();
		struct timespec wait = {.tv_nsec = next_send > now ? (next_send - now) * 1000 : 0};
		ppoll(ready, 3, &wait, NULL);
		char discard[64];
		if ((ready[2].revents & (POLLIN | POLLHUP)) != 0 && read(STDIN_FILENO, discard, sizeof(discard)) <= 0)
			return 0;
		read_echoes(&probe);
		read_arp(&probe);
		now = now_us();
		if (now >= next_send) {
			if (probe.options.ping)
				send_echo(&probe);
			if (probe.options.arp)
				send_arp(&probe);
			/* After a stall the missed ones are not made up for in a burst. */
			next_send = next_send + probe.options.interval > now ? next_send + probe.options.interval : now + probe.options.interval;
		}
		sweep_lost(&probe, now);
		if (now >= next_report) {
			note_silences(&probe, now);
			tick(&probe, now);
			next_report += REPORT_US;
		}
	}
}
