/* SPDX-License-Identifier: Apache-2.0 */
#include "beat.h"

#include <sodium.h>
#include <string.h>

const char *const beat_refusal_names[BEAT_REFUSALS] = {
	[BEAT_OK] = "accepted",
	[BEAT_TOO_SHORT] = "too-short",
	[BEAT_BAD_LENGTH] = "bad-length",
	[BEAT_BAD_MAGIC] = "bad-magic",
	[BEAT_BAD_VERSION] = "bad-version",
	[BEAT_BAD_TYPE] = "bad-type",
	[BEAT_BAD_GROUP_COUNT] = "bad-group-count",
	[BEAT_BAD_MAC] = "bad-mac",
	[BEAT_BAD_GROUP_STATE] = "bad-group-state",
	[BEAT_BAD_TIMING] = "bad-timing",
	[BEAT_OWN_BOX] = "own-box",
	[BEAT_OTHER_PATH] = "other-path",
	[BEAT_NOT_LINK_LOCAL] = "not-link-local",
	[BEAT_HOP_LIMIT] = "hop-limit",
	[BEAT_OTHER_BOOT] = "other-boot",
	[BEAT_UNPROVEN] = "unproven",
	[BEAT_REPLAYED] = "replayed",
};

/* A dead time outside these bounds is nonsense: 5 ms to 60 s. */
#define DEAD_MICROS_MIN 5000u
#define DEAD_MICROS_MAX 60000000u

static uint8_t *put(uint8_t *at, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*at++ = (uint8_t)(value >> (8 * i));
	return at;
}

static uint64_t get(const uint8_t **at, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | *(*at)++;
	return value;
}

static void sign(const uint8_t *bytes, size_t length, const uint8_t *key, uint8_t mac[BEAT_MAC_BYTES])
{
	uint8_t whole[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256(whole, bytes, length, key);
	memcpy(mac, whole, BEAT_MAC_BYTES);
}

size_t beat_encode(const struct beat *beat, const uint8_t key[BEAT_KEY_BYTES], uint8_t *out)
{
	size_t signed_length = BEAT_HEADER_BYTES + (size_t)beat->group_count * BEAT_GROUP_BYTES;
	uint8_t *at = out;

	at = put(at, 'F', 1);
	at = put(at, 'T', 1);
	at = put(at, BEAT_VERSION, 1);
	at = put(at, beat->type, 1);
	at = put(at, signed_length + BEAT_MAC_BYTES, 2);
	at = put(at, beat->group_count, 1);
	at = put(at, beat->box, 1);
	at = put(at, beat->path_id, 4);
	at = put(at, beat->dead_micros, 4);
	at = put(at, beat->lease_micros, 4);
	at = put(at, beat->wanted_micros, 4);
	at = put(at, beat->nonce, 8);
	at = put(at, beat->peer_nonce, 8);
	at = put(at, beat->sequence, 8);
	at = put(at, beat->newest_heard, 8);
	at = put(at, beat->answers, 8);
	at = put(at, beat->config_id, 8);
	at = put(at, beat->flow_position, 8);
	for (int i = 0; i < beat->group_count; i++) {
		const struct beat_group *group = &beat->groups[i];

		at = put(at, group->id, 4);
		at = put(at, group->state, 1);
		at = put(at, group->health, 1);
		at = put(at, group->preference, 1);
		at = put(at, group->flags, 1);
		at = put(at, group->active_for_millis, 4);
	}
	sign(out, signed_length, key, at);
	return signed_length + BEAT_MAC_BYTES;
}

static enum beat_refusal decode_groups(const uint8_t *at, struct beat *beat)
{
	for (int i = 0; i < beat->group_count; i++) {
		struct beat_group *group = &beat->groups[i];

		group->id = (uint32_t)get(&at, 4);
		group->state = (uint8_t)get(&at, 1);
		group->health = (uint8_t)get(&at, 1);
		group->preference = (uint8_t)get(&at, 1);
		group->flags = (uint8_t)get(&at, 1);
		group->active_for_millis = (uint32_t)get(&at, 4);
		if (group->state >= GROUP_STATES)
			return BEAT_BAD_GROUP_STATE;
	}
	return BEAT_OK;
}

/* The ladder: length before the first read, the form before the MAC, the MAC before any meaning. */
enum beat_refusal beat_decode(const uint8_t *bytes, size_t length, const uint8_t key[BEAT_KEY_BYTES], struct beat *beat)
{
	const uint8_t *at = bytes + 2;
	struct beat read = { 0 };
	enum beat_refusal refusal;
	uint8_t mac[BEAT_MAC_BYTES];

	if (length < BEAT_HEADER_BYTES + BEAT_MAC_BYTES)
		return BEAT_TOO_SHORT;
	if (bytes[0] != 'F' || bytes[1] != 'T')
		return BEAT_BAD_MAGIC;
	if (get(&at, 1) != BEAT_VERSION)
		return BEAT_BAD_VERSION;
	read.type = (uint8_t)get(&at, 1);
	if (read.type < BEAT_TYPE_BEAT || read.type > BEAT_TYPE_RELEASE)
		return BEAT_BAD_TYPE;
	if (get(&at, 2) != length)
		return BEAT_BAD_LENGTH;
	read.group_count = (uint8_t)get(&at, 1);
	if (read.group_count > BEAT_GROUPS_MAX ||
	    length != BEAT_HEADER_BYTES + (size_t)read.group_count * BEAT_GROUP_BYTES + BEAT_MAC_BYTES)
		return BEAT_BAD_GROUP_COUNT;
	sign(bytes, length - BEAT_MAC_BYTES, key, mac);
	if (sodium_memcmp(mac, bytes + length - BEAT_MAC_BYTES, BEAT_MAC_BYTES) != 0)
		return BEAT_BAD_MAC;
	read.box = (uint8_t)get(&at, 1);
	read.path_id = (uint32_t)get(&at, 4);
	read.dead_micros = (uint32_t)get(&at, 4);
	read.lease_micros = (uint32_t)get(&at, 4);
	read.wanted_micros = (uint32_t)get(&at, 4);
	read.nonce = get(&at, 8);
	read.peer_nonce = get(&at, 8);
	read.sequence = get(&at, 8);
	read.newest_heard = get(&at, 8);
	read.answers = get(&at, 8);
	read.config_id = get(&at, 8);
	read.flow_position = get(&at, 8);
	refusal = decode_groups(at, &read);
	if (refusal != BEAT_OK)
		return refusal;
	if (read.dead_micros < DEAD_MICROS_MIN || read.dead_micros > DEAD_MICROS_MAX ||
	    read.wanted_micros < DEAD_MICROS_MIN || read.wanted_micros > DEAD_MICROS_MAX ||
	    read.lease_micros > DEAD_MICROS_MAX || read.nonce == 0)
		return BEAT_BAD_TIMING;
	*beat = read;
	return BEAT_OK;
}
