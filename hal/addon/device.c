/*
 * Character devices in the event loop: a file of /dev/input or a GPIO line's, opened by JavaScript, whose bytes come as they
 * are; and what such a device tells of itself (linux/input.h, linux/gpio.h).
 */
#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <linux/gpio.h>
#include <linux/input.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A key that bounces must not keep the loop from anything else. */
#define ROUNDS_PER_WAKEUP 4
#define READ_BYTES 1536

static void readable(struct futago_socket *sock)
{
	uint8_t content[READ_BYTES];

	for (int round = 0; round < ROUNDS_PER_WAKEUP && !sock->closed; round++) {
		ssize_t length = read(sock->fd, content, sizeof(content));
		napi_handle_scope scope;
		napi_value bytes;
		uint8_t *place;

		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (length <= 0) {
			int error = length < 0 ? errno : ENODEV;

			uv_poll_stop(&sock->poll);
			futago_socket_emit_error(sock, error);
			return;
		}
		napi_open_handle_scope(sock->env, &scope);
		bytes = futago_new_bytes(sock->env, (size_t)length, &place);
		memcpy(place, content, (size_t)length);
		futago_socket_emit(sock, 1, &bytes);
		napi_close_handle_scope(sock->env, scope);
	}
}

/* deviceWatch(fd, callback(bytes | undefined, code)): from now on the descriptor is the handle's. */
static napi_value device_watch(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	napi_valuetype type = napi_undefined;
	size_t given = 2;
	int32_t fd;

	napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
	if (given == 2)
		napi_typeof(env, arguments[1], &type);
	if (type != napi_function || napi_get_value_int32(env, arguments[0], &fd) != napi_ok) {
		napi_throw_type_error(env, NULL, "a descriptor and a function are needed");
		return NULL;
	}
	struct futago_socket *sock = calloc(1, sizeof(*sock));

	if (!sock) {
		close(fd);
		futago_throw_errno(env, ENOMEM, "calloc");
		return NULL;
	}
	sock->env = env;
	sock->fd = fd;
	sock->kind = FUTAGO_DEVICE;
	sock->readable = readable;
	return futago_socket_start(sock, arguments[1], true);
}

/* inputKeyPressed(fd, code): 1 while the key is down. */
static napi_value key_pressed(napi_env env, napi_callback_info info)
{
	unsigned char keys[KEY_CNT / 8] = { 0 };
	napi_value arguments[2], result;
	size_t given = 2;
	int32_t fd, code;

	napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
	if (given != 2 || napi_get_value_int32(env, arguments[0], &fd) != napi_ok ||
	    napi_get_value_int32(env, arguments[1], &code) != napi_ok || code < 0 || code >= KEY_CNT) {
		napi_throw_type_error(env, NULL, "a descriptor and the code of a key are needed");
		return NULL;
	}
	if (ioctl(fd, EVIOCGKEY(sizeof(keys)), keys) < 0) {
		futago_throw_errno(env, errno, "ioctl(EVIOCGKEY)");
		return NULL;
	}
	napi_create_int32(env, keys[code / 8] >> (code % 8) & 1, &result);
	return result;
}

/* gpioChipLabel(chipFd): what the driver calls the chip, which stays when the numbers of chips move. */
static napi_value chip_label(napi_env env, napi_callback_info info)
{
	struct gpiochip_info chip = { 0 };
	napi_value argument, result;
	size_t given = 1;
	int32_t fd;

	napi_get_cb_info(env, info, &given, &argument, NULL, NULL);
	if (given != 1 || napi_get_value_int32(env, argument, &fd) != napi_ok) {
		napi_throw_type_error(env, NULL, "a descriptor is needed");
		return NULL;
	}
	if (ioctl(fd, GPIO_GET_CHIPINFO_IOCTL, &chip) < 0) {
		futago_throw_errno(env, errno, "ioctl(GPIO_GET_CHIPINFO)");
		return NULL;
	}
	napi_create_string_latin1(env, chip.label, strnlen(chip.label, sizeof(chip.label)), &result);
	return result;
}

void futago_register_device(napi_env env, napi_value exports)
{
	futago_export(env, exports, "deviceWatch", device_watch);
	futago_export(env, exports, "inputKeyPressed", key_pressed);
	futago_export(env, exports, "gpioChipLabel", chip_label);
}
