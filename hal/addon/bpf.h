/* What the files of the addon that speak to BPF share. Programs and maps are plain file descriptors there. */
#ifndef FUTAGO_BPF_H
#define FUTAGO_BPF_H

#include "addon.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPF_PATH_MAX 512

/* libbpf returns the negative errno; 524 is the kernel's ENOTSUPP, which has no name outside it. An empty text: errno's own. */
napi_value futago_text_error(napi_env env, int negative_errno, const char *syscall, const char *text);
/* As above, with libbpf's complaints for text, which it clears, or errno's own words. */
void futago_throw_bpf(napi_env env, int negative_errno, const char *syscall);
/* What libbpf complained of on this thread, kernel's extack texts among it, since it was cleared. */
void futago_bpf_clear_complaints(void);
const char *futago_bpf_complaints(void);
/* Reads all the arguments of a call; missing ones are undefined. */
void futago_bpf_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);
/* False with a TypeError thrown when the argument is of another type or too long. */
bool futago_bpf_integer(napi_env env, napi_value value, int32_t *integer);
bool futago_bpf_text(napi_env env, napi_value value, char *text, size_t room);
void futago_bpf_set_number(napi_env env, napi_value object, const char *name, double number);
void futago_bpf_set_text(napi_env env, napi_value object, const char *name, const char *text);
/* How many values a per-CPU map has per key. */
uint32_t futago_bpf_values_per_key(uint32_t map_type);
/* The bytes of one value as the system call moves it: per-CPU values are padded to eight. */
uint32_t futago_bpf_value_bytes(uint32_t map_type, uint32_t value_size);

void futago_register_bpf_load(napi_env env, napi_value exports);
void futago_register_bpf_map(napi_env env, napi_value exports);
void futago_register_bpf_batch(napi_env env, napi_value exports);
void futago_register_bpf_ringbuf(napi_env env, napi_value exports);
void futago_register_bpf_attach(napi_env env, napi_value exports);
void futago_register_bpf_features(napi_env env, napi_value exports);

#endif
