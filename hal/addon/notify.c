/* The word that a service sends to whoever started it: one datagram to the UNIX socket NOTIFY_SOCKET, sd_notify(3). */
#define _GNU_SOURCE
#include "addon.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 1024

/* Where the address begins with "@" the socket is an abstract one. Returns 0 or an errno. */
static int notify(const char *address, size_t address_length, const char *text, size_t length)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int error = 0;

	if (address_length < 2 || address_length >= sizeof(to.sun_path))
		return EINVAL;
	memcpy(to.sun_path, address, address_length);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + address_length);

	if (sendto(fd, text, length, MSG_NOSIGNAL, (struct sockaddr *)&to, size) != (ssize_t)length)
		error = errno;
	close(fd);
	return error;
}

/* serviceNotify(address, text): never waits; a full socket is EAGAIN. */
static napi_value service_notify(napi_env env, napi_callback_info info)
{
	char address[sizeof(((struct sockaddr_un *)0)->sun_path) + 1], text[TEXT_BYTES_MAX];
	napi_value arguments[2];
	size_t given = 2, address_length, length;

	napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
	if (given != 2 ||
	    napi_get_value_string_utf8(env, arguments[0], address, sizeof(address), &address_length) != napi_ok ||
	    napi_get_value_string_utf8(env, arguments[1], text, sizeof(text), &length) != napi_ok) {
		napi_throw_type_error(env, NULL, "an address and a text are needed");
		return NULL;
	}
	int error = notify(address, address_length, text, length);

	if (error)
		futago_throw_errno(env, error, "sendto(NOTIFY_SOCKET)");
	return NULL;
}

void futago_register_notify(napi_env env, napi_value exports)
{
	futago_export(env, exports, "serviceNotify", service_notify);
}
