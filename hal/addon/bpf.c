/* BPF's own file system, and what the files beside this one share. bpf(2), mount(2). */
#define _GNU_SOURCE
#include "bpf.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#define KERNEL_ENOTSUPP 524
#define COMPLAINTS_BYTES 4096

/* What libbpf complained of on this thread since it was cleared. */
static __thread char complaints[COMPLAINTS_BYTES];
static __thread size_t complaints_length;

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list arguments)
{
	size_t room = sizeof(complaints) - complaints_length;
	int length;

	if (level != LIBBPF_WARN)
		return 0;
	length = vsnprintf(complaints + complaints_length, room, format, arguments);
	if (length > 0)
		complaints_length += (size_t)length < room ? (size_t)length : room - 1;
	return length;
}

void futago_bpf_clear_complaints(void)
{
	complaints_length = 0;
	complaints[0] = '\0';
}

const char *futago_bpf_complaints(void)
{
	return complaints;
}

napi_value futago_text_error(napi_env env, int negative_errno, const char *syscall, const char *text)
{
	int error = negative_errno == -KERNEL_ENOTSUPP ? EOPNOTSUPP : -negative_errno;
	const char *name = strerrorname_np(error);
	napi_value code, message, object;

	napi_create_string_utf8(env, name ? name : "EUNKNOWN", NAPI_AUTO_LENGTH, &code);
	napi_create_string_utf8(env, *text ? text : strerror(error), NAPI_AUTO_LENGTH, &message);
	napi_create_error(env, code, message, &object);
	futago_bpf_set_text(env, object, "syscall", syscall);
	return object;
}

void futago_throw_bpf(napi_env env, int negative_errno, const char *syscall)
{
	napi_throw(env, futago_text_error(env, negative_errno, syscall, complaints));
	futago_bpf_clear_complaints();
}

void futago_bpf_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values)
{
	napi_get_cb_info(env, info, &count, values, NULL, NULL);
}

bool futago_bpf_integer(napi_env env, napi_value value, int32_t *integer)
{
	if (napi_get_value_int32(env, value, integer) == napi_ok)
		return true;
	napi_throw_type_error(env, NULL, "an integer is expected");
	return false;
}

bool futago_bpf_text(napi_env env, napi_value value, char *text, size_t room)
{
	size_t length;

	if (napi_get_value_string_utf8(env, value, text, room, &length) == napi_ok && length + 1 < room)
		return true;
	napi_throw_type_error(env, NULL, "a text is expected, and one that is not too long");
	return false;
}

void futago_bpf_set_number(napi_env env, napi_value object, const char *name, double number)
{
	napi_value value;

	napi_create_double(env, number, &value);
	napi_set_named_property(env, object, name, value);
}

void futago_bpf_set_text(napi_env env, napi_value object, const char *name, const char *text)
{
	napi_value value;

	napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
	napi_set_named_property(env, object, name, value);
}

uint32_t futago_bpf_values_per_key(uint32_t map_type)
{
	bool per_cpu = map_type == BPF_MAP_TYPE_PERCPU_ARRAY || map_type == BPF_MAP_TYPE_PERCPU_HASH ||
		       map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	int processors = libbpf_num_possible_cpus();

	return per_cpu && processors > 0 ? processors : 1;
}

uint32_t futago_bpf_value_bytes(uint32_t map_type, uint32_t value_size)
{
	return futago_bpf_values_per_key(map_type) > 1 ? (value_size + 7) & ~7u : value_size;
}

static bool is_bpf_file_system(const char *directory)
{
	struct statfs status;

	return statfs(directory, &status) == 0 && (uint32_t)status.f_type == BPF_FS_MAGIC;
}

/* bpfMount(directory): false when a BPF file system is there already. */
static napi_value mount_here(napi_env env, napi_callback_info info)
{
	napi_value argument, result;
	char directory[BPF_PATH_MAX];

	futago_bpf_arguments(env, info, 1, &argument);
	if (!futago_bpf_text(env, argument, directory, sizeof(directory)))
		return NULL;
	bool there = is_bpf_file_system(directory);

	if (!there && mount("futago", directory, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		futago_throw_errno(env, errno, "mount");
		return NULL;
	}
	napi_get_boolean(env, !there, &result);
	return result;
}

/* bpfUnmount(directory): nothing happens when no BPF file system is there. */
static napi_value unmount_here(napi_env env, napi_callback_info info)
{
	napi_value argument;
	char directory[BPF_PATH_MAX];

	futago_bpf_arguments(env, info, 1, &argument);
	if (!futago_bpf_text(env, argument, directory, sizeof(directory)))
		return NULL;
	if (is_bpf_file_system(directory) && umount2(directory, MNT_DETACH | UMOUNT_NOFOLLOW))
		futago_throw_errno(env, errno, "umount2");
	return NULL;
}

void futago_register_bpf(napi_env env, napi_value exports)
{
	libbpf_set_print(keep_complaint);
	futago_export(env, exports, "bpfMount", mount_here);
	futago_export(env, exports, "bpfUnmount", unmount_here);
	futago_register_bpf_load(env, exports);
	futago_register_bpf_map(env, exports);
	futago_register_bpf_batch(env, exports);
	futago_register_bpf_ringbuf(env, exports);
	futago_register_bpf_attach(env, exports);
	futago_register_bpf_features(env, exports);
}
