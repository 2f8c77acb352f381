/* SPDX-License-Identifier: Apache-2.0 */
/* The sentinel's commands. PLAN carries no decision and stays with the program; it never comes here. */
#include "pulse.h"

#include <string.h>

static bool configure(struct pulse *p, const uint8_t *payload, size_t length, uint64_t now)
{
	struct pulse_configure order;
	struct pulse_path_order path;
	struct pulse_path before[PULSE_PATHS_MAX];

	if (length < sizeof(order))
		return false;
	memcpy(&order, payload, sizeof(order));
	if (order.box > 1 || order.path_count > PULSE_PATHS_MAX ||
	    length != sizeof(order) + order.path_count * sizeof(path))
		return false;
	memcpy(before, p->paths, sizeof(before));
	memset(p->paths, 0, sizeof(p->paths));
	for (int i = 0; i < order.path_count; i++) {
		memcpy(&path, payload + sizeof(order) + (size_t)i * sizeof(path), sizeof(path));
		/* A path that stays keeps what was heard on it. */
		for (int j = 0; j < PULSE_PATHS_MAX; j++)
			if (before[j].used && before[j].id == path.id && before[j].ifindex == path.ifindex)
				p->paths[i] = before[j];
		p->paths[i].used = true;
		p->paths[i].id = path.id;
		p->paths[i].ifindex = path.ifindex;
	}
	p->box = order.box;
	p->safety = order.safety != 0;
	p->config_id = order.config_id;
	if (!p->configured) {
		p->heard_at = now;
		p->pet_at = now;
	}
	p->configured = true;
	p->changed = true;
	return true;
}

static bool order_group(struct pulse *p, int index, const uint8_t *payload, size_t length)
{
	struct pulse_group *group = &p->groups[index];
	struct pulse_group_order order;

	if (length != sizeof(order))
		return false;
	memcpy(&order, payload, sizeof(order));
	if (order.idle_state != GROUP_INITIALIZE && order.idle_state != GROUP_STANDBY && order.idle_state != GROUP_FAULT)
		return false;
	if (!group->used || group->id != order.id)
		*group = (struct pulse_group){ .used = true, .id = order.id, .state = order.idle_state };
	group->idle_state = order.idle_state;
	group->armed = order.armed != 0 && order.idle_state == GROUP_STANDBY;
	group->health = order.health;
	group->preference = order.preference;
	group->asks = order.asks != 0;
	if (!pulse_holds(group) && (group->state != GROUP_READY || order.idle_state != GROUP_STANDBY))
		group->state = order.idle_state;
	p->changed = true;
	return true;
}

static bool act(struct pulse *p, int index, enum pulse_act what, const uint8_t *payload, size_t length, uint64_t now)
{
	struct pulse_group *group = &p->groups[index];
	enum pulse_reason reason;

	if (length != 1 || !group->used)
		return false;
	reason = payload[0];
	switch (what) {
	case PULSE_ACT_TAKE_OVER:
		/* The order may rest on a word of the peer that is no longer true. */
		if (!pulse_holds(group) && group->idle_state == GROUP_STANDBY && !pulse_peer_holds(p, group))
			pulse_take_over(p, index, reason, now);
		return true;
	case PULSE_ACT_RELEASE:
		if (pulse_holds(group))
			pulse_let_go(p, index, reason, now);
		return true;
	case PULSE_ACT_OFFER:
		if (group->state == GROUP_ACTIVE)
			group->state = GROUP_OFFERING;
		break;
	case PULSE_ACT_READY:
		if (group->state != GROUP_STANDBY || !group->armed)
			break;
		group->state = GROUP_READY;
		group->electing = reason == PULSE_REASON_ORDER;
		group->ready_sequence = p->sequence + 1;
		break;
	case PULSE_ACT_KEEP:
		if (group->state == GROUP_OFFERING)
			group->state = GROUP_ACTIVE;
		else if (group->state == GROUP_READY)
			group->state = group->idle_state;
		break;
	default:
		return false;
	}
	p->changed = true;
	pulse_send_all(p, BEAT_TYPE_BEAT, now);
	return true;
}

static bool set_timing(struct pulse *p, const uint8_t *payload, size_t length, uint64_t now)
{
	struct pulse_timing timing;

	if (length != sizeof(timing))
		return false;
	memcpy(&timing, payload, sizeof(timing));
	if (timing.dead < 5000 || timing.beat < 500 || timing.beat * 2 > timing.dead || timing.lease > timing.dead * 100)
		return false;
	p->dead = timing.dead;
	p->lease = timing.lease;
	p->beat = timing.beat;
	p->wanted = timing.wanted;
	if (p->next_tick > now + p->beat)
		p->next_tick = now + p->beat;
	return true;
}

static void forget(struct pulse *p, int index, uint64_t now)
{
	if (p->groups[index].used && pulse_holds(&p->groups[index]))
		pulse_let_go(p, index, PULSE_REASON_ORDER, now);
	memset(&p->groups[index], 0, sizeof(p->groups[index]));
	p->changed = true;
}

bool pulse_command(struct pulse *p, const struct pulse_command_header *header, const uint8_t *payload, uint64_t now)
{
	if (header->group >= PULSE_GROUPS_MAX)
		return false;
	p->pet_at = now;
	switch ((enum pulse_command_kind)header->kind) {
	case PULSE_CONFIGURE:
		return configure(p, payload, header->length, now);
	case PULSE_PET:
		return header->length == 0;
	case PULSE_GROUP:
		return order_group(p, header->group, payload, header->length);
	case PULSE_ACT:
		return act(p, header->group, header->argument, payload, header->length, now);
	case PULSE_TIMING:
		return set_timing(p, payload, header->length, now);
	case PULSE_WITNESS:
		if (header->length != sizeof(p->witness_at))
			return false;
		memcpy(&p->witness_at, payload, sizeof(p->witness_at));
		/* A lease may hang on it, but is renewed by the next tick only: the clock is believed there, and after the sockets. */
		p->look_now = true;
		return true;
	case PULSE_FORGET:
		forget(p, header->group, now);
		return header->length == 0;
	case PULSE_QUIT:
		pulse_release_all(p, PULSE_REASON_SHUTDOWN, now);
		return header->length == 0;
	case PULSE_PLAN:
		return false;
	}
	return false;
}
