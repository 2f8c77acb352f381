/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heartbeat on the wire: one UDP datagram, big-endian, authenticated as a whole.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+---------------+---------------+
 *  |      'F'      |      'T'      |    version    |     type      |   0
 *  +---------------+---------------+---------------+---------------+
 *  |             length            |  group count  |      box      |   4
 *  +-------------------------------+---------------+---------------+
 *  |                            path id                            |   8
 *  +---------------------------------------------------------------+
 *  |                       dead time in force                      |  12  microseconds
 *  +---------------------------------------------------------------+
 *  |                       lease time in force                     |  16  microseconds
 *  +---------------------------------------------------------------+
 *  |                        dead time wanted                       |  20  microseconds
 *  +---------------------------------------------------------------+
 *  |                    sender's boot nonce (8)                    |  24
 *  |            receiver's boot nonce, 0 if unknown (8)            |  32
 *  |                          sequence (8)                         |  40
 *  |         newest sequence heard from the receiver (8)           |  48
 *  |          the sequence that this ack answers, or 0 (8)         |  56
 *  |                    configuration id (8)                       |  64
 *  |                   flow-table position (8)                     |  72
 *  +---------------+---------------+---------------+---------------+
 *  |                            group id                           |  80  first of `group count` records
 *  +---------------+---------------+---------------+---------------+
 *  |     state     |     health    |   preference  |     flags     |
 *  +---------------+---------------+---------------+---------------+
 *  |                    active for, milliseconds                   |
 *  +---------------------------------------------------------------+
 *  |     HMAC-SHA-256 over all of the above, first 16 bytes        |
 *  +---------------------------------------------------------------+
 *
 * docs/wire/heartbeat.md says what each field means and how a receiver judges it.
 */
#ifndef FUTAGO_BEAT_H
#define FUTAGO_BEAT_H

#include <stddef.h>
#include <stdint.h>

#define BEAT_VERSION 1
#define BEAT_GROUPS_MAX 16
#define BEAT_KEY_BYTES 32
#define BEAT_MAC_BYTES 16
#define BEAT_HEADER_BYTES 80
#define BEAT_GROUP_BYTES 12
#define BEAT_BYTES_MAX (BEAT_HEADER_BYTES + BEAT_GROUPS_MAX * BEAT_GROUP_BYTES + BEAT_MAC_BYTES)

enum beat_type {
	BEAT_TYPE_BEAT = 1,
	/* The immediate answer to a beat or a release; itself never answered. */
	BEAT_TYPE_ACK = 2,
	/* The sender has let go of every group that it does not name as held. */
	BEAT_TYPE_RELEASE = 3,
};

/* How a box stands to a failover group, as it tells its peer. */
enum group_state {
	GROUP_INITIALIZE = 0, /* booted, may not hold a role yet */
	GROUP_STANDBY = 1,
	GROUP_ACTIVE = 2,
	GROUP_OFFERING = 3, /* active, asks the peer to take over */
	GROUP_READY = 4,    /* standby, will take over the moment the peer yields, or agrees that nobody holds the group */
	GROUP_YIELDED = 5,  /* no longer answers, still forwards */
	GROUP_FAULT = 6,    /* cannot or must not hold the role */
	GROUP_STATES
};

/* The standby asks the active to hand over: somebody ordered it there. */
#define BEAT_GROUP_ASKS 1u
/* The sender holds the group but its lease has lapsed: it is silent. */
#define BEAT_GROUP_LAPSED 2u

struct beat_group {
	uint32_t id;
	uint8_t state;
	uint8_t health;
	uint8_t preference;
	uint8_t flags;
	uint32_t active_for_millis;
};

struct beat {
	uint8_t type;
	uint8_t box;
	uint8_t group_count;
	uint32_t path_id;
	uint32_t dead_micros;
	uint32_t lease_micros;
	uint32_t wanted_micros;
	uint64_t nonce;
	uint64_t peer_nonce;
	uint64_t sequence;
	uint64_t newest_heard;
	uint64_t answers;
	uint64_t config_id;
	uint64_t flow_position;
	struct beat_group groups[BEAT_GROUPS_MAX];
};

/* Why a datagram was refused; each has a counter of this name. Keep BEAT_REFUSAL_NAMES in step. */
enum beat_refusal {
	BEAT_OK = 0,
	BEAT_TOO_SHORT,
	BEAT_BAD_LENGTH,
	BEAT_BAD_MAGIC,
	BEAT_BAD_VERSION,
	BEAT_BAD_TYPE,
	BEAT_BAD_GROUP_COUNT,
	BEAT_BAD_MAC,
	BEAT_BAD_GROUP_STATE,
	BEAT_BAD_TIMING,
	/* The ones below are judged by the receiver, not by the codec. */
	BEAT_OWN_BOX,
	BEAT_OTHER_PATH,
	BEAT_NOT_LINK_LOCAL,
	BEAT_HOP_LIMIT,
	BEAT_OTHER_BOOT,
	BEAT_UNPROVEN,
	BEAT_REPLAYED,
	BEAT_REFUSALS
};

extern const char *const beat_refusal_names[BEAT_REFUSALS];

/* Returns the number of bytes written; `out` holds at least BEAT_BYTES_MAX. */
size_t beat_encode(const struct beat *beat, const uint8_t key[BEAT_KEY_BYTES], uint8_t *out);

/* Never reads past `length`; fills `beat` only when it returns BEAT_OK. */
enum beat_refusal beat_decode(const uint8_t *bytes, size_t length, const uint8_t key[BEAT_KEY_BYTES], struct beat *beat);

#endif
