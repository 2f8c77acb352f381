/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pulse: sends the heartbeat, watches the peer's, renews the lease, and carries out the sentinel's plan in time.
 *
 *   pulse GATE-MAP PRIORITY
 *
 * GATE-MAP is the pinned BPF array futago_groups; PRIORITY a SCHED_FIFO priority. Descriptor 3 is the socket to the
 * sentinel. Its memory is locked and it allocates only when it receives a plan.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

#define CONTROL_FD 3

static struct program program;
static volatile sig_atomic_t stop;

static void on_stop(int signal)
{
	(void)signal;
	stop = 1;
}

uint64_t boot_micros(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t now_for_core(void *context)
{
	(void)context;
	return boot_micros();
}

static struct pulse_gate *map_gate(const char *path)
{
	size_t size = PULSE_GROUPS_MAX * sizeof(struct pulse_gate);
	int fd = bpf_obj_get(path);
	void *memory;

	if (fd < 0) {
		fprintf(stderr, "pulse: cannot open the gate's map %s: %s\n", path, strerror(errno));
		return NULL;
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		fprintf(stderr, "pulse: cannot map %s into memory: %s\n", path, strerror(errno));
		return NULL;
	}
	close(fd);
	return memory;
}

static void become_punctual(int priority)
{
	struct sched_param parameters = { .sched_priority = priority };

	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		fprintf(stderr, "pulse: cannot lock memory: %s\n", strerror(errno));
	if (sched_setscheduler(0, SCHED_FIFO, &parameters) < 0)
		fprintf(stderr, "pulse: cannot have real-time priority %d: %s\n", priority, strerror(errno));
}

static void report_hello(void)
{
	struct {
		struct pulse_command_header header;
		uint32_t version;
		uint64_t nonce;
	} __attribute__((packed)) hello = {
		.header = { .length = 12, .kind = PULSE_REPORT_HELLO },
		.version = PULSE_PROTOCOL_VERSION,
		.nonce = program.core.nonce,
	};

	control_report(&program, &hello, sizeof(hello));
}

static bool prepare(const char *gate_path)
{
	const struct pulse_io io = { .context = &program, .send = path_send, .run_plan = plan_run,
				     .report = control_report, .now = now_for_core };
	struct pulse_gate *gate;
	uint64_t nonce = 0;

	if (sodium_init() < 0 || !plan_open(&program)) {
		fprintf(stderr, "pulse: cannot open its sockets: %s\n", strerror(errno));
		return false;
	}
	gate = map_gate(gate_path);
	if (!gate)
		return false;
	while (nonce == 0)
		randombytes_buf(&nonce, sizeof(nonce));
	pulse_init(&program.core, &io, gate, nonce, boot_micros());
	program.control = CONTROL_FD;
	for (int i = 0; i < PULSE_PATHS_MAX; i++)
		program.paths[i].fd = -1;
	program.epoll = epoll_create1(EPOLL_CLOEXEC);
	program.timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	return program.epoll >= 0 && program.timer >= 0;
}

static void watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(program.epoll, EPOLL_CTL_ADD, fd, &event);
}

static void arm_timer(uint64_t at)
{
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at / 1000000), .tv_nsec = (long)(at % 1000000) * 1000 } };

	timerfd_settime(program.timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/*
 * One wake-up: everything the peer said, then orders, and only then what the clock says. A program that was frozen
 * finds all three at once, and neither an order nor a deadline may be judged by what was true before.
 */
static void wake(void)
{
	uint64_t now;

	paths_drain(&program);
	if (!control_read(&program)) {
		pulse_release_all(&program.core, PULSE_REASON_SENTINEL, boot_micros());
		return;
	}
	now = boot_micros();
	if (now >= pulse_next(&program.core))
		pulse_tick(&program.core, now);
	pulse_flush(&program.core, now);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_stop };
	struct epoll_event events[PULSE_PATHS_MAX + 2];
	uint64_t expirations;

	if (argc != 3) {
		fprintf(stderr, "usage: pulse GATE-MAP PRIORITY (started by the sentinel, not by hand)\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (!prepare(argv[1]))
		return 1;
	become_punctual(atoi(argv[2]));
	watch(program.timer);
	watch(program.control);
	report_hello();
	while (!stop && !program.core.dying) {
		arm_timer(pulse_next(&program.core));
		if (epoll_wait(program.epoll, events, PULSE_PATHS_MAX + 2, -1) < 0 && errno != EINTR)
			break;
		if (read(program.timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
			break;
		wake();
	}
	pulse_release_all(&program.core, PULSE_REASON_SHUTDOWN, boot_micros());
	return 0;
}
