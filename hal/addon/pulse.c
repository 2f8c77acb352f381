/* The core of pulse for tests and the simulator: the same C code that the pulse program runs, with JavaScript as its world. */
#include "addon.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "pulse/core/pulse.h"

#define OUTBOX_BYTES (256 * 1024)

enum outbox_kind { OUTBOX_SEND = 1, OUTBOX_PLAN = 2, OUTBOX_REPORT = 3 };

struct instance {
	struct pulse core;
	struct pulse_gate gate[PULSE_GROUPS_MAX];
	uint64_t now;
	size_t used;
	uint8_t outbox[OUTBOX_BYTES];
};

static void put(struct instance *instance, enum outbox_kind kind, int a, int b, const void *bytes, size_t length)
{
	uint32_t head[2] = { (uint32_t)length, (uint32_t)kind | (uint32_t)a << 8 | (uint32_t)b << 16 };

	if (instance->used + sizeof(head) + length > OUTBOX_BYTES)
		return;
	memcpy(instance->outbox + instance->used, head, sizeof(head));
	if (length > 0)
		memcpy(instance->outbox + instance->used + sizeof(head), bytes, length);
	instance->used += sizeof(head) + length;
}

static void on_send(void *context, int path, const struct beat *beat)
{
	put(context, OUTBOX_SEND, path, 0, beat, sizeof(*beat));
}

static void on_plan(void *context, int group, enum pulse_plan plan, uint16_t *errors, uint16_t *first_errno)
{
	*errors = 0;
	*first_errno = 0;
	put(context, OUTBOX_PLAN, group, plan, NULL, 0);
}

static void on_report(void *context, const void *bytes, size_t length)
{
	put(context, OUTBOX_REPORT, 0, 0, bytes, length);
}

static uint64_t on_now(void *context)
{
	return ((struct instance *)context)->now;
}

static uint64_t number(napi_env env, napi_value value)
{
	double result = 0;

	napi_get_value_double(env, value, &result);
	return (uint64_t)result;
}

static napi_value boolean(napi_env env, bool value)
{
	napi_value result;

	napi_get_boolean(env, value, &result);
	return result;
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	free(data);
}

/* Reads up to four arguments; the first is the instance. */
static struct instance *enter(napi_env env, napi_callback_info info, napi_value arguments[4])
{
	size_t count = 4;
	void *instance = NULL;

	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	if (napi_get_value_external(env, arguments[0], &instance) != napi_ok)
		napi_throw_type_error(env, NULL, "the first argument must be a pulse core");
	return instance;
}

static bool bytes_of(napi_env env, napi_value value, uint8_t **bytes, size_t *length)
{
	napi_typedarray_type type;

	if (napi_get_typedarray_info(env, value, &type, length, (void **)bytes, NULL, NULL) != napi_ok ||
	    type != napi_uint8_array) {
		napi_throw_type_error(env, NULL, "expected a Uint8Array");
		return false;
	}
	return true;
}

/* pulseCreate(nonce, now): an instance. */
static napi_value create(napi_env env, napi_callback_info info)
{
	struct instance *instance = calloc(1, sizeof(*instance));
	size_t count = 2;
	napi_value arguments[2], result;
	struct pulse_io io = { .context = instance, .send = on_send, .run_plan = on_plan, .report = on_report, .now = on_now };

	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	instance->now = number(env, arguments[1]);
	pulse_init(&instance->core, &io, instance->gate, number(env, arguments[0]), instance->now);
	napi_create_external(env, instance, finalize, NULL, &result);
	return result;
}

/* pulseCommand(instance, message, now): false when malformed. Plans are taken as given. */
static napi_value command(napi_env env, napi_callback_info info)
{
	napi_value arguments[4];
	struct instance *instance = enter(env, info, arguments);
	struct pulse_command_header header;
	uint8_t *bytes;
	size_t length;

	if (!instance || !bytes_of(env, arguments[1], &bytes, &length))
		return NULL;
	if (length < sizeof(header))
		return boolean(env, false);
	memcpy(&header, bytes, sizeof(header));
	if (header.length != length - sizeof(header))
		return boolean(env, false);
	instance->now = number(env, arguments[2]);
	if (header.kind == PULSE_PLAN)
		return boolean(env, true);
	return boolean(env, pulse_command(&instance->core, &header, bytes + sizeof(header), instance->now));
}

/* pulseReceive(instance, path, beat struct, now): the refusal, 0 when accepted. */
static napi_value receive(napi_env env, napi_callback_info info)
{
	napi_value arguments[4], result;
	struct instance *instance = enter(env, info, arguments);
	struct beat beat;
	uint8_t *bytes;
	size_t length;

	if (!instance || !bytes_of(env, arguments[2], &bytes, &length))
		return NULL;
	if (length != sizeof(beat)) {
		napi_throw_range_error(env, NULL, "a beat of another size");
		return NULL;
	}
	memcpy(&beat, bytes, sizeof(beat));
	instance->now = number(env, arguments[3]);
	napi_create_uint32(env, pulse_receive(&instance->core, (int)number(env, arguments[1]), &beat, instance->now), &result);
	return result;
}

/* pulseTick(instance, now): ticks when due, then reports; returns when the next tick is due, -1 when the program would end. */
static napi_value tick(napi_env env, napi_callback_info info)
{
	napi_value arguments[4], result;
	struct instance *instance = enter(env, info, arguments);

	if (!instance)
		return NULL;
	instance->now = number(env, arguments[1]);
	if (instance->now >= pulse_next(&instance->core))
		pulse_tick(&instance->core, instance->now);
	pulse_flush(&instance->core, instance->now);
	napi_create_double(env, instance->core.dying ? -1.0 : (double)pulse_next(&instance->core), &result);
	return result;
}

/* pulseReleaseAll(instance, now): what the program does at end of file from the sentinel. */
static napi_value release_all(napi_env env, napi_callback_info info)
{
	napi_value arguments[4];
	struct instance *instance = enter(env, info, arguments);

	if (!instance)
		return NULL;
	instance->now = number(env, arguments[1]);
	pulse_release_all(&instance->core, PULSE_REASON_SENTINEL, instance->now);
	return NULL;
}

/* pulseTake(instance): what came out since the last call: records of u32 length, u8 kind, u8 a, u8 b, u8 0, bytes;
 * undefined when nothing did. */
static napi_value take(napi_env env, napi_callback_info info)
{
	napi_value arguments[4], buffer, result;
	struct instance *instance = enter(env, info, arguments);
	void *bytes;

	if (!instance || instance->used == 0)
		return NULL;
	napi_create_arraybuffer(env, instance->used, &bytes, &buffer);
	memcpy(bytes, instance->outbox, instance->used);
	napi_create_typedarray(env, napi_uint8_array, instance->used, buffer, 0, &result);
	instance->used = 0;
	return result;
}

/* pulseGate(instance, group, now): whether the kernel's gate would let the group answer (1) and forward (2) now. */
static napi_value gate(napi_env env, napi_callback_info info)
{
	napi_value arguments[4], result;
	struct instance *instance = enter(env, info, arguments);
	uint64_t index, now;

	if (!instance)
		return NULL;
	index = number(env, arguments[1]);
	now = number(env, arguments[2]);
	napi_create_uint32(env,
			   index < PULSE_GROUPS_MAX && now * 1000 < instance->gate[index].lease_until_nanos ?
				   instance->gate[index].bits : 0, &result);
	return result;
}

/* beatEncode(beat struct, key): the datagram. */
static napi_value encode(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], buffer, result;
	size_t count = 2, length, key_length;
	uint8_t *bytes, *key, out[BEAT_BYTES_MAX];
	struct beat beat;
	void *copy;

	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	if (!bytes_of(env, arguments[0], &bytes, &length) || !bytes_of(env, arguments[1], &key, &key_length))
		return NULL;
	if (length != sizeof(beat) || key_length != BEAT_KEY_BYTES) {
		napi_throw_range_error(env, NULL, "a beat or a key of another size");
		return NULL;
	}
	memcpy(&beat, bytes, sizeof(beat));
	length = beat_encode(&beat, key, out);
	napi_create_arraybuffer(env, length, &copy, &buffer);
	memcpy(copy, out, length);
	napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &result);
	return result;
}

/* beatDecode(datagram, key): the beat struct, or the refusal's number. */
static napi_value decode(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], buffer, result;
	size_t count = 2, length, key_length;
	uint8_t *bytes, *key;
	enum beat_refusal refusal;
	struct beat beat;
	void *copy;

	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	if (!bytes_of(env, arguments[0], &bytes, &length) || !bytes_of(env, arguments[1], &key, &key_length))
		return NULL;
	if (key_length != BEAT_KEY_BYTES) {
		napi_throw_range_error(env, NULL, "a key has 32 bytes");
		return NULL;
	}
	refusal = beat_decode(bytes, length, key, &beat);
	if (refusal != BEAT_OK) {
		napi_create_uint32(env, refusal, &result);
		return result;
	}
	napi_create_arraybuffer(env, sizeof(beat), &copy, &buffer);
	memcpy(copy, &beat, sizeof(beat));
	napi_create_typedarray(env, napi_uint8_array, sizeof(beat), buffer, 0, &result);
	return result;
}

void futago_register_pulse(napi_env env, napi_value exports)
{
	if (sodium_init() < 0)
		napi_throw_error(env, NULL, "libsodium does not start");
	futago_export(env, exports, "pulseCreate", create);
	futago_export(env, exports, "pulseCommand", command);
	futago_export(env, exports, "pulseReceive", receive);
	futago_export(env, exports, "pulseTick", tick);
	futago_export(env, exports, "pulseReleaseAll", release_all);
	futago_export(env, exports, "pulseTake", take);
	futago_export(env, exports, "pulseGate", gate);
	futago_export(env, exports, "beatEncode", encode);
	futago_export(env, exports, "beatDecode", decode);
}
