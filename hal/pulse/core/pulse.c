/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and time: which datagram proves that the peer lives, and what each tick does. */
#include "pulse.h"

#include <string.h>

/* A new boot of the peer must acknowledge something we sent within this time. */
#define PROOF_MICROS 2000000u
/*
 * No pet from the sentinel for this long: it hangs or is gone. A dead time that was widened, because this machine or
 * the peer's runs late, says how long the sentinel may be late as well.
 */
#define PET_MICROS_MIN 250000u
#define PET_MICROS_MAX 1000000u
/* What is sent before the peer is known: often enough to meet soon, seldom enough to be polite. */
#define BEAT_DEFAULT 15000u

void pulse_init(struct pulse *p, const struct pulse_io *io, struct pulse_gate *gate, uint64_t nonce, uint64_t now)
{
	memset(p, 0, sizeof(*p));
	p->io = *io;
	p->gate = gate;
	p->nonce = nonce;
	p->dead = 5 * BEAT_DEFAULT;
	p->lease = 3 * BEAT_DEFAULT;
	p->beat = BEAT_DEFAULT;
	p->wanted = p->dead;
	p->next_tick = now + p->beat;
	p->pet_at = now;
	for (int i = 0; i < PULSE_GROUPS_MAX; i++)
		gate[i] = (struct pulse_gate){ 0 };
}

uint64_t pulse_next(const struct pulse *p)
{
	uint64_t look = p->configured ? pulse_silence_look(p) : UINT64_MAX;

	if (p->look_now)
		return 0;
	return look < p->next_tick ? look : p->next_tick;
}

void pulse_refused(struct pulse *p, enum beat_refusal refusal)
{
	p->counters[refusal]++;
}

static void fill_beat(struct pulse *p, struct beat *beat, enum beat_type type, int path, uint64_t now)
{
	*beat = (struct beat){
		.type = type,
		.box = p->box,
		.path_id = p->paths[path].id,
		.dead_micros = p->dead,
		.lease_micros = p->lease,
		.wanted_micros = p->wanted,
		.nonce = p->nonce,
		.peer_nonce = p->peer_nonce,
		.sequence = ++p->sequence,
		.newest_heard = p->newest_heard,
		.config_id = p->config_id,
		.flow_position = p->flow_position,
	};
	p->sent[p->sequence % PULSE_SENT_RING] = (struct pulse_sent){ p->sequence, now };
	for (int i = 0; i < PULSE_GROUPS_MAX; i++) {
		const struct pulse_group *group = &p->groups[i];
		uint64_t active_for = pulse_holds(group) ? (now - group->active_since) / 1000 : 0;

		if (!group->used)
			continue;
		beat->groups[beat->group_count++] = (struct beat_group){
			.id = group->id,
			.state = group->state,
			.health = group->health,
			.preference = group->preference,
			.flags = (uint8_t)((group->asks ? BEAT_GROUP_ASKS : 0) | (group->lapsed ? BEAT_GROUP_LAPSED : 0)),
			.active_for_millis = active_for > UINT32_MAX ? UINT32_MAX : (uint32_t)active_for,
		};
	}
}

void pulse_send_all(struct pulse *p, enum beat_type type, uint64_t now)
{
	struct beat beat;

	for (int path = 0; path < PULSE_PATHS_MAX; path++) {
		if (!p->paths[path].used)
			continue;
		fill_beat(p, &beat, type, path, now);
		p->io.send(p->io.context, path, &beat);
	}
}

static void answer(struct pulse *p, int path, const struct beat *heard, uint64_t now)
{
	struct beat ack;

	if (heard->type == BEAT_TYPE_ACK)
		return;
	fill_beat(p, &ack, BEAT_TYPE_ACK, path, now);
	ack.answers = heard->sequence;
	/* A stranger to this boot of ours learns our nonce, and gets the proof that it can hand back. */
	if (heard->nonce != p->peer_nonce) {
		ack.peer_nonce = heard->nonce;
		ack.newest_heard = heard->sequence;
	}
	p->io.send(p->io.context, path, &ack);
}

static const struct pulse_sent *find_sent(const struct pulse *p, uint64_t sequence)
{
	const struct pulse_sent *sent = &p->sent[sequence % PULSE_SENT_RING];

	return sequence != 0 && sent->sequence == sequence ? sent : NULL;
}

/*
 * An earlier start of the peer is over, unless the later one was another box of its letter: who answers what was sent
 * since then lives. The one that is heard stays.
 */
static bool is_over(const struct pulse *p, uint64_t nonce, uint64_t proven_at)
{
	for (unsigned i = 0; i < 8; i++)
		if (p->retired[i].nonce == nonce && (p->peer_alive || proven_at <= p->retired[i].at))
			return true;
	return false;
}

/* What the peer said before its restart stays: that it no longer holds a group is news worth acting on. */
static void begin_session(struct pulse *p, uint64_t nonce, uint64_t now)
{
	p->retired[p->retired_next].nonce = p->peer_nonce;
	p->retired[p->retired_next].at = now;
	p->retired_next = (p->retired_next + 1) % 8;
	p->peer_nonce = nonce;
	p->peer_gone = false;
	p->newest_heard = 0;
	p->acked_sequence = 0;
	p->acked_sent_at = 0;
	for (int i = 0; i < PULSE_PATHS_MAX; i++)
		p->paths[i].newest_sequence = 0;
}

static enum beat_refusal admit(struct pulse *p, int path, const struct beat *beat, uint64_t now)
{
	const struct pulse_sent *proof;

	if (beat->box == p->box)
		return BEAT_OWN_BOX;
	if (beat->path_id != p->paths[path].id)
		return BEAT_OTHER_PATH;
	if (beat->peer_nonce != p->nonce)
		return BEAT_OTHER_BOOT;
	if (beat->nonce == p->peer_nonce)
		return beat->sequence > p->paths[path].newest_sequence ? BEAT_OK : BEAT_REPLAYED;
	proof = find_sent(p, beat->newest_heard);
	if (proof == NULL || proof->at + PROOF_MICROS < now || is_over(p, beat->nonce, proof->at))
		return BEAT_UNPROVEN;
	begin_session(p, beat->nonce, now);
	return BEAT_OK;
}

static void record_beat(struct pulse_path *path, uint64_t now)
{
	uint64_t pause = path->heard_at == 0 ? 0 : now - path->heard_at;

	if (path->beats < UINT16_MAX)
		path->beats++;
	if (pause > path->pause_micros)
		path->pause_micros = pause > UINT32_MAX ? UINT32_MAX : (uint32_t)pause;
}

static void note_path(struct pulse *p, int index, const struct beat *beat, uint64_t now)
{
	struct pulse_path *path = &p->paths[index];
	const struct pulse_sent *answered = find_sent(p, beat->answers);

	record_beat(path, now);
	path->newest_sequence = beat->sequence;
	path->heard_at = now;
	if (answered)
		path->rtt_micros = (uint32_t)(now - answered->at);
	if (!path->alive) {
		p->changed = true;
		path->alive_since = now;
	}
	path->alive = true;
}

static void adopt_groups(struct pulse *p, const struct beat *beat, uint64_t now)
{
	for (int i = 0; i < PULSE_GROUPS_MAX; i++) {
		struct pulse_group *group = &p->groups[i];
		struct beat_group before = group->peer;
		bool present = false;

		if (!group->used)
			continue;
		if (!group->peer_present)
			before.state = GROUP_INITIALIZE;
		for (int j = 0; j < beat->group_count; j++) {
			if (beat->groups[j].id != group->id)
				continue;
			group->peer = beat->groups[j];
			present = true;
		}
		if (present != group->peer_present || before.state != group->peer.state ||
		    before.health != group->peer.health || before.preference != group->peer.preference || before.flags != group->peer.flags)
			p->changed = true;
		group->peer_present = present;
		if (present)
			pulse_judge_group(p, i, &before, beat->newest_heard, now);
	}
}

enum beat_refusal pulse_receive(struct pulse *p, int path, const struct beat *beat, uint64_t now)
{
	enum beat_refusal refusal = admit(p, path, beat, now);
	const struct pulse_sent *acked;

	p->counters[refusal]++;
	if (refusal == BEAT_OTHER_BOOT || refusal == BEAT_UNPROVEN)
		answer(p, path, beat, now);
	if (refusal != BEAT_OK)
		return refusal;
	/* Before the peer's word is used: a box that was frozen must know that it holds nothing any more. */
	pulse_note_lapses(p, now);
	note_path(p, path, beat, now);
	p->heard_at = now;
	p->silence_reported = false;
	if (!p->peer_alive)
		p->changed = true;
	p->peer_alive = true;
	if (p->peer_config_id != beat->config_id || p->peer_dead != beat->dead_micros ||
	    p->peer_lease != beat->lease_micros || p->peer_wanted != beat->wanted_micros)
		p->changed = true;
	acked = find_sent(p, beat->newest_heard);
	if (acked && beat->newest_heard > p->acked_sequence) {
		p->acked_sequence = beat->newest_heard;
		p->acked_sent_at = acked->at;
	}
	if (beat->sequence > p->newest_heard) {
		p->newest_heard = beat->sequence;
		p->peer_config_id = beat->config_id;
		p->peer_dead = beat->dead_micros;
		p->peer_lease = beat->lease_micros;
		p->peer_wanted = beat->wanted_micros;
		adopt_groups(p, beat, now);
	}
	if (beat->type == BEAT_TYPE_RELEASE && pulse_word_is_fresh(p, now))
		p->peer_gone = true;
	pulse_renew(p, now);
	answer(p, path, beat, now);
	return BEAT_OK;
}

static void watch_paths(struct pulse *p, uint64_t now)
{
	for (int i = 0; i < PULSE_PATHS_MAX; i++) {
		struct pulse_path *path = &p->paths[i];

		if (path->alive && now - path->heard_at >= p->dead) {
			path->alive = false;
			p->changed = true;
		}
	}
}

static uint64_t pet_limit(const struct pulse *p)
{
	uint64_t limit = (uint64_t)p->dead * 10 / 3;

	if (limit < PET_MICROS_MIN)
		return PET_MICROS_MIN;
	return limit > PET_MICROS_MAX ? PET_MICROS_MAX : limit;
}

void pulse_tick(struct pulse *p, uint64_t now)
{
	uint64_t late = now > p->next_tick ? now - p->next_tick : 0;

	p->looked_at = now;
	p->look_now = false;
	if (p->dying)
		return;
	if (now < p->next_tick) {
		pulse_note_lapses(p, now);
		pulse_watch_silence(p, now);
		pulse_renew(p, now);
		return;
	}
	lateness_add(&p->lateness, late);
	if (late > p->beat) {
		p->patience_until = now + 2 * p->beat;
		/* Whoever froze this program probably froze the sentinel: its silence counts from now on. */
		p->pet_at = p->pet_at + late < now ? p->pet_at + late : now;
	}
	p->next_tick = late > p->beat ? now + p->beat : p->next_tick + p->beat;
	if (!p->configured)
		return;
	if (now - p->pet_at >= pet_limit(p)) {
		pulse_release_all(p, PULSE_REASON_SENTINEL, now);
		return;
	}
	pulse_note_lapses(p, now);
	watch_paths(p, now);
	pulse_watch_silence(p, now);
	pulse_renew(p, now);
	pulse_send_all(p, BEAT_TYPE_BEAT, now);
}

void pulse_release_all(struct pulse *p, enum pulse_reason reason, uint64_t now)
{
	if (p->dying)
		return;
	for (int i = 0; i < PULSE_GROUPS_MAX; i++) {
		struct pulse_group *group = &p->groups[i];

		if (!group->used)
			continue;
		group->idle_state = GROUP_FAULT;
		group->armed = false;
		if (pulse_holds(group))
			pulse_let_go(p, i, reason, now);
		group->state = GROUP_FAULT;
	}
	/* Three copies: this is the one message that nobody will repeat. */
	for (int copy = 0; copy < 3; copy++)
		pulse_send_all(p, BEAT_TYPE_RELEASE, now);
	p->dying = true;
}
