/* SPDX-License-Identifier: Apache-2.0 */
/* How long the VIPs may go on answering, and what silence means. */
#include "pulse.h"

static bool peer_is_idle(const struct pulse_group *group)
{
	return group->peer_present && group->peer.state != GROUP_ACTIVE && group->peer.state != GROUP_OFFERING &&
	       group->peer.state != GROUP_YIELDED;
}

/* Silent long enough to doubt that the peer still sends: two beats on every path. */
static bool quiet(const struct pulse *p, uint64_t now)
{
	return now - p->heard_at >= 2 * (uint64_t)p->beat;
}

/*
 * Is a word of the peer overdue? Nothing for a beat and a half; or the beat after the acknowledged one was not answered
 * within half a beat, and nothing was heard since it left: a peer that is heard and does not acknowledge is not overdue.
 */
static bool overdue(const struct pulse *p, uint64_t now)
{
	uint64_t patience = p->beat + p->beat / 2;

	return now - p->heard_at >= patience ||
	       (now - p->acked_sent_at >= patience && p->heard_at < p->acked_sent_at + p->beat);
}

/*
 * How long the newest acknowledged beat lets this box answer: a lease. While a word is overdue, a beat and a half more:
 * what the silence means is known only after two beats, and this program may be late by a quarter of the dead time. A
 * peer that lives and hears nothing still waits then.
 */
static uint64_t acknowledged_until(const struct pulse *p, uint64_t now)
{
	uint64_t until = p->acked_sent_at + p->lease;
	uint32_t patience = p->peer_dead < p->dead ? p->peer_dead : p->dead;

	if (p->acked_sent_at == 0)
		return 0;
	if (!overdue(p, now) || p->lease + 2 * (uint64_t)p->beat > patience)
		return until;
	return until + p->beat + p->beat / 2;
}

/* When silence next means something new, which is not to wait for a beat; UINT64_MAX: not before one. */
uint64_t pulse_silence_look(const struct pulse *p)
{
	const uint64_t looks[] = {
		p->acked_sent_at + p->beat + p->beat / 2,
		p->heard_at + p->beat + p->beat / 2,
		p->heard_at + 2 * (uint64_t)p->beat,
		p->heard_at + p->dead,
		p->patience_until,
	};
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		if (looks[i] > p->looked_at && looks[i] < next)
			next = looks[i];
	return next;
}

/* The peer has ended, or a dead time of silence; believed only while this box itself was on time. */
bool pulse_silent(const struct pulse *p, uint64_t now)
{
	return p->peer_nonce != 0 && now >= p->patience_until && (p->peer_gone || now - p->heard_at >= p->dead);
}

/* Until when the partition policy lets this box serve with nobody to hear it; 0: not at all. */
static uint64_t alone_until(const struct pulse *p, uint64_t now)
{
	if (!p->safety)
		return now + p->lease;
	return p->witness_at > p->heard_at ? p->witness_at + p->lease : 0;
}

static void store_lease(struct pulse *p, int index, uint64_t until)
{
	p->groups[index].lease_until = until;
	__atomic_store_n(&p->gate[index].lease_until_nanos, until * 1000, __ATOMIC_RELEASE);
}

static void grant(struct pulse *p, int index, uint64_t until, enum pulse_reason reason, uint64_t now)
{
	p->groups[index].lapsed = false;
	store_lease(p, index, until);
	pulse_report_group(p, PULSE_REPORT_GRANTED, index, reason, now);
}

static void lapse(struct pulse *p, int index, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	group->lapsed = true;
	group->lapsed_at = now;
	p->lapses++;
	store_lease(p, index, 0);
	pulse_report_group(p, PULSE_REPORT_LAPSED, index, PULSE_REASON_NONE, now);
}

void pulse_note_lapses(struct pulse *p, uint64_t now)
{
	for (int i = 0; i < PULSE_GROUPS_MAX; i++) {
		const struct pulse_group *group = &p->groups[i];

		if (group->used && pulse_holds(group) && !group->lapsed && now >= group->lease_until)
			lapse(p, i, now);
	}
}

static void renew_lapsed(struct pulse *p, int index, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];
	uint64_t alone;

	if (peer_is_idle(group) && p->acked_sent_at > group->lapsed_at && p->acked_sent_at + p->lease > now) {
		grant(p, index, p->acked_sent_at + p->lease, PULSE_REASON_ACKNOWLEDGED, now);
		return;
	}
	if (p->peer_nonce != 0 && !pulse_silent(p, now))
		return;
	alone = alone_until(p, now);
	if (alone > now)
		grant(p, index, alone, PULSE_REASON_SILENCE, now);
}

static void renew_group(struct pulse *p, int index, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];
	uint64_t until = acknowledged_until(p, now);
	uint64_t brief = now + p->beat + p->beat / 2;

	if (group->lapsed) {
		renew_lapsed(p, index, now);
		return;
	}
	/* Total silence is the partition policy's case; a peer that is heard but does not hear us is not. */
	if (quiet(p, now) || p->peer_gone) {
		uint64_t alone = alone_until(p, now);

		until = alone > until ? alone : until;
	} else if (group->lease_until > until && group->lease_until > brief) {
		/* The silence is over: what it granted ends, unless the peer acknowledges soon. */
		store_lease(p, index, brief > until ? brief : until);
		return;
	}
	if (until > group->lease_until)
		store_lease(p, index, until);
}

void pulse_renew(struct pulse *p, uint64_t now)
{
	for (int i = 0; i < PULSE_GROUPS_MAX; i++)
		if (p->groups[i].used && pulse_holds(&p->groups[i]))
			renew_group(p, i, now);
}

static void watch_group(struct pulse *p, int index, bool silent, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	if (group->state == GROUP_YIELDED && group->finish_at != 0 && now >= group->finish_at) {
		pulse_let_go(p, index, PULSE_REASON_HANDOVER, now);
		return;
	}
	if (!silent || alone_until(p, now) <= now)
		return;
	if (group->state == GROUP_YIELDED)
		pulse_resume(p, index, PULSE_REASON_SILENCE, now);
	else if ((group->state == GROUP_STANDBY || group->state == GROUP_READY) && group->armed)
		pulse_take_over(p, index, PULSE_REASON_SILENCE, now);
}

void pulse_watch_silence(struct pulse *p, uint64_t now)
{
	bool silent = pulse_silent(p, now);

	/* Early, so that a witness's answer is here when the lease needs it. */
	if (p->peer_nonce != 0 && now - p->heard_at >= p->beat + p->beat / 4 && !p->silence_reported) {
		p->silence_reported = true;
		pulse_report_group(p, PULSE_REPORT_SILENCE, 0, PULSE_REASON_NONE, now);
	}
	if (silent && p->peer_alive) {
		p->peer_alive = false;
		p->changed = true;
	}
	for (int i = 0; i < PULSE_GROUPS_MAX; i++)
		if (p->groups[i].used)
			watch_group(p, i, silent, now);
}
