/* What the files of the addon share. Each file registers its own functions on the exports object. */
#ifndef FUTAGO_ADDON_H
#define FUTAGO_ADDON_H

#include <node_api.h>

void futago_register_netlink(napi_env env, napi_value exports);
void futago_register_packet(napi_env env, napi_value exports);
void futago_register_bpf(napi_env env, napi_value exports);
void futago_register_machine(napi_env env, napi_value exports);
void futago_register_pulse(napi_env env, napi_value exports);
void futago_register_dial(napi_env env, napi_value exports);
void futago_register_device(napi_env env, napi_value exports);
void futago_register_notify(napi_env env, napi_value exports);

/* Throws a JavaScript Error with `code` (errno's name) and `syscall` properties, for the TypeScript side to wrap. */
void futago_throw_errno(napi_env env, int error, const char *syscall);
/* Adds a function to an object. */
void futago_export(napi_env env, napi_value object, const char *name, napi_callback callback);

#endif
