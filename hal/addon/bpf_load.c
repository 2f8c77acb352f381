/* Loads a BPF object: maps taken over from their pins where the shape is the same, the others made and pinned. libbpf.h. */
#define _GNU_SOURCE
#include "bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define VERIFIER_LOG_BYTES (4 << 20)
#define TAIL_LINES 12
#define MAPS_MAX 64

/* The start of the last `lines` lines of a text. */
static const char *tail(const char *text, int lines)
{
	const char *at = text + strlen(text);

	while (at > text && lines >= 0) {
		at--;
		if (*at == '\n' && at[1] != '\0')
			lines--;
	}
	return lines < 0 ? at + 1 : at;
}

/* The verifier's last lines when it spoke, else what libbpf had to say. */
static void throw_load(napi_env env, int negative_errno, const char *verifier_log)
{
	const char *text = *verifier_log ? tail(verifier_log, TAIL_LINES) : futago_bpf_complaints();

	futago_throw_text(env, negative_errno, "bpf(BPF_PROG_LOAD)", text);
}

static int pin_path(char *path, const char *directory, const struct bpf_map *map)
{
	int length = snprintf(path, BPF_PATH_MAX, "%s/%s", directory, bpf_map__name(map));

	return length < BPF_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The kernel adds this flag to device maps by itself. */
static uint32_t flags_asked_for(uint32_t flags)
{
	return flags & ~(uint32_t)BPF_F_RDONLY_PROG;
}

static bool same_shape(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && info.type == (uint32_t)bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map) &&
	       flags_asked_for(info.map_flags) == flags_asked_for(bpf_map__map_flags(map));
}

/* Bit i of `reused` says that the object's i-th map came from its pin. */
static int take_over_pins(struct bpf_object *object, const char *directory, uint64_t *reused)
{
	struct bpf_map *map;
	char path[BPF_PATH_MAX];
	int index = 0;

	*reused = 0;
	bpf_object__for_each_map(map, object) {
		if (index >= MAPS_MAX)
			return -E2BIG;
		if (pin_path(path, directory, map))
			return -ENAMETOOLONG;
		int fd = bpf_obj_get(path);

		if (fd < 0 && fd != -ENOENT)
			return fd;
		if (fd >= 0 && same_shape(map, fd)) {
			int error = bpf_map__reuse_fd(map, fd);

			if (error) {
				close(fd);
				return error;
			}
			*reused |= 1ull << index;
		}
		if (fd >= 0)
			close(fd);
		index++;
	}
	return 0;
}

static int pin_new_maps(struct bpf_object *object, const char *directory, uint64_t reused)
{
	struct bpf_map *map;
	char path[BPF_PATH_MAX];
	int index = 0;

	bpf_object__for_each_map(map, object) {
		if (!(reused & 1ull << index++)) {
			if (pin_path(path, directory, map))
				return -ENAMETOOLONG;
			if (unlink(path) && errno != ENOENT)
				return -errno;
			int error = bpf_obj_pin(bpf_map__fd(map), path);

			if (error)
				return error;
		}
	}
	return 0;
}

/* `sizes` maps names of maps to how many entries they shall have. */
static int set_sizes(napi_env env, struct bpf_object *object, napi_value sizes)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		napi_value value;
		bool there = false;
		uint32_t entries;

		napi_has_named_property(env, sizes, bpf_map__name(map), &there);
		if (!there)
			continue;
		napi_get_named_property(env, sizes, bpf_map__name(map), &value);
		if (napi_get_value_uint32(env, value, &entries) != napi_ok)
			return -EINVAL;
		int error = bpf_map__set_max_entries(map, entries);

		if (error)
			return error;
	}
	return 0;
}

static void add_map(napi_env env, napi_value list, uint32_t index, const struct bpf_map *map)
{
	uint32_t type = bpf_map__type(map);
	napi_value object;

	napi_create_object(env, &object);
	futago_bpf_set_text(env, object, "name", bpf_map__name(map));
	futago_bpf_set_number(env, object, "fd", bpf_map__fd(map));
	futago_bpf_set_number(env, object, "keyBytes", bpf_map__key_size(map));
	futago_bpf_set_number(env, object, "valueBytes", futago_bpf_value_bytes(type, bpf_map__value_size(map)));
	futago_bpf_set_number(env, object, "valuesPerKey", futago_bpf_values_per_key(type));
	futago_bpf_set_number(env, object, "entriesMax", bpf_map__max_entries(map));
	napi_set_element(env, list, index, object);
}

static void add_program(napi_env env, napi_value list, uint32_t index, const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);
	napi_value object;

	bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length);
	napi_create_object(env, &object);
	futago_bpf_set_text(env, object, "name", bpf_program__name(program));
	futago_bpf_set_number(env, object, "fd", bpf_program__fd(program));
	futago_bpf_set_number(env, object, "id", info.id);
	napi_set_element(env, list, index, object);
}

/* What JavaScript holds: the object, or NULL when it was closed. */
struct holder {
	struct bpf_object *object;
};

static void collect(napi_env env, void *data, void *hint)
{
	struct holder *holder = data;

	(void)env;
	(void)hint;
	bpf_object__close(holder->object);
	free(holder);
}

/* bpfClose(handle): closes every descriptor of the object. Harmless the second time. */
static napi_value close_object(napi_env env, napi_callback_info info)
{
	struct holder *holder;
	napi_value argument;

	futago_bpf_arguments(env, info, 1, &argument);
	if (napi_get_value_external(env, argument, (void **)&holder) != napi_ok) {
		napi_throw_type_error(env, NULL, "a handle of bpfLoad is expected");
		return NULL;
	}
	bpf_object__close(holder->object);
	holder->object = NULL;
	return NULL;
}

static napi_value describe(napi_env env, struct holder *holder)
{
	struct bpf_object *object = holder->object;
	napi_value result, maps, programs, handle;
	struct bpf_program *program;
	struct bpf_map *map;
	uint32_t index = 0;

	napi_create_object(env, &result);
	napi_create_array(env, &maps);
	napi_create_array(env, &programs);
	bpf_object__for_each_map(map, object)
		add_map(env, maps, index++, map);
	index = 0;
	bpf_object__for_each_program(program, object)
		add_program(env, programs, index++, program);
	napi_create_external(env, holder, collect, NULL, &handle);
	napi_set_named_property(env, result, "maps", maps);
	napi_set_named_property(env, result, "programs", programs);
	/* The descriptors live as long as this value. */
	napi_set_named_property(env, result, "handle", handle);
	return result;
}

/* Sizes, pins, verifier, pins again. The directory is locked meanwhile, so that two processes make one set of maps. */
static int load_locked(napi_env env, struct bpf_object *object, const char *directory, napi_value sizes)
{
	int lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t reused;
	int error;

	if (lock < 0)
		return -errno;
	error = flock(lock, LOCK_EX) ? -errno : 0;
	if (!error)
		error = set_sizes(env, object, sizes);
	if (!error)
		error = take_over_pins(object, directory, &reused);
	if (!error)
		error = bpf_object__load(object);
	if (!error)
		error = pin_new_maps(object, directory, reused);
	close(lock);
	return error;
}

/* bpfLoad(path, pinDirectory, sizes): {maps, programs, handle}. */
static napi_value load(napi_env env, napi_callback_info info)
{
	napi_value arguments[3], result = NULL;
	char path[BPF_PATH_MAX], directory[BPF_PATH_MAX];

	futago_bpf_arguments(env, info, 3, arguments);
	if (!futago_bpf_text(env, arguments[0], path, sizeof(path)) ||
	    !futago_bpf_text(env, arguments[1], directory, sizeof(directory)))
		return NULL;
	char *log = calloc(1, VERIFIER_LOG_BYTES);
	struct holder *holder = calloc(1, sizeof(*holder));
	LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_buf = log, .kernel_log_size = VERIFIER_LOG_BYTES);

	if (!log || !holder) {
		free(log);
		free(holder);
		futago_throw_errno(env, ENOMEM, "calloc");
		return NULL;
	}
	futago_bpf_clear_complaints();
	holder->object = bpf_object__open_file(path, &options);
	int error = holder->object ? load_locked(env, holder->object, directory, arguments[2]) : -errno;

	if (error) {
		throw_load(env, error, log);
		collect(env, holder, NULL);
	} else {
		result = describe(env, holder);
	}
	free(log);
	return result;
}

void futago_register_bpf_load(napi_env env, napi_value exports)
{
	futago_export(env, exports, "bpfLoad", load);
	futago_export(env, exports, "bpfClose", close_object);
}
