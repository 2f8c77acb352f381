/* Reads and writes BPF maps, and runs programs on given packets. bpf(2). */
#define _GNU_SOURCE
#include "bpf.h"
#include "socket.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BATCH_BYTES (1 << 20)
#define BATCH_ENTRIES_MIN 64
#define BATCH_ENTRIES_MAX 4096
#define OUTPUT_ROOM 256

struct bytes {
	uint8_t *at;
	size_t length;
};

static napi_value boolean(napi_env env, bool value)
{
	napi_value result;

	napi_get_boolean(env, value, &result);
	return result;
}

static void set_bytes(napi_env env, napi_value object, const char *name, const uint8_t *bytes, size_t length)
{
	uint8_t *into;
	napi_value copy = futago_new_bytes(env, length, &into);

	if (length)
		memcpy(into, bytes, length);
	napi_set_named_property(env, object, name, copy);
}

/* (fd, key[, value]) */
static bool read_entry(napi_env env, napi_callback_info info, int32_t *fd, struct bytes *key, struct bytes *value)
{
	napi_value arguments[3];

	futago_bpf_arguments(env, info, 3, arguments);
	return futago_bpf_integer(env, arguments[0], fd) && futago_get_bytes(env, arguments[1], &key->at, &key->length) &&
	       (!value || futago_get_bytes(env, arguments[2], &value->at, &value->length));
}

/* bpfLookup(fd, key, value): whether there is such an entry; its value is written into `value`. The caller sized both. */
static napi_value lookup(napi_env env, napi_callback_info info)
{
	struct bytes key, value;
	int32_t fd;

	if (!read_entry(env, info, &fd, &key, &value))
		return NULL;
	int error = bpf_map_lookup_elem(fd, key.at, value.at);

	if (error && error != -ENOENT) {
		futago_throw_bpf(env, error, "bpf(BPF_MAP_LOOKUP_ELEM)");
		return NULL;
	}
	return boolean(env, !error);
}

/* bpfUpdate(fd, key, value) */
static napi_value update(napi_env env, napi_callback_info info)
{
	struct bytes key, value;
	int32_t fd;

	if (!read_entry(env, info, &fd, &key, &value))
		return NULL;
	int error = bpf_map_update_elem(fd, key.at, value.at, BPF_ANY);

	if (error)
		futago_throw_bpf(env, error, "bpf(BPF_MAP_UPDATE_ELEM)");
	return NULL;
}

/* bpfDelete(fd, key): whether there was such an entry. */
static napi_value delete_entry(napi_env env, napi_callback_info info)
{
	struct bytes key;
	int32_t fd;

	if (!read_entry(env, info, &fd, &key, NULL))
		return NULL;
	int error = bpf_map_delete_elem(fd, key.at);

	if (error && error != -ENOENT) {
		futago_throw_bpf(env, error, "bpf(BPF_MAP_DELETE_ELEM)");
		return NULL;
	}
	return boolean(env, !error);
}

struct dump {
	int fd;
	uint32_t key_bytes;
	uint32_t value_bytes;
	uint32_t entries_max;
	uint32_t count;
	uint32_t room;
	uint8_t *keys;
	uint8_t *values;
};

static int make_room(struct dump *dump, uint32_t entries)
{
	if (dump->count + entries <= dump->room)
		return 0;
	uint32_t room = dump->count + entries;
	uint8_t *keys = realloc(dump->keys, (size_t)room * dump->key_bytes);

	if (!keys)
		return -ENOMEM;
	dump->keys = keys;
	uint8_t *values = realloc(dump->values, (size_t)room * dump->value_bytes);

	if (!values)
		return -ENOMEM;
	dump->values = values;
	dump->room = room;
	return 0;
}

/* Key by key, for maps and kernels without batches. What changes meanwhile may show twice or not at all. */
static int dump_singly(struct dump *dump)
{
	uint8_t *last = NULL;

	while (dump->count < dump->entries_max) {
		int error = make_room(dump, dump->count == dump->room ? BATCH_ENTRIES_MIN : 1);

		if (error)
			return error;
		if (dump->count)
			last = dump->keys + (size_t)(dump->count - 1) * dump->key_bytes;
		uint8_t *key = dump->keys + (size_t)dump->count * dump->key_bytes;

		error = bpf_map_get_next_key(dump->fd, last, key);
		if (error)
			return error == -ENOENT ? 0 : error;
		error = bpf_map_lookup_elem(dump->fd, key, dump->values + (size_t)dump->count * dump->value_bytes);
		/* Gone since: begin again from here would need its key, so it counts as the end. */
		if (error)
			return error == -ENOENT ? 0 : error;
		dump->count++;
	}
	return 0;
}

static int dump_in_batches(struct dump *dump)
{
	/* Where the next batch starts: a bucket or an index, or in some maps a key. */
	uint8_t cursor[64] = {};
	uint32_t batch = BATCH_BYTES / dump->value_bytes;
	bool first = true;
	int error = 0;

	batch = batch < BATCH_ENTRIES_MIN ? BATCH_ENTRIES_MIN : batch > BATCH_ENTRIES_MAX ? BATCH_ENTRIES_MAX : batch;
	/* The last batch says ENOENT. */
	while (!error) {
		uint32_t count = batch;

		error = make_room(dump, batch);
		if (error)
			return error;
		error = bpf_map_lookup_batch(dump->fd, first ? NULL : cursor, cursor,
					     dump->keys + (size_t)dump->count * dump->key_bytes,
					     dump->values + (size_t)dump->count * dump->value_bytes, &count, NULL);
		/* A bucket holds more than a batch: nothing of it was read. */
		if (error == -ENOSPC && batch < dump->entries_max) {
			batch *= 2;
			error = 0;
			continue;
		}
		if (error && error != -ENOENT)
			return error;
		dump->count += count;
		first = false;
	}
	return 0;
}

/* bpfEntries(fd, keyBytes, valueBytes, entriesMax): {count, keys, values}; valueBytes is what one key has in all. */
static napi_value entries(napi_env env, napi_callback_info info)
{
	napi_value arguments[4], result;
	int32_t numbers[4];

	futago_bpf_arguments(env, info, 4, arguments);
	for (int i = 0; i < 4; i++)
		if (!futago_bpf_integer(env, arguments[i], &numbers[i]))
			return NULL;
	struct dump dump = {
		.fd = numbers[0], .key_bytes = numbers[1], .value_bytes = numbers[2], .entries_max = numbers[3],
	};
	int error = dump_in_batches(&dump);

	if (error == -EOPNOTSUPP || error == -524 || error == -EINVAL) {
		dump.count = 0;
		error = dump_singly(&dump);
	}
	if (error) {
		futago_throw_bpf(env, error, "bpf(BPF_MAP_LOOKUP_BATCH)");
		result = NULL;
	} else {
		napi_create_object(env, &result);
		futago_bpf_set_number(env, result, "count", dump.count);
		set_bytes(env, result, "keys", dump.keys, (size_t)dump.count * dump.key_bytes);
		set_bytes(env, result, "values", dump.values, (size_t)dump.count * dump.value_bytes);
	}
	free(dump.keys);
	free(dump.values);
	return result;
}

static void unmap(napi_env env, void *data, void *hint)
{
	(void)env;
	munmap(data, (size_t)hint);
}

/* bpfMemory(fd, length): the map's own memory as an ArrayBuffer. */
static napi_value memory(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], buffer;
	int32_t fd, length;

	futago_bpf_arguments(env, info, 2, arguments);
	if (!futago_bpf_integer(env, arguments[0], &fd) || !futago_bpf_integer(env, arguments[1], &length))
		return NULL;
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED) {
		futago_throw_errno(env, errno, "mmap");
		return NULL;
	}
	if (napi_create_external_arraybuffer(env, at, length, unmap, (void *)(size_t)length, &buffer) != napi_ok) {
		munmap(at, length);
		futago_throw_errno(env, ENOMEM, "mmap");
		return NULL;
	}
	return buffer;
}

/* bpfTestRun(fd, input, repeat, ifindex): {verdict, output, nanosPerRun}; ifindex 0 is the loopback device, XDP only. */
static napi_value test_run(napi_env env, napi_callback_info info)
{
	napi_value arguments[4], result;
	int32_t fd, repeat, ifindex;
	struct bytes input;

	futago_bpf_arguments(env, info, 4, arguments);
	if (!futago_bpf_integer(env, arguments[0], &fd) ||
	    !futago_get_bytes(env, arguments[1], &input.at, &input.length) ||
	    !futago_bpf_integer(env, arguments[2], &repeat) || !futago_bpf_integer(env, arguments[3], &ifindex))
		return NULL;
	struct xdp_md context = { .data_end = input.length, .ingress_ifindex = ifindex };
	uint8_t *output = malloc(input.length + OUTPUT_ROOM);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = input.at, .data_size_in = input.length, .data_out = output,
		    .data_size_out = input.length + OUTPUT_ROOM, .repeat = repeat);

	if (ifindex) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	int error = output ? bpf_prog_test_run_opts(fd, &options) : -ENOMEM;

	if (error) {
		free(output);
		futago_throw_bpf(env, error, "bpf(BPF_PROG_TEST_RUN)");
		return NULL;
	}
	napi_create_object(env, &result);
	futago_bpf_set_number(env, result, "verdict", options.retval);
	futago_bpf_set_number(env, result, "nanosPerRun", options.duration);
	set_bytes(env, result, "output", output, options.data_size_out);
	free(output);
	return result;
}

void futago_register_bpf_map(napi_env env, napi_value exports)
{
	futago_export(env, exports, "bpfLookup", lookup);
	futago_export(env, exports, "bpfUpdate", update);
	futago_export(env, exports, "bpfDelete", delete_entry);
	futago_export(env, exports, "bpfEntries", entries);
	futago_export(env, exports, "bpfMemory", memory);
	futago_export(env, exports, "bpfTestRun", test_run);
}
