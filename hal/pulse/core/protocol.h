/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sentinel and pulse say to each other over their socket pair. Both run on one machine, so numbers are in its
 * own byte order, which is little-endian on every machine we ship for. Twin: hal/pulse/protocol.ts.
 */
#ifndef FUTAGO_PULSE_PROTOCOL_H
#define FUTAGO_PULSE_PROTOCOL_H

#include <stdint.h>

#define PULSE_PROTOCOL_VERSION 1
#define PULSE_MESSAGE_MAX (1u << 20)

enum pulse_plan {
	PULSE_PLAN_TAKE_OVER = 1,
	PULSE_PLAN_RELEASE = 2,
};

enum pulse_reason {
	PULSE_REASON_NONE = 0,
	PULSE_REASON_SILENCE = 1,   /* the peer was silent on every path for a dead time */
	PULSE_REASON_RELEASED = 2,  /* the peer let go */
	PULSE_REASON_HANDOVER = 3,  /* planned: the peer yielded, or we did */
	PULSE_REASON_ORDER = 4,     /* the sentinel said so */
	PULSE_REASON_REFUSED = 5,   /* the peer did not take what we yielded */
	PULSE_REASON_SENTINEL = 6,  /* the sentinel is gone or stopped petting */
	PULSE_REASON_ACKNOWLEDGED = 7, /* the peer hears us again and holds nothing */
	PULSE_REASON_SHUTDOWN = 8,
	PULSE_REASON_TAKEN = 9, /* both held it, and this box is the one to let go */
};

/* Every message in either direction: header, then `length` bytes of payload. */
struct pulse_command_header {
	uint32_t length;
	uint8_t kind;
	uint8_t group;
	uint8_t argument;
	uint8_t reserved;
};

enum pulse_command_kind {
	PULSE_CONFIGURE = 1, /* struct pulse_configure, then paths */
	PULSE_PET = 2,
	PULSE_PLAN = 3,      /* argument: enum pulse_plan; payload: operations */
	PULSE_GROUP = 4,     /* struct pulse_group_order */
	PULSE_ACT = 5,       /* argument: enum pulse_act; payload: u8 reason */
	PULSE_TIMING = 6,    /* struct pulse_timing */
	PULSE_WITNESS = 7,   /* u64: send time of the newest probe that a witness answered */
	PULSE_FORGET = 8,    /* the group is no more */
	PULSE_QUIT = 9,      /* release everything and exit */
};

enum pulse_act {
	PULSE_ACT_TAKE_OVER = 1,
	PULSE_ACT_RELEASE = 2,
	PULSE_ACT_OFFER = 3, /* active: ask the peer to take over */
	PULSE_ACT_READY = 4, /* standby: take over when the peer yields */
	PULSE_ACT_KEEP = 5,  /* withdraw an offer or a readiness */
};

struct pulse_configure {
	uint8_t key[32];
	uint8_t other_key[32]; /* believed, too, and never signed with: while a pair changes its key */
	uint64_t config_id;
	uint8_t box;
	uint8_t safety;
	uint8_t path_count;
	uint8_t reserved;
	uint16_t port;
	uint16_t reserved2;
	/* path_count times struct pulse_path_order */
} __attribute__((packed));

struct pulse_path_order {
	uint32_t ifindex;
	uint32_t id;
} __attribute__((packed));

struct pulse_group_order {
	uint32_t id;
	uint8_t idle_state;
	uint8_t armed;
	uint8_t health;
	uint8_t preference;
	uint8_t asks;
	uint8_t reserved[3];
} __attribute__((packed));

struct pulse_timing {
	uint32_t dead;
	uint32_t lease;
	uint32_t beat;
	uint32_t wanted;
} __attribute__((packed));

/* One operation of a plan: header, then `length` bytes. */
struct pulse_operation {
	uint32_t length;
	uint32_t kind;    /* enum pulse_operation_kind */
	uint32_t ifindex; /* for frames */
} __attribute__((packed));

enum pulse_operation_kind {
	PULSE_OPERATION_NETLINK = 1,
	PULSE_OPERATION_FRAME = 2,
};

enum pulse_report_kind {
	PULSE_REPORT_SNAPSHOT = 1, /* struct pulse_snapshot */
	PULSE_REPORT_EXECUTED = 2, /* struct pulse_executed; argument: plan */
	PULSE_REPORT_LAPSED = 3,   /* struct pulse_moment */
	PULSE_REPORT_GRANTED = 4,  /* struct pulse_moment; argument: reason */
	PULSE_REPORT_RESUMED = 5,  /* struct pulse_moment; argument: reason */
	PULSE_REPORT_YIELDED = 6,  /* struct pulse_moment */
	PULSE_REPORT_SILENCE = 7,  /* struct pulse_moment: a beat of the peer is missing */
	PULSE_REPORT_HELLO = 8,    /* u32 protocol version, u64 nonce */
};

struct pulse_moment {
	uint64_t at;
} __attribute__((packed));

struct pulse_heard {
	uint32_t id;
	uint64_t at; /* 0: never, or no such path */
} __attribute__((packed));

struct pulse_executed {
	uint64_t heard_at;
	uint64_t decided_at;
	uint64_t done_at;
	uint16_t errors;
	uint16_t first_errno;
	uint8_t reason;
	uint8_t reserved[3];
	struct pulse_heard paths[8]; /* each path's newest beat */
} __attribute__((packed));

struct pulse_snapshot_path {
	uint32_t id;
	uint32_t ifindex;
	uint32_t rtt_micros;
	uint8_t alive;
	uint8_t used;
	uint16_t beats; /* heard since the snapshot before */
	uint64_t heard_at;
	uint8_t peer_address[16]; /* filled by the program, zero in the core */
	uint32_t pause_micros;	  /* the longest that a beat ended since the snapshot before */
} __attribute__((packed));

struct pulse_snapshot_group {
	uint32_t id;
	uint8_t used;
	uint8_t state;
	uint8_t lapsed;
	uint8_t peer_present;
	uint8_t peer_state;
	uint8_t peer_health;
	uint8_t peer_preference;
	uint8_t bits;
	uint64_t active_since;
	uint64_t lease_until;
	uint32_t peer_active_for_millis;
	uint8_t peer_flags;
	uint8_t reserved[3];
} __attribute__((packed));

#define PULSE_LATENESS_BUCKETS 24
#define PULSE_COUNTERS 24

struct pulse_snapshot {
	uint64_t at;
	uint64_t heard_at;
	uint64_t acked_sent_at;
	uint64_t peer_nonce;
	uint64_t peer_config_id;
	uint32_t peer_dead;
	uint32_t peer_lease;
	uint32_t peer_wanted;
	uint8_t peer_alive;
	uint8_t peer_hears; /* the peer acknowledged a beat sent within the last dead time */
	uint16_t reserved;
	uint64_t lapses;
	uint64_t lateness[PULSE_LATENESS_BUCKETS];
	uint64_t counters[PULSE_COUNTERS];
	struct pulse_snapshot_path paths[8];
	struct pulse_snapshot_group groups[16];
} __attribute__((packed));

#endif
