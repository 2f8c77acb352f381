/* Entry of the addon: collects what the other files register. */
#define _GNU_SOURCE
#include "addon.h"

#include <string.h>

void futago_throw_errno(napi_env env, int error, const char *syscall)
{
	napi_value code, message, object, name;
	const char *text = strerrorname_np(error);

	napi_create_string_utf8(env, text ? text : "EUNKNOWN", NAPI_AUTO_LENGTH, &code);
	napi_create_string_utf8(env, strerror(error), NAPI_AUTO_LENGTH, &message);
	napi_create_error(env, code, message, &object);
	napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &name);
	napi_set_named_property(env, object, "syscall", name);
	napi_throw(env, object);
}

void futago_export(napi_env env, napi_value object, const char *name, napi_callback callback)
{
	napi_value function;

	napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
	napi_set_named_property(env, object, name, function);
}

NAPI_MODULE_INIT()
{
	futago_register_netlink(env, exports);
	futago_register_packet(env, exports);
	futago_register_bpf(env, exports);
	futago_register_machine(env, exports);
	futago_register_pulse(env, exports);
	futago_register_dial(env, exports);
	futago_register_device(env, exports);
	futago_register_notify(env, exports);
	return exports;
}
