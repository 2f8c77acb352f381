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
#define REFUSAL_BYTES 4096
#define MAP_NAME_BYTES 64

struct size {
	char map[MAP_NAME_BYTES];
	uint32_t entries;
};

/* What JavaScript holds: the object, or NULL when it was closed. */
struct holder {
	struct bpf_object *object;
};

/* An object on its way into the kernel, which takes the verifier a good part of a second. */
struct load {
	char path[BPF_PATH_MAX];
	char directory[BPF_PATH_MAX];
	struct size sizes[MAPS_MAX];
	uint32_t sizes_count;
	struct holder *holder;
	int error;
	char refusal[REFUSAL_BYTES];
	napi_deferred deferred;
	napi_async_work work;
};

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

/* What names no map of the object is of no concern to it. */
static int set_sizes(const struct load *load)
{
	for (uint32_t i = 0; i < load->sizes_count; i++) {
		const struct size *size = &load->sizes[i];
		struct bpf_map *map = bpf_object__find_map_by_name(load->holder->object, size->map);
		int error = map ? bpf_map__set_max_entries(map, size->entries) : 0;

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
static int load_locked(const struct load *load)
{
	struct bpf_object *object = load->holder->object;
	int lock = open(load->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t reused;
	int error;

	if (lock < 0)
		return -errno;
	error = flock(lock, LOCK_EX) ? -errno : 0;
	if (!error)
		error = set_sizes(load);
	if (!error)
		error = take_over_pins(object, load->directory, &reused);
	if (!error)
		error = bpf_object__load(object);
	if (!error)
		error = pin_new_maps(object, load->directory, reused);
	close(lock);
	return error;
}

/* The verifier's last lines when it spoke, else what libbpf had to say. */
static void keep_refusal(struct load *load, const char *verifier_log)
{
	const char *text = *verifier_log ? tail(verifier_log, TAIL_LINES) : futago_bpf_complaints();

	snprintf(load->refusal, sizeof(load->refusal), "%s", text);
}

/* On any thread. */
static void load_object(struct load *load)
{
	char *log = calloc(1, VERIFIER_LOG_BYTES);
	LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_buf = log, .kernel_log_size = VERIFIER_LOG_BYTES);

	load->error = -ENOMEM;
	if (!log)
		return;
	futago_bpf_clear_complaints();
	load->holder->object = bpf_object__open_file(load->path, &options);
	load->error = load->holder->object ? load_locked(load) : -errno;
	if (load->error)
		keep_refusal(load, log);
	free(log);
}

static bool read_size(napi_env env, napi_value sizes, napi_value name, struct size *size)
{
	napi_value value;
	size_t length;

	if (napi_get_value_string_utf8(env, name, size->map, sizeof(size->map), &length) == napi_ok &&
	    napi_get_property(env, sizes, name, &value) == napi_ok &&
	    napi_get_value_uint32(env, value, &size->entries) == napi_ok)
		return true;
	napi_throw_type_error(env, NULL, "a number of entries is expected");
	return false;
}

static bool read_sizes(napi_env env, napi_value sizes, struct load *load)
{
	napi_value names, name;

	if (napi_get_property_names(env, sizes, &names) != napi_ok ||
	    napi_get_array_length(env, names, &load->sizes_count) != napi_ok || load->sizes_count > MAPS_MAX) {
		napi_throw_type_error(env, NULL, "sizes by names of maps are expected");
		return false;
	}
	for (uint32_t i = 0; i < load->sizes_count; i++) {
		napi_get_element(env, names, i, &name);
		if (!read_size(env, sizes, name, &load->sizes[i]))
			return false;
	}
	return true;
}

/* Of (path, pinDirectory, sizes); NULL with an error thrown. */
static struct load *begin(napi_env env, napi_callback_info info)
{
	struct load *load = calloc(1, sizeof(*load));
	struct holder *holder = calloc(1, sizeof(*holder));
	napi_value arguments[3];

	futago_bpf_arguments(env, info, 3, arguments);
	if (!load || !holder)
		futago_throw_errno(env, ENOMEM, "calloc");
	else if (futago_bpf_text(env, arguments[0], load->path, sizeof(load->path)) &&
		 futago_bpf_text(env, arguments[1], load->directory, sizeof(load->directory)) &&
		 read_sizes(env, arguments[2], load)) {
		load->holder = holder;
		return load;
	}
	free(holder);
	free(load);
	return NULL;
}

/* The object, or NULL with the error in `refused`. */
static napi_value finish(napi_env env, struct load *load, napi_value *refused)
{
	napi_value result = NULL;

	if (load->error) {
		*refused = futago_text_error(env, load->error, "bpf(BPF_PROG_LOAD)", load->refusal);
		collect(env, load->holder, NULL);
	} else {
		result = describe(env, load->holder);
	}
	free(load);
	return result;
}

/* bpfLoad(path, pinDirectory, sizes): {maps, programs, handle}. `sizes` are how many entries maps shall have, by name. */
static napi_value load_now(napi_env env, napi_callback_info info)
{
	struct load *load = begin(env, info);
	napi_value refused = NULL, result;

	if (!load)
		return NULL;
	load_object(load);
	result = finish(env, load, &refused);
	if (refused)
		napi_throw(env, refused);
	return result;
}

static void execute(napi_env env, void *data)
{
	(void)env;
	load_object(data);
}

static void complete(napi_env env, napi_status status, void *data)
{
	struct load *load = data;
	napi_deferred deferred = load->deferred;
	napi_value refused = NULL, result;

	(void)status;
	napi_delete_async_work(env, load->work);
	result = finish(env, load, &refused);
	if (refused)
		napi_reject_deferred(env, deferred, refused);
	else
		napi_resolve_deferred(env, deferred, result);
}

/* bpfLoadAside(path, pinDirectory, sizes): a promise of the same; another thread waits for the verifier. */
static napi_value load_aside(napi_env env, napi_callback_info info)
{
	struct load *load = begin(env, info);
	napi_value name, promise;

	if (!load)
		return NULL;
	napi_create_promise(env, &load->deferred, &promise);
	napi_create_string_utf8(env, "bpfLoad", NAPI_AUTO_LENGTH, &name);
	napi_create_async_work(env, NULL, name, execute, complete, load, &load->work);
	napi_queue_async_work(env, load->work);
	return promise;
}

void futago_register_bpf_load(napi_env env, napi_value exports)
{
	futago_export(env, exports, "bpfLoad", load_now);
	futago_export(env, exports, "bpfLoadAside", load_aside);
	futago_export(env, exports, "bpfClose", close_object);
}
