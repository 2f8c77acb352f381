/* Many entries of a BPF map in one call: slices of a table, and entries put, read and taken away by the thousand. bpf(2). */
#define _GNU_SOURCE
#include "bpf.h"
#include "socket.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

/* Where the next slice of any kind of map starts fits in this. */
#define CURSOR_BYTES 64

struct bytes {
	uint8_t *at;
	size_t length;
};

/* The entries of a call, end to end, and one byte for the outcome of each. */
struct entries {
	int32_t fd;
	int32_t key_bytes;
	int32_t value_bytes;
	struct bytes keys;
	struct bytes values;
	struct bytes outcomes;
	uint32_t count;
};

static bool throw_sizes(napi_env env)
{
	napi_throw_range_error(env, NULL, "keys, values and outcomes do not belong together");
	return false;
}

/* (fd, keyBytes, valueBytes, keys, values, outcomes) */
static bool read_entries(napi_env env, napi_callback_info info, struct entries *entries)
{
	napi_value arguments[6];

	futago_bpf_arguments(env, info, 6, arguments);
	if (!futago_bpf_integer(env, arguments[0], &entries->fd) ||
	    !futago_bpf_integer(env, arguments[1], &entries->key_bytes) ||
	    !futago_bpf_integer(env, arguments[2], &entries->value_bytes) ||
	    !futago_get_bytes(env, arguments[3], &entries->keys.at, &entries->keys.length) ||
	    !futago_get_bytes(env, arguments[4], &entries->values.at, &entries->values.length) ||
	    !futago_get_bytes(env, arguments[5], &entries->outcomes.at, &entries->outcomes.length))
		return false;
	entries->count = entries->outcomes.length;
	if (entries->key_bytes <= 0 || entries->value_bytes <= 0 ||
	    entries->keys.length != (size_t)entries->count * entries->key_bytes ||
	    entries->values.length != (size_t)entries->count * entries->value_bytes)
		return throw_sizes(env);
	return true;
}

static uint8_t *key_at(const struct entries *entries, uint32_t i)
{
	return entries->keys.at + (size_t)i * entries->key_bytes;
}

static uint8_t *value_at(const struct entries *entries, uint32_t i)
{
	return entries->values.at + (size_t)i * entries->value_bytes;
}

static uint8_t outcome(int error)
{
	int code = error < 0 ? -error : error;

	return code > UINT8_MAX ? UINT8_MAX : code;
}

/* bpfInsertMany(...): each entry unless its key is there; outcomes are errno's, EEXIST among them. */
static napi_value insert_many(napi_env env, napi_callback_info info)
{
	struct entries entries;

	if (!read_entries(env, info, &entries))
		return NULL;
	for (uint32_t i = 0; i < entries.count; i++) {
		int error = bpf_map_update_elem(entries.fd, key_at(&entries, i), value_at(&entries, i), BPF_NOEXIST);

		entries.outcomes.at[i] = outcome(error);
	}
	return NULL;
}

/* bpfUpdateMany(...): each entry; the kernel stops a batch at what it refuses, which does not end the call. */
static napi_value update_many(napi_env env, napi_callback_info info)
{
	struct entries entries;
	uint32_t done = 0;

	if (!read_entries(env, info, &entries))
		return NULL;
	memset(entries.outcomes.at, 0, entries.count);
	while (done < entries.count) {
		uint32_t count = entries.count - done;
		int error = bpf_map_update_batch(entries.fd, key_at(&entries, done), value_at(&entries, done), &count, NULL);

		if (!error)
			break;
		/* Refused as a whole, as by a map without batches: then one by one. */
		if (count >= entries.count - done || count == 0) {
			error = bpf_map_update_elem(entries.fd, key_at(&entries, done), value_at(&entries, done), BPF_ANY);
			count = 0;
		}
		done += count;
		entries.outcomes.at[done] = outcome(error);
		done++;
	}
	return NULL;
}

/* bpfLookupMany(...): writes the values of the entries that are there; outcomes are errno's. */
static napi_value lookup_many(napi_env env, napi_callback_info info)
{
	struct entries entries;

	if (!read_entries(env, info, &entries))
		return NULL;
	for (uint32_t i = 0; i < entries.count; i++)
		entries.outcomes.at[i] = outcome(bpf_map_lookup_elem(entries.fd, key_at(&entries, i), value_at(&entries, i)));
	return NULL;
}

/* bpfDeleteMany(fd, keyBytes, keys, outcomes) */
static napi_value delete_many(napi_env env, napi_callback_info info)
{
	struct bytes keys, outcomes;
	napi_value arguments[4];
	int32_t fd, key_bytes;

	futago_bpf_arguments(env, info, 4, arguments);
	if (!futago_bpf_integer(env, arguments[0], &fd) || !futago_bpf_integer(env, arguments[1], &key_bytes) ||
	    !futago_get_bytes(env, arguments[2], &keys.at, &keys.length) ||
	    !futago_get_bytes(env, arguments[3], &outcomes.at, &outcomes.length))
		return NULL;
	if (key_bytes <= 0 || keys.length != outcomes.length * key_bytes) {
		throw_sizes(env);
		return NULL;
	}
	for (size_t i = 0; i < outcomes.length; i++)
		outcomes.at[i] = outcome(bpf_map_delete_elem(fd, keys.at + i * key_bytes));
	return NULL;
}

static void set_bytes(napi_env env, napi_value object, const char *name, const uint8_t *bytes, size_t length)
{
	uint8_t *into;
	napi_value copy = futago_new_bytes(env, length, &into);

	if (length)
		memcpy(into, bytes, length);
	napi_set_named_property(env, object, name, copy);
}

struct slice {
	uint8_t cursor[CURSOR_BYTES];
	uint8_t *keys;
	uint8_t *values;
	uint32_t count;
	bool last;
};

/* A bucket that holds more than `count` needs more room: nothing of it was read. */
static int read_slice(struct slice *slice, const int32_t *numbers, const uint8_t *from)
{
	uint32_t room = numbers[3];
	int error;

	do {
		free(slice->keys);
		free(slice->values);
		slice->keys = malloc((size_t)room * numbers[1]);
		slice->values = malloc((size_t)room * numbers[2]);
		slice->count = room;
		if (!slice->keys || !slice->values)
			return -ENOMEM;
		error = bpf_map_lookup_batch(numbers[0], (void *)from, slice->cursor, slice->keys, slice->values,
					     &slice->count, NULL);
		room *= 2;
	} while (error == -ENOSPC && room < 1u << 20);
	slice->last = error == -ENOENT;
	return slice->last ? 0 : error;
}

/*
 * bpfSlice(fd, keyBytes, valueBytes, count, cursor): {keys, values, cursor}; an empty cursor begins, and an empty one
 * comes back after the last. What is there all the while is in exactly one slice.
 */
static napi_value read_one_slice(napi_env env, napi_callback_info info)
{
	napi_value arguments[5], result = NULL;
	struct slice slice = {};
	struct bytes cursor;
	int32_t numbers[4];

	futago_bpf_arguments(env, info, 5, arguments);
	for (int i = 0; i < 4; i++)
		if (!futago_bpf_integer(env, arguments[i], &numbers[i]))
			return NULL;
	if (!futago_get_bytes(env, arguments[4], &cursor.at, &cursor.length))
		return NULL;
	if (numbers[1] <= 0 || numbers[2] <= 0 || numbers[3] <= 0 || (cursor.length && cursor.length != CURSOR_BYTES)) {
		throw_sizes(env);
		return NULL;
	}
	if (cursor.length)
		memcpy(slice.cursor, cursor.at, CURSOR_BYTES);
	int error = read_slice(&slice, numbers, cursor.length ? slice.cursor : NULL);

	if (error) {
		futago_throw_bpf(env, error, "bpf(BPF_MAP_LOOKUP_BATCH)");
	} else {
		napi_create_object(env, &result);
		set_bytes(env, result, "keys", slice.keys, (size_t)slice.count * numbers[1]);
		set_bytes(env, result, "values", slice.values, (size_t)slice.count * numbers[2]);
		set_bytes(env, result, "cursor", slice.cursor, slice.last ? 0 : CURSOR_BYTES);
	}
	free(slice.keys);
	free(slice.values);
	return result;
}

void futago_register_bpf_batch(napi_env env, napi_value exports)
{
	futago_export(env, exports, "bpfInsertMany", insert_many);
	futago_export(env, exports, "bpfUpdateMany", update_many);
	futago_export(env, exports, "bpfLookupMany", lookup_many);
	futago_export(env, exports, "bpfDeleteMany", delete_many);
	futago_export(env, exports, "bpfSlice", read_one_slice);
}
