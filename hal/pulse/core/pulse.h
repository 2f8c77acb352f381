/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of pulse that decides nothing new: it carries liveness, leases and prepared plans, and it does so without a
 * system call, a clock or an allocation on the timing path. Time comes in as CLOCK_BOOTTIME microseconds; what must
 * happen goes out through struct pulse_io. The pulse program (../main.c) drives it with sockets and timers, the
 * simulator (test/sim) drives the very same code through the addon.
 *
 * Rules (docs/standby.md explains them):
 *   - A lease lasts from the send time of the newest beat that the peer acknowledged. A lapsed lease is never renewed.
 *   - Whoever calls pulse_tick() has drained the sockets before: a deadline is believed only after that.
 *   - A box that was itself late gives the peer two more beats before it believes a silence.
 */
#ifndef FUTAGO_PULSE_H
#define FUTAGO_PULSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "beat.h"
#include "lateness.h"
#include "protocol.h"

#define PULSE_PATHS_MAX 8
#define PULSE_GROUPS_MAX BEAT_GROUPS_MAX
#define PULSE_SENT_RING 4096

/* Twin of the value of the BPF map futago_groups (hal/xdp/structs.h). */
struct pulse_gate {
	uint64_t lease_until_nanos;
	uint32_t bits;
	uint32_t reserved;
};

#define PULSE_ANSWER 1u
#define PULSE_FORWARD 2u

struct pulse_path {
	bool used;
	uint32_t ifindex;
	uint32_t id;
	uint64_t heard_at;
	uint64_t newest_sequence;
	uint32_t rtt_micros;
	bool alive;
	uint64_t alive_since;
	/* Since the last snapshot. */
	uint16_t beats;
	uint32_t pause_micros;
};

struct pulse_group {
	bool used;
	uint32_t id;
	uint8_t state;
	/* What the group falls back to when it is not held: INITIALIZE, STANDBY or FAULT. */
	uint8_t idle_state;
	bool armed;
	uint8_t health;
	uint8_t preference;
	bool asks;
	uint64_t active_since;
	uint64_t lease_until;
	bool lapsed;
	uint64_t lapsed_at;
	/* READY because nobody holds the group, not because the peer offered it. */
	bool electing;
	/* The first sequence that said ACTIVE: who acknowledges it knows that this box holds the group. */
	uint64_t active_sequence;
	/* The first sequence that said READY. */
	uint64_t ready_sequence;
	uint64_t yield_sequence;
	uint64_t finish_at;
	bool peer_present;
	struct beat_group peer;
};

struct pulse;

struct pulse_io {
	void *context;
	/* Sends a beat on one path. */
	void (*send)(void *context, int path, const struct beat *beat);
	/* Carries out the plan prepared for this group; fills errors (count) and first_errno. */
	void (*run_plan)(void *context, int group, enum pulse_plan plan, uint16_t *errors, uint16_t *first_errno);
	/* A report for the sentinel: protocol.h. */
	void (*report)(void *context, const void *bytes, size_t length);
	/* The present time, for the duration of plans only. */
	uint64_t (*now)(void *context);
};

struct pulse_sent {
	uint64_t sequence;
	uint64_t at;
};

struct pulse {
	struct pulse_io io;
	struct pulse_gate *gate;
	bool configured;
	uint8_t box;
	bool safety;
	bool dying;
	uint64_t nonce;
	uint64_t config_id;
	uint64_t flow_position;
	uint32_t dead;
	uint32_t lease;
	uint32_t beat;
	uint32_t wanted;
	uint64_t witness_at;

	uint64_t sequence;
	struct pulse_sent sent[PULSE_SENT_RING];

	uint64_t peer_nonce;
	/* Earlier starts of the peer. */
	struct {
		uint64_t nonce;
		uint64_t at;
	} retired[8];
	unsigned retired_next;
	uint64_t newest_heard;
	uint64_t heard_at;
	uint64_t acked_sequence;
	uint64_t acked_sent_at;
	uint64_t peer_config_id;
	uint32_t peer_dead;
	uint32_t peer_lease;
	uint32_t peer_wanted;
	bool peer_alive;
	/* It said that it ends. Nothing of this life of it follows, whatever a cable still delivers late. */
	bool peer_gone;
	bool silence_reported;

	uint64_t next_tick;
	uint64_t looked_at;
	/* The next tick is due at once. */
	bool look_now;
	uint64_t patience_until;
	uint64_t pet_at;
	bool changed;
	bool told_peer_hears;
	uint64_t snapshot_at;
	struct lateness lateness;
	uint64_t counters[BEAT_REFUSALS];
	uint64_t lapses;

	struct pulse_path paths[PULSE_PATHS_MAX];
	struct pulse_group groups[PULSE_GROUPS_MAX];
};

/* `gate` has PULSE_GROUPS_MAX elements; `nonce` is random and not zero. */
void pulse_init(struct pulse *p, const struct pulse_io *io, struct pulse_gate *gate, uint64_t nonce, uint64_t now);

/* One command of the sentinel. False: malformed, nothing was done. */
bool pulse_command(struct pulse *p, const struct pulse_command_header *header, const uint8_t *payload, uint64_t now);

/* Judges and uses one decoded beat. */
enum beat_refusal pulse_receive(struct pulse *p, int path, const struct beat *beat, uint64_t now);

/* Counts a datagram that the codec or the socket refused. */
void pulse_refused(struct pulse *p, enum beat_refusal refusal);

/* Call when the time is pulse_next() or later, after every socket was drained: a beat is due, or a lease ends soon. */
void pulse_tick(struct pulse *p, uint64_t now);

/* When pulse_tick() is due. */
uint64_t pulse_next(const struct pulse *p);

/* Lets go of everything and says so to the peer: the sentinel is gone, or the box shuts down. */
void pulse_release_all(struct pulse *p, enum pulse_reason reason, uint64_t now);

/* Sends a snapshot when something changed since the last one. Call at the end of each wake-up. */
void pulse_flush(struct pulse *p, uint64_t now);

/* Between the files of the core only. */
void pulse_take_over(struct pulse *p, int group, enum pulse_reason reason, uint64_t now);
void pulse_let_go(struct pulse *p, int group, enum pulse_reason reason, uint64_t now);
void pulse_yield(struct pulse *p, int group, uint64_t now);
void pulse_resume(struct pulse *p, int group, enum pulse_reason reason, uint64_t now);
void pulse_judge_group(struct pulse *p, int group, const struct beat_group *before, uint64_t acknowledged, uint64_t now);
void pulse_note_lapses(struct pulse *p, uint64_t now);
void pulse_renew(struct pulse *p, uint64_t now);
uint64_t pulse_silence_look(const struct pulse *p);
void pulse_watch_silence(struct pulse *p, uint64_t now);
bool pulse_silent(const struct pulse *p, uint64_t now);
bool pulse_word_is_fresh(const struct pulse *p, uint64_t now);
void pulse_send_all(struct pulse *p, enum beat_type type, uint64_t now);
void pulse_report_snapshot(struct pulse *p, uint64_t now);
void pulse_report_group(struct pulse *p, enum pulse_report_kind kind, int group, enum pulse_reason reason, uint64_t at);
bool pulse_peer_holds(const struct pulse *p, const struct pulse_group *group);
bool pulse_holds(const struct pulse_group *group);

#endif
