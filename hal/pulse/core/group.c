/* SPDX-License-Identifier: Apache-2.0 */
/* How one failover group changes hands. Every change here was ordered or armed by the sentinel beforehand. */
#include "pulse.h"

/* The old active goes on forwarding this long after the new one has announced itself. */
#define FORWARD_AFTER_YIELD_MICROS 100000u

bool pulse_holds(const struct pulse_group *group)
{
	return group->state == GROUP_ACTIVE || group->state == GROUP_OFFERING || group->state == GROUP_YIELDED;
}

static bool peer_holds(const struct beat_group *peer)
{
	return peer->state == GROUP_ACTIVE || peer->state == GROUP_OFFERING || peer->state == GROUP_YIELDED;
}

bool pulse_peer_holds(const struct pulse *p, const struct pulse_group *group)
{
	return p->peer_alive && group->peer_present && peer_holds(&group->peer);
}

static void set_state(struct pulse *p, int index, enum group_state state)
{
	if (p->groups[index].state != state)
		p->changed = true;
	p->groups[index].state = state;
}

/* The lease goes first when it is given and last when it is taken, so that the bits never speak without it. */
static void open_gate(struct pulse *p, int index, uint64_t lease_until)
{
	p->groups[index].lease_until = lease_until;
	__atomic_store_n(&p->gate[index].lease_until_nanos, lease_until * 1000, __ATOMIC_RELEASE);
	__atomic_store_n(&p->gate[index].bits, PULSE_ANSWER | PULSE_FORWARD, __ATOMIC_RELEASE);
}

static void shut_gate(struct pulse *p, int index)
{
	p->groups[index].lease_until = 0;
	__atomic_store_n(&p->gate[index].bits, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&p->gate[index].lease_until_nanos, 0, __ATOMIC_RELEASE);
}

static void run_plan(struct pulse *p, int index, enum pulse_plan plan, enum pulse_reason reason, uint64_t decided_at)
{
	struct {
		struct pulse_command_header header;
		struct pulse_executed executed;
	} __attribute__((packed)) report = {
		.header = { .length = sizeof(struct pulse_executed), .kind = PULSE_REPORT_EXECUTED,
			    .group = (uint8_t)index, .argument = plan },
		.executed = { .heard_at = p->heard_at, .decided_at = decided_at, .reason = reason },
	};
	uint16_t errors = 0, first_errno = 0;

	for (int i = 0; i < PULSE_PATHS_MAX; i++)
		report.executed.paths[i] = (struct pulse_heard){ p->paths[i].id, p->paths[i].heard_at };
	p->io.run_plan(p->io.context, index, plan, &errors, &first_errno);
	report.executed.errors = errors;
	report.executed.first_errno = first_errno;
	report.executed.done_at = p->io.now(p->io.context);
	p->io.report(p->io.context, &report, sizeof(report));
}

void pulse_take_over(struct pulse *p, int index, enum pulse_reason reason, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	group->lapsed = false;
	group->active_since = now;
	group->active_sequence = p->sequence + 1;
	group->finish_at = 0;
	open_gate(p, index, now + p->lease);
	set_state(p, index, GROUP_ACTIVE);
	/* The peer hears of it before the slower netlink work, so that it does not wait for its answer. */
	pulse_send_all(p, BEAT_TYPE_BEAT, now);
	run_plan(p, index, PULSE_PLAN_TAKE_OVER, reason, now);
}

void pulse_let_go(struct pulse *p, int index, enum pulse_reason reason, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	shut_gate(p, index);
	group->lapsed = false;
	group->finish_at = 0;
	set_state(p, index, group->idle_state);
	if (!p->dying)
		pulse_send_all(p, BEAT_TYPE_BEAT, now);
	run_plan(p, index, PULSE_PLAN_RELEASE, reason, now);
}

/* Stops answering and goes on forwarding: the first half of make-before-break. */
void pulse_yield(struct pulse *p, int index, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	__atomic_store_n(&p->gate[index].bits, PULSE_FORWARD, __ATOMIC_RELEASE);
	set_state(p, index, GROUP_YIELDED);
	group->yield_sequence = p->sequence + 1;
	group->finish_at = 0;
	pulse_send_all(p, BEAT_TYPE_BEAT, now);
	pulse_report_group(p, PULSE_REPORT_YIELDED, index, PULSE_REASON_HANDOVER, now);
}

/* Takes back what was yielded. The plan runs again: neighbours may have heard the other box meanwhile. */
void pulse_resume(struct pulse *p, int index, enum pulse_reason reason, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	group->finish_at = 0;
	group->yield_sequence = 0;
	group->active_sequence = p->sequence + 1;
	if (group->lease_until < now + p->beat && reason == PULSE_REASON_SILENCE)
		group->lease_until = now + p->lease;
	open_gate(p, index, group->lease_until);
	set_state(p, index, GROUP_ACTIVE);
	pulse_report_group(p, PULSE_REPORT_RESUMED, index, reason, now);
	run_plan(p, index, PULSE_PLAN_TAKE_OVER, reason, now);
}

/*
 * Both hold the group. Who lets go: the one of lower priority (health, then preference), then the one active for a
 * shorter time, then b. The peer's "active for" is as old as its beat, so near equality b gives way over a wider range
 * than a keeps: at worst both let go and elect anew, never do both stay.
 */
#define NEARLY_EQUAL_MILLIS 100

static bool gives_way(const struct pulse *p, const struct pulse_group *group, uint64_t now)
{
	const struct beat_group *peer = &group->peer;
	int64_t longer = (int64_t)peer->active_for_millis - (int64_t)((now - group->active_since) / 1000);

	if (group->health != peer->health)
		return group->health < peer->health;
	if (group->preference != peer->preference)
		return group->preference < peer->preference;
	return longer > (p->box == 0 ? NEARLY_EQUAL_MILLIS : -NEARLY_EQUAL_MILLIS);
}

static void judge_held(struct pulse *p, int index, uint64_t acknowledged, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	bool peer_answers = group->peer.state == GROUP_ACTIVE && !(group->peer.flags & BEAT_GROUP_LAPSED);
	/* A box that was frozen between two datagrams sends the second when it thaws: it does not know yet that we hold. */
	bool peer_knows = acknowledged >= group->active_sequence;

	/* The peer has it too, and we do not answer, do not want to, or are the lesser one. */
	if (peer_answers && group->state != GROUP_YIELDED &&
	    (group->lapsed || (peer_knows && (group->state == GROUP_OFFERING || gives_way(p, group, now))))) {
		pulse_let_go(p, index, PULSE_REASON_TAKEN, now);
		return;
	}
	if (group->state == GROUP_OFFERING && group->peer.state == GROUP_READY) {
		pulse_yield(p, index, now);
		return;
	}
	if (group->state != GROUP_YIELDED || group->finish_at != 0)
		return;
	if (group->peer.state == GROUP_ACTIVE)
		group->finish_at = now + FORWARD_AFTER_YIELD_MICROS;
	else if (acknowledged >= group->yield_sequence)
		pulse_resume(p, index, PULSE_REASON_REFUSED, now);
}

/*
 * Nobody held the group. We may take it once the peer has heard that we want it and still does not hold it: whatever
 * it does next, it does knowing of us. When both want it, a takes it and b sees that.
 */
static void judge_election(struct pulse *p, int index, bool heard, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	if (peer_holds(&group->peer))
		set_state(p, index, group->idle_state);
	else if (heard && (group->peer.state != GROUP_READY || p->box == 0))
		pulse_take_over(p, index, PULSE_REASON_ORDER, now);
}

/*
 * What a frozen box finds in its sockets may be long over. The peer's word is fresh when it acknowledges something that
 * we sent within a lease time.
 */
bool pulse_word_is_fresh(const struct pulse *p, uint64_t now)
{
	return p->acked_sent_at + p->lease > now;
}

/* Called when the peer's newest word on a group came in; `before` is its word before that. */
void pulse_judge_group(struct pulse *p, int index, const struct beat_group *before, uint64_t acknowledged, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];

	if (pulse_holds(group)) {
		judge_held(p, index, acknowledged, now);
		return;
	}
	bool fresh = pulse_word_is_fresh(p, now);

	if (group->state == GROUP_READY && group->electing) {
		judge_election(p, index, fresh && acknowledged >= group->ready_sequence, now);
	} else if (group->state == GROUP_READY) {
		if (group->peer.state == GROUP_YIELDED && fresh)
			pulse_take_over(p, index, PULSE_REASON_HANDOVER, now);
		else if (group->peer.state != GROUP_OFFERING && group->peer.state != GROUP_YIELDED)
			set_state(p, index, group->idle_state);
	}
	if ((group->state == GROUP_STANDBY || group->state == GROUP_READY) && group->armed && fresh && peer_holds(before) && !peer_holds(&group->peer))
		pulse_take_over(p, index, PULSE_REASON_RELEASED, now);
}
