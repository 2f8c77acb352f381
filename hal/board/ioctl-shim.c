/*
 * A preloaded library for tests: answers the ioctls of GPIO, watchdogs and keys in the kernel's place, on whatever file they
 * come. It reads and writes the structures of the kernel's headers and prints each request on standard error.
 * Line 7 is taken (EBUSY), line 8 has no interrupt (ENXIO). A line's descriptor is an eventfd, and its level is kept here. The watchdog
 * makes 30 s of more, but refuses more than 100 s. Key 148 is down.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/gpio.h>
#include <linux/input.h>
#include <linux/watchdog.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DESCRIPTORS 1024

static char levels[DESCRIPTORS];

static int refuse(int error)
{
	errno = error;
	return -1;
}

static int get_line(struct gpio_v2_line_request *request)
{
	const struct gpio_v2_line_config *config = &request->config;
	char level = config->num_attrs == 1 && (config->attrs[0].mask & config->attrs[0].attr.values) ? 1 : 0;

	fprintf(stderr, "GET_LINE offset=%u lines=%u flags=%llu attrs=%u level=%d consumer=%s\n", request->offsets[0],
		request->num_lines, (unsigned long long)config->flags, config->num_attrs, level, request->consumer);
	if (request->offsets[0] == 7)
		return refuse(EBUSY);
	if (request->offsets[0] == 8 && config->flags & GPIO_V2_LINE_FLAG_EDGE_RISING)
		return refuse(ENXIO);
	request->fd = eventfd(0, EFD_CLOEXEC);
	if (request->fd < 0 || request->fd >= DESCRIPTORS)
		return refuse(EMFILE);
	levels[request->fd] = level;
	return 0;
}

static int line_values(int fd, struct gpio_v2_line_values *values, int set)
{
	if (set) {
		fprintf(stderr, "SET_VALUES bits=%llu mask=%llu\n", (unsigned long long)values->bits, (unsigned long long)values->mask);
		levels[fd] = (char)(values->bits & values->mask);
		return 0;
	}
	values->bits = (unsigned long long)levels[fd] & values->mask;
	return 0;
}

static int watchdog_timeout(int *seconds)
{
	fprintf(stderr, "SETTIMEOUT %d\n", *seconds);
	if (*seconds < 1 || *seconds > 100)
		return refuse(EINVAL);
	if (*seconds > 30)
		*seconds = 30;
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;

	va_start(list, request);
	void *argument = va_arg(list, void *);

	va_end(list);
	switch (request) {
	case GPIO_V2_GET_LINE_IOCTL:
		return get_line(argument);
	case GPIO_V2_LINE_GET_VALUES_IOCTL:
		return line_values(fd, argument, 0);
	case GPIO_V2_LINE_SET_VALUES_IOCTL:
		return line_values(fd, argument, 1);
	case WDIOC_GETSUPPORT:
		strcpy((char *)((struct watchdog_info *)argument)->identity, "shim watchdog");
		return 0;
	case WDIOC_SETTIMEOUT:
		return watchdog_timeout(argument);
	case GPIO_GET_CHIPINFO_IOCTL:
		strcpy(((struct gpiochip_info *)argument)->label, "9030000.pl061");
		return 0;
	case EVIOCGKEY(KEY_CNT / 8):
		((unsigned char *)argument)[148 / 8] = 1 << 148 % 8;
		return 0;
	}
	return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
}
