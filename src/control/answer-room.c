/*
 * answer-room.c - what a program that asks for its budget shall do
 *
 * It does so at a call of tide_*() that is no query.  A cleanup is waited for
 * until it is done, though not for long: such a call may be hours away.
 */
#include "control/answer.h"

#include <errno.h>

#include "base/base.h"
#include "base/room.h"
#include "control/reply.h"
#include "plan/message.h"
#include "sys/sys.h"

#define WAIT_NS NS_PER_S

/* The room of the process; NULL, and refused: there is none. */
static struct tide_room *
room_of(const struct control *c, struct text *t)
{
	if (control_room(c) != NULL)
		return control_rows(c, TABLE_BUDGET);
	if (t != NULL)
		request_refuse(t, -ENODEV, "the program does not ask for its "
		    "budget, by heaptide.h");
	return NULL;
}

/* Which of them a word is, by name or by number; -1: none. */
static int
level_of(const struct request *r, size_t word)
{
	const char number[] = "0123";
	int i;

	for (i = TIDE_OK; i <= TIDE_EXHAUSTED; i++) {
		const char digit[2] = { number[i], '\0' };

		if (request_is(r, word, message_state(i)) ||
		    request_is(r, word, digit))
			return i;
	}
	return -1;
}

static uint32_t
load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* The program's next question whether there is one more comes to this. */
static void
have_it_look(struct control *c, struct tide_room *room)
{
	__atomic_store_n(&room->gate, TIDE_NONE, __ATOMIC_RELEASE);
	control_nudge(c);
}

/* --- cleanup -------------------------------------------------------------- */

static bool
is_asked_for(const struct request *r)
{
	return r->words == 1 || level_of(r, 1) > TIDE_OK;
}

/* Of several that want one at once, it is the hardest. */
static void
raise_level(struct tide_room *room, uint32_t level)
{
	uint32_t now = load(&room->cleanup_level);

	while (now < level && !__atomic_compare_exchange_n(
	    &room->cleanup_level, &now, level, false, __ATOMIC_RELAXED,
	    __ATOMIC_RELAXED))
		;
}

bool
answer_cleanup_is_done(struct control *c, struct request *r)
{
	struct tide_room *room = room_of(c, NULL);
	uint64_t now_ns = sys_clock();

	if (room == NULL || !is_asked_for(r))
		return true;
	if (r->until_ns == 0) {
		r->until_ns = now_ns + WAIT_NS;
		raise_level(room, r->words > 1 ? (uint32_t)level_of(r, 1) : 0);
		r->ticket = __atomic_add_fetch(&room->cleanups_wanted, 1,
		    __ATOMIC_RELEASE);
		have_it_look(c, room);
	}
	return (int32_t)(load(&room->cleanups_done) - r->ticket) >= 0 ||
	    now_ns >= r->until_ns;
}

void
answer_cleanup(struct control *c, const struct request *r, struct text *t)
{
	const struct tide_room *room;
	uint32_t done, wanted;

	if (answer_is_max_age(r)) {
		answer_clean_runs(r, t);
		return;
	}
	if (!is_asked_for(r) && !request_is(r, 1, "last")) {
		request_refuse(t, -EINVAL, "'cleanup' takes warning, critical, "
		    "exhausted, last, or max_age=TIME");
		return;
	}
	room = room_of(c, t);
	if (room == NULL)
		return;
	done = load(&room->cleanups_done);
	wanted = is_asked_for(r) ? r->ticket : load(&room->cleanups_wanted);
	reply_u64(t, "cleanups_wanted", wanted);
	reply_u64(t, "cleanups_done", done);
	reply_bool(t, "waits", (int32_t)(done - wanted) < 0);
	if (done == 0 && room->wish_ns == 0)
		return;
	reply_u64(t, "callbacks", room->wish_callbacks);
	reply_u64(t, "blocks", room->wish_blocks);
	reply_u64(t, "freed", room->wish_freed);
	reply_u64(t, "returned", room->wish_returned);
	reply_number(t, "seconds", (double)room->wish_ns / (double)NS_PER_S);
}

void
answer_reclaim(struct control *c, const struct request *r, struct text *t)
{
	if (!is_asked_for(r))
		request_refuse(t, -EINVAL, "'reclaim' takes warning, critical "
		    "or exhausted");
	else if (control_room(c) != NULL)
		answer_cleanup(c, r, t);
	else
		answer_trim_now(c, t);
}

/* --- pressure, drain ------------------------------------------------------ */

void
answer_pressure(struct control *c, const struct request *r, struct text *t)
{
	int level = r->words > 1 ? level_of(r, 1) : -1;
	bool ends = request_is(r, 1, "off");
	struct tide_room *room;
	uint64_t pretended;

	if (r->words > 1 && level < 0 && !ends) {
		request_refuse(t, -EINVAL, "'pressure' takes ok, warning, "
		    "critical, exhausted, or off");
		return;
	}
	room = room_of(c, t);
	if (room == NULL)
		return;
	if (r->words > 1) {
		__atomic_store_n(&room->pressure, ends ? 0 :
		    (uint64_t)level + 1, __ATOMIC_RELEASE);
		have_it_look(c, room);
	}
	pretended = __atomic_load_n(&room->pressure, __ATOMIC_RELAXED);
	if (pretended == 0 || pretended > TIDE_EXHAUSTED + 1)
		reply_null(t, "pressure");
	else
		reply_text(t, "pressure", message_state((int)pretended - 1));
	reply_text(t, "state", message_state((int)load(
	    (const uint32_t *)&room->state)));
}

void
answer_drain(struct control *c, const struct request *r, struct text *t)
{
	struct tide_room *room = room_of(c, t);

	(void)r;
	if (room == NULL)
		return;
	(void)__atomic_fetch_or(&room->stop, TIDE_STOP_DRAIN,
	    __ATOMIC_RELEASE);
	reply_u64(t, "drains", __atomic_add_fetch(&room->drains, 1,
	    __ATOMIC_RELAXED));
}
