/*
 * Sends frames through a box and takes them in, or runs a program on them, for the bench. Commands on standard input,
 * an answer each on standard output. Started with the namespaces and devices before and behind a box it sends; without
 * them, in a namespace of the caller's choice, it only runs.
 *
 *   frames OBJECT CPU [FRONT_NAMESPACE FRONT_DEVICE BACK_NAMESPACE BACK_DEVICE SPARE_DEVICE]
 *
 * The spare device, before the box, gets the generator attached and nothing more: the kernel then knows it for a program
 * in use, and each batch does not wait for RCU (bpf_prog_change_xdp).
 *
 *   plan FLOWS FIRST IS_IPV6 ANSWERS TEMPLATE...   the frames to come, templates in hexadecimal
 *   send COUNT PACKETS                             ok ARRIVED; so many of a plan, each brings PACKETS to the far end
 *   counts                                         ok FRONT BACK, the packets that came to each end
 *   call PROGRAM                                   what `run` calls, by its id; 0 is the program that does nothing
 *   run COUNT IFINDEX                              ok NANOSECONDS VERDICT, of one run, made by a frame of the plan
 *   empty COUNT                                    ok NANOSECONDS VERDICT, of one run of the program that does nothing
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_link.h>
#include "frames.h"

/* The ring of a veth port holds 256 frames; a frame and what answers it may wait there at one time. */
#define BATCH 64
#define WAITING_MAX 192
#define LOST_NS 300000000ULL
#define CPUS_MAX 1024
#define LINE_BYTES 1024

static struct bpf_object *object;
static volatile struct arrivals *arrivals;
static unsigned int front_index;
static uint32_t frame_bytes = 60;

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(1);
}

static int program(const char *name)
{
	struct bpf_program *found = bpf_object__find_program_by_name(object, name);

	if (!found)
		die(name, ENOENT);
	return bpf_program__fd(found);
}

static int map(const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	if (fd < 0)
		die(name, fd);
	return fd;
}

static void enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path, errno);
	close(fd);
}

/* In the namespace: its device runs the program. Ends with the namespace. */
static unsigned int attach(const char *path, const char *device, const char *name)
{
	unsigned int index;
	int error;

	enter(path);
	index = if_nametoindex(device);
	if (!index)
		die(device, errno);
	error = bpf_xdp_attach(index, program(name), XDP_FLAGS_DRV_MODE, NULL);
	if (error)
		die(device, error);
	return index;
}

static int read_template(const char *hex, uint8_t *into)
{
	size_t length = strlen(hex) / 2;

	if (length > FRAME_BYTES)
		return 0;
	for (size_t i = 0; i < length; i++) {
		unsigned int byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return 0;
		into[i] = byte;
	}
	return 1;
}

static void set_turn(uint32_t flow)
{
	static struct turn turns[CPUS_MAX];
	uint32_t zero = 0;

	for (int i = 0; i < CPUS_MAX; i++)
		turns[i] = (struct turn){ .flow = flow };
	int error = bpf_map_update_elem(map("turns"), &zero, turns, BPF_ANY);

	if (error)
		die("turns", error);
}

/* plan FLOWS FIRST IS_IPV6 ANSWERS TEMPLATE... */
static void set_plan(char *line)
{
	struct plan plan = { 0 };
	uint32_t first, zero = 0;
	int used = 0, error;

	if (sscanf(line, "plan %u %u %u %u %n", &plan.flows, &first, &plan.is_ipv6, &plan.answers, &used) != 4)
		die("a plan of four numbers", EINVAL);
	for (char *hex = strtok(line + used, " \n"); hex && plan.steps < STEPS_MAX; hex = strtok(NULL, " \n")) {
		if (!read_template(hex, plan.templates[plan.steps++]))
			die("a template", EINVAL);
	}
	frame_bytes = plan.is_ipv6 ? 74 : 60;
	error = bpf_map_update_elem(map("plans"), &zero, &plan, BPF_ANY);
	if (error)
		die("plans", error);
	set_turn(first);
	puts("ok");
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void send_batch(uint32_t count)
{
	uint8_t frame[FRAME_BYTES] = { 0 };
	struct xdp_md context = { .data_end = frame_bytes, .ingress_ifindex = front_index };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = frame_bytes, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = count, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .batch_size = BATCH);
	int error = bpf_prog_test_run_opts(program("frames_generate"), &options);

	/* The ring at the other end is full: its processor was held up, and what did not fit is lost. */
	if (error && error != -ENOSPC)
		die("sending", error);
}

/* No more on their way than the rings hold. What did not come in time is lost, and waited for no more. */
static void send_frames(uint32_t count, uint32_t packets)
{
	uint64_t base = arrivals->back, begun = base, due = 0, quiet_since = now(), seen = base;

	for (uint32_t sent = 0; sent < count || arrivals->back - base < due;) {
		uint64_t back = arrivals->back;

		if (back != seen) {
			seen = back;
			quiet_since = now();
		}
		if (sent < count && due - (back - base) + packets * BATCH <= WAITING_MAX) {
			send_batch(BATCH);
			sent += BATCH;
			due += packets * BATCH;
		} else if (now() - quiet_since > LOST_NS) {
			base = back;
			due = 0;
			quiet_since = now();
		} else {
			sched_yield();
		}
	}
	printf("ok %llu\n", (unsigned long long)(arrivals->back - begun));
}

static void print_counts(void)
{
	printf("ok %llu %llu\n", (unsigned long long)arrivals->front, (unsigned long long)arrivals->back);
}

static void set_called(uint32_t id)
{
	int fd = id ? bpf_prog_get_fd_by_id(id) : program("frames_stop"), error;
	uint32_t zero = 0;

	if (fd < 0)
		die("the program to call", fd);
	error = bpf_map_update_elem(map("called"), &zero, &fd, BPF_ANY);
	if (error)
		die("called", error);
	if (id)
		close(fd);
	puts("ok");
}

static void run(const char *name, uint32_t count, uint32_t ifindex)
{
	uint8_t frame[FRAME_BYTES] = { 0 }, output[FRAME_BYTES + 256];
	struct xdp_md context = { .data_end = frame_bytes, .ingress_ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = frame_bytes, .data_out = output,
		    .data_size_out = sizeof(output), .repeat = count);

	if (ifindex) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	int error = bpf_prog_test_run_opts(program(name), &options);

	if (error)
		die(name, error);
	printf("ok %u %u\n", options.duration, options.retval);
}

static void obey(char *line)
{
	uint32_t a, b;

	if (!strncmp(line, "plan ", 5))
		set_plan(line);
	else if (sscanf(line, "send %u %u", &a, &b) == 2)
		send_frames(a, b);
	else if (!strncmp(line, "counts", 6))
		print_counts();
	else if (sscanf(line, "call %u", &a) == 1)
		set_called(a);
	else if (sscanf(line, "run %u %u", &a, &b) == 2)
		run("frames_call", a, b);
	else if (sscanf(line, "empty %u", &a) == 1)
		run("frames_stop", a, 0);
	else
		die(line, EINVAL);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char line[LINE_BYTES];
	cpu_set_t cpus;
	int error;

	if (argc != 3 && argc != 8)
		die("usage", EINVAL);
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[2]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("the processor", errno);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		die(argv[1], errno);
	error = bpf_object__load(object);
	if (error)
		die(argv[1], error);
	arrivals = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, map("arrived"), 0);
	if (arrivals == MAP_FAILED)
		die("arrived", errno);
	if (argc == 8) {
		attach(argv[5], argv[6], "frames_back");
		attach(argv[3], argv[7], "frames_generate");
		front_index = attach(argv[3], argv[4], "frames_front");
	}
	puts("ok");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
