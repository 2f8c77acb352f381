/* SPDX-License-Identifier: Apache-2.0 */
/* What the sentinel is told. */
#include "pulse.h"

#include <string.h>

/* Without any change the sentinel hears of us this often. */
#define SNAPSHOT_MICROS 1000000u

void pulse_report_group(struct pulse *p, enum pulse_report_kind kind, int group, enum pulse_reason reason, uint64_t at)
{
	struct {
		struct pulse_command_header header;
		struct pulse_moment moment;
	} __attribute__((packed)) report = {
		.header = { .length = sizeof(struct pulse_moment), .kind = kind, .group = (uint8_t)group, .argument = reason },
		.moment = { .at = at },
	};

	p->changed = true;
	p->io.report(p->io.context, &report, sizeof(report));
}

/* What is counted since the snapshot before begins anew. */
static void snapshot_paths(struct pulse *p, struct pulse_snapshot *snapshot)
{
	for (int i = 0; i < PULSE_PATHS_MAX; i++) {
		struct pulse_path *path = &p->paths[i];

		snapshot->paths[i] = (struct pulse_snapshot_path){
			.id = path->id,
			.ifindex = path->ifindex,
			.rtt_micros = path->rtt_micros,
			.alive = path->alive,
			.used = path->used,
			.beats = path->beats,
			.heard_at = path->heard_at,
			.pause_micros = path->pause_micros,
		};
		path->beats = 0;
		path->pause_micros = 0;
	}
}

static void snapshot_groups(const struct pulse *p, struct pulse_snapshot *snapshot)
{
	for (int i = 0; i < PULSE_GROUPS_MAX; i++) {
		const struct pulse_group *group = &p->groups[i];

		snapshot->groups[i] = (struct pulse_snapshot_group){
			.id = group->id,
			.used = group->used,
			.state = group->state,
			.lapsed = group->lapsed,
			.peer_present = group->peer_present,
			.peer_state = group->peer.state,
			.peer_health = group->peer.health,
			.peer_preference = group->peer.preference,
			.bits = (uint8_t)p->gate[i].bits,
			.active_since = group->active_since,
			.lease_until = group->lease_until,
			.peer_flags = group->peer.flags,
			.peer_active_for_millis = group->peer.active_for_millis,
		};
	}
}

/* The peer acknowledged a beat that was sent within the last dead time. */
static bool peer_hears(const struct pulse *p, uint64_t now)
{
	return p->acked_sent_at != 0 && now - p->acked_sent_at < p->dead;
}

void pulse_report_snapshot(struct pulse *p, uint64_t now)
{
	struct {
		struct pulse_command_header header;
		struct pulse_snapshot snapshot;
	} __attribute__((packed)) report = {
		.header = { .length = sizeof(struct pulse_snapshot), .kind = PULSE_REPORT_SNAPSHOT },
		.snapshot = {
			.at = now,
			.heard_at = p->heard_at,
			.acked_sent_at = p->acked_sent_at,
			.peer_nonce = p->peer_nonce,
			.peer_config_id = p->peer_config_id,
			.peer_dead = p->peer_dead,
			.peer_lease = p->peer_lease,
			.peer_wanted = p->peer_wanted,
			.peer_alive = p->peer_alive,
			.peer_hears = peer_hears(p, now),
			.lapses = p->lapses,
		},
	};

	memcpy(report.snapshot.lateness, p->lateness.counts, sizeof(report.snapshot.lateness));
	memcpy(report.snapshot.counters, p->counters, sizeof(p->counters));
	snapshot_paths(p, &report.snapshot);
	snapshot_groups(p, &report.snapshot);
	p->io.report(p->io.context, &report, sizeof(report));
	p->snapshot_at = now;
	p->changed = false;
	p->told_peer_hears = peer_hears(p, now);
}

void pulse_flush(struct pulse *p, uint64_t now)
{
	if (p->changed || peer_hears(p, now) != p->told_peer_hears || now - p->snapshot_at >= SNAPSHOT_MICROS)
		pulse_report_snapshot(p, now);
}
