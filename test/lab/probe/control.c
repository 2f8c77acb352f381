/* The control threads: what the machine itself does to a thread that only wants to wake on time. */
#define _GNU_SOURCE
#include "probe.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define CONTROL_PERIOD_US 1000
#define CONTROL_PRIORITY 90

struct control {
	int cpu;
	int64_t threshold;
};

static void *control_run(void *argument)
{
	const struct control *control = argument;
	cpu_set_t cpus;
	CPU_ZERO(&cpus);
	CPU_SET(control->cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		fail("sched_setaffinity");
	real_time(CONTROL_PRIORITY);
	for (;;) {
		int64_t due = now_us() + CONTROL_PERIOD_US;
		struct timespec until = {.tv_sec = due / 1000000, .tv_nsec = due % 1000000 * 1000};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		int64_t woke = now_us();
		if (woke - due >= control->threshold)
			report("{\"kind\":\"stall\",\"cpu\":%d,\"start\":%ld,\"end\":%ld}", control->cpu, (long)due, (long)woke);
	}
	return NULL;
}

void start_controls(int64_t threshold)
{
	cpu_set_t allowed;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		fail("sched_getaffinity");
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		struct control *control = malloc(sizeof(*control));
		pthread_t thread;
		if (control == NULL)
			fail("malloc");
		*control = (struct control){.cpu = cpu, .threshold = threshold};
		errno = pthread_create(&thread, NULL, control_run, control);
		if (errno != 0)
			fail("pthread_create");
	}
}
