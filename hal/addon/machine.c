/*
 * The machine's own calls: the boot-time clock, the wall clock, scheduling of the calling thread, GPIO lines by the character
 * device's version 2 interface (linux/gpio.h) and the watchdog's ioctls (linux/watchdog.h). One call, one function.
 */
#define _GNU_SOURCE
#include "addon.h"

#include <errno.h>
#include <linux/gpio.h>
#include <linux/watchdog.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 3

/* Reads exactly `count` int32 arguments; on a wrong type or number throws a TypeError and returns false. */
static bool read_integers(napi_env env, napi_callback_info info, size_t count, int32_t *values)
{
	napi_value arguments[ARGUMENTS_MAX];
	size_t given = ARGUMENTS_MAX;

	napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		if (i >= given || napi_get_value_int32(env, arguments[i], &values[i]) != napi_ok) {
			napi_throw_type_error(env, NULL, "an integer argument is missing");
			return false;
		}
	}
	return true;
}

static napi_value integer(napi_env env, int32_t value)
{
	napi_value result;

	napi_create_int32(env, value, &result);
	return result;
}

/* machineNow(): microseconds on CLOCK_BOOTTIME. */
static napi_value now(napi_env env, napi_callback_info info)
{
	struct timespec time;
	napi_value result;

	(void)info;
	clock_gettime(CLOCK_BOOTTIME, &time);
	napi_create_double(env, (double)(time.tv_sec * 1000000LL + time.tv_nsec / 1000), &result);
	return result;
}

/* machineClockKept(): 1 when somebody, such as an NTP client, has told the kernel that CLOCK_REALTIME is right. */
static napi_value clock_kept(napi_env env, napi_callback_info info)
{
	struct timex state = { .modes = 0 };

	(void)info;
	/* The returned state says the same and more: also that a leap second is near. */
	if (adjtimex(&state) < 0) {
		futago_throw_errno(env, errno, "adjtimex");
		return NULL;
	}
	return integer(env, (state.status & STA_UNSYNC) == 0);
}

/* machineStepClock(milliseconds): sets CLOCK_REALTIME ahead, or back, in one step that no reading falls into. */
static napi_value step_clock(napi_env env, napi_callback_info info)
{
	size_t given = 1;
	napi_value argument;
	int64_t millis;

	napi_get_cb_info(env, info, &given, &argument, NULL, NULL);
	if (given < 1 || napi_get_value_int64(env, argument, &millis) != napi_ok) {
		napi_throw_type_error(env, NULL, "an integer argument is missing");
		return NULL;
	}
	/* The part below a second is never negative. */
	int64_t rest = (millis % 1000 + 1000) % 1000;
	struct timex step = {
		.modes = ADJ_SETOFFSET | ADJ_NANO,
		.time = { .tv_sec = (millis - rest) / 1000, .tv_usec = rest * 1000000 },
	};

	if (clock_adjtime(CLOCK_REALTIME, &step) < 0)
		futago_throw_errno(env, errno, "clock_adjtime");
	return NULL;
}

/*
 * machineSetRealTime(priority): SCHED_FIFO for the calling thread. SCHED_RESET_ON_FORK keeps threads and children
 * made later out of the real-time class: a busy worker there would starve what must be on time.
 */
static napi_value set_real_time(napi_env env, napi_callback_info info)
{
	int32_t priority;

	if (!read_integers(env, info, 1, &priority))
		return NULL;
	struct sched_param parameters = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) < 0)
		futago_throw_errno(env, errno, "sched_setscheduler");
	return NULL;
}

/* machineDieWithParent(signal): prctl(2) PR_SET_PDEATHSIG. A parent that died just before the call counts too. */
static napi_value die_with_parent(napi_env env, napi_callback_info info)
{
	int32_t signal_number;

	if (!read_integers(env, info, 1, &signal_number))
		return NULL;
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, signal_number) < 0)
		futago_throw_errno(env, errno, "prctl(PR_SET_PDEATHSIG)");
	else if (getppid() != parent)
		raise(signal_number);
	return NULL;
}

/*
 * gpioRequest(chipFd, offset, mode): asks for one line; mode 0 input, 1 output low, 2 output high, 3 input that tells of
 * both edges. Returns the line's fd.
 */
static napi_value gpio_request(napi_env env, napi_callback_info info)
{
	int32_t values[3];

	if (!read_integers(env, info, 3, values))
		return NULL;
	struct gpio_v2_line_request request = { .num_lines = 1, .offsets = { (uint32_t)values[1] } };

	strcpy(request.consumer, "futago");
	if (values[2] == 0) {
		request.config.flags = GPIO_V2_LINE_FLAG_INPUT;
	} else if (values[2] == 3) {
		request.config.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
	} else {
		request.config.flags = GPIO_V2_LINE_FLAG_OUTPUT;
		request.config.num_attrs = 1;
		request.config.attrs[0].mask = 1;
		request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
		request.config.attrs[0].attr.values = values[2] == 2;
	}
	if (ioctl(values[0], GPIO_V2_GET_LINE_IOCTL, &request) < 0) {
		futago_throw_errno(env, errno, "ioctl(GPIO_V2_GET_LINE)");
		return NULL;
	}
	return integer(env, request.fd);
}

/* gpioGet(lineFd): 0 or 1. */
static napi_value gpio_get(napi_env env, napi_callback_info info)
{
	int32_t fd;
	struct gpio_v2_line_values values = { .mask = 1 };

	if (!read_integers(env, info, 1, &fd))
		return NULL;
	if (ioctl(fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0) {
		futago_throw_errno(env, errno, "ioctl(GPIO_V2_LINE_GET_VALUES)");
		return NULL;
	}
	return integer(env, (int32_t)(values.bits & 1));
}

/* gpioSet(lineFd, value). */
static napi_value gpio_set(napi_env env, napi_callback_info info)
{
	int32_t arguments[2];

	if (!read_integers(env, info, 2, arguments))
		return NULL;
	struct gpio_v2_line_values values = { .mask = 1, .bits = arguments[1] != 0 };

	if (ioctl(arguments[0], GPIO_V2_LINE_SET_VALUES_IOCTL, &values) < 0)
		futago_throw_errno(env, errno, "ioctl(GPIO_V2_LINE_SET_VALUES)");
	return NULL;
}

/* watchdogIdentity(fd): the driver's name for itself. */
static napi_value watchdog_identity(napi_env env, napi_callback_info info)
{
	int32_t fd;
	struct watchdog_info support;
	napi_value result;

	if (!read_integers(env, info, 1, &fd))
		return NULL;
	if (ioctl(fd, WDIOC_GETSUPPORT, &support) < 0) {
		futago_throw_errno(env, errno, "ioctl(WDIOC_GETSUPPORT)");
		return NULL;
	}
	size_t length = strnlen((const char *)support.identity, sizeof(support.identity));

	napi_create_string_latin1(env, (const char *)support.identity, length, &result);
	return result;
}

/* watchdogSetTimeout(fd, seconds): returns the seconds that the driver chose. */
static napi_value watchdog_set_timeout(napi_env env, napi_callback_info info)
{
	int32_t values[2];

	if (!read_integers(env, info, 2, values))
		return NULL;
	int seconds = values[1];

	if (ioctl(values[0], WDIOC_SETTIMEOUT, &seconds) < 0) {
		futago_throw_errno(env, errno, "ioctl(WDIOC_SETTIMEOUT)");
		return NULL;
	}
	return integer(env, seconds);
}

/* machineLock(fd): 1 when this open file now holds flock(2)'s exclusive lock, 0 when another one does. */
static napi_value lock(napi_env env, napi_callback_info info)
{
	int32_t fd;

	if (!read_integers(env, info, 1, &fd))
		return NULL;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return integer(env, 1);
	if (errno != EWOULDBLOCK)
		futago_throw_errno(env, errno, "flock");
	return integer(env, 0);
}

void futago_register_machine(napi_env env, napi_value exports)
{
	futago_export(env, exports, "machineNow", now);
	futago_export(env, exports, "machineClockKept", clock_kept);
	futago_export(env, exports, "machineStepClock", step_clock);
	futago_export(env, exports, "machineSetRealTime", set_real_time);
	futago_export(env, exports, "machineDieWithParent", die_with_parent);
	futago_export(env, exports, "machineLock", lock);
	futago_export(env, exports, "gpioRequest", gpio_request);
	futago_export(env, exports, "gpioGet", gpio_get);
	futago_export(env, exports, "gpioSet", gpio_set);
	futago_export(env, exports, "watchdogIdentity", watchdog_identity);
	futago_export(env, exports, "watchdogSetTimeout", watchdog_set_timeout);
}
