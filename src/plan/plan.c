/*
 * plan.c - where the process stands, and what follows
 *
 * All is under one lock, which is held for as long as it takes to compute; but
 * for plan_note(), which runs inside malloc and reads a few words of its own.
 */
#include "plan/plan.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/boundary.h"
#include "plan/cleanup.h"
#include "plan/guard-state.h"
#include "plan/member.h"
#include "plan/message.h"
#include "plan/op.h"
#include "plan/plan-state.h"
#include "plan/run.h"
#include "plan/settings.h"
#include "plan/shares.h"
#include "sys/sys.h"

/* --- the beginning -------------------------------------------------------- */

#define BELOW_CRITICAL 0.97

static void
configure(void)
{
	struct plan_state *plan = plan_state();
	const char *between;
	struct states_conf conf;
	double target;

	memset(&conf, 0, sizeof(conf));
	conf.warn = settings_share("WARN", STATES_WARN_FROM);
	conf.critical = settings_share("CRITICAL", STATES_CRITICAL_FROM);
	/* As 0.96 lies between 0.88 and all. */
	conf.exhausted = conf.critical + (1 - conf.critical) * 2 / 3;
	states_open(&plan->states, &conf);
	plan->room->warn_mille = (uint32_t)(plan->states.conf.warn * 1000);
	plan->room->critical_mille =
	    (uint32_t)(plan->states.conf.critical * 1000);
	/* Below the line where batches are cut, or each that is as large as it
	 * may be would hold up the next until that is forgotten. */
	target = BELOW_CRITICAL * plan->states.conf.critical;
	plan->room->target_mille = (uint32_t)(settings_share("TARGET",
	    target < 0.90 ? target : 0.90) * 1000);
	plan->clean_from = settings_share("RECLAIM_THRESHOLD", 0);
	between = settings_find("RECLAIM_BETWEEN");
	plan->clean_late = between != NULL && strcmp(between, "never") == 0;
	plan->debug = settings_is_on("LOG_DEBUG", false);
}

void
plan_begin(const struct plan_host *host, struct tide_room *room)
{
	struct plan_state *plan = plan_state();
	uint64_t now_ns = sys_clock();

	plan->host = host;
	plan->pid = sys_pid();
	plan->quantum = 64 * KIB;
	plan->live_line = TIDE_NONE;
	/* If it cannot be read, there is none that is known. */
	plan->limit.budget = plan->limit.available = TIDE_NONE;
	room->version = TIDE_ROOM_VERSION;
	room->bytes = sizeof(*room);
	room->level = host->level;
	room->pid = plan->pid;
	room->live = room->blocks = TIDE_NONE;
	room->budget = room->slow_from = room->available = TIDE_NONE;
	room->left = TIDE_NONE;
	room->state_ns = now_ns;
	plan->room = room;
	settings_read(host);
	configure();
	sensor_open(&plan->sensor, 0);
	plan_look(now_ns, true);
	plan->start_used = room->used;
	member_begin(host);
	member_used(room->used);
	__atomic_store_n(&room->magic, TIDE_ROOM_MAGIC, __ATOMIC_RELEASE);
}

void
plan_in_child(void)
{
	struct plan_state *plan = plan_state();
	const struct plan_host *host = plan->host;
	uint64_t set_bytes = plan->set_bytes;

	if (plan->room == NULL)
		return;
	memset(plan, 0, sizeof(*plan));
	plan->set_bytes = set_bytes;
	op_in_child();
	boundary_in_child();
	cleanup_in_child();
	member_in_child();
	run_in_child();
	plan_begin(host->in_child != NULL ? host->in_child : host,
	    host->own_room());
	op_rows_in_child();
	guard_in_child();
}

void
plan_refused(void)
{
	struct plan_state *plan = plan_state();

	(void)__atomic_add_fetch(&plan->failed, 1, __ATOMIC_RELAXED);
	plan_store(&plan->look_ns, 0);
	if (plan->room != NULL)
		plan_store(&plan->room->gate, TIDE_NONE);
}

int
plan_init(const char *conf)
{
	struct plan_state *plan = plan_state();
	int r = settings_take(conf);

	if (r < 0)
		return r;
	plan_lock();
	configure();
	plan->limit_ns = 0;
	plan_unlock();
	if (!member_is_in())
		member_begin(plan->host);
	(void)plan_settle(sys_clock(), true);
	return 0;
}

/* --- safe points ---------------------------------------------------------- */

/* May cleanups be called without anybody asking for it? */
static bool
is_automatic(void)
{
	return settings_is_on("RECLAIM_AUTO", true);
}

/* What was said last is true no more. */
static void
say_state(int state)
{
	struct plan_state *plan = plan_state();
	char line[MESSAGE_ROOM], tagged[MESSAGE_ROOM + 32];
	uint64_t used = plan_load(&plan->room->used);

	if (state >= TIDE_CRITICAL)
		(void)message_high(line, sizeof(line), used,
		    plan->limit.budget);
	else if (state == TIDE_WARNING)
		(void)message_warning(line, sizeof(line), used);
	else
		(void)message_memory(line, sizeof(line), used,
		    plan->limit.budget, state);
	plan_say(message_tagged(tagged, sizeof(tagged), line));
}

/* What other members of a common budget need of us. */
static void
heed(void)
{
	struct plan_state *plan = plan_state();
	int wish = member_wish();

	if (wish & SHARES_CLEAN)
		(void)cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL);
	if (wish & SHARES_RECYCLE)
		(void)__atomic_fetch_or(&plan->room->stop,
		    TIDE_STOP_RECYCLE, __ATOMIC_RELAXED);
	member_used(plan_load(&plan->room->used));
}

int
plan_settle(uint64_t now_ns, bool sampled)
{
	struct plan_state *plan = plan_state();
	struct tide_room *room;
	int state;

	if (plan->pid != sys_pid())
		plan_in_child();
	room = plan->room;
	plan_lock();
	plan_look(now_ns, sampled);
	state = room->state;
	plan_unlock();
	if (state != plan->settled)
		say_state(state);
	if (plan_clean_state(state) >= TIDE_WARNING && is_automatic())
		plan_clean(plan_clean_state(state), now_ns);
	if (cleanup_is_wanted()) {
		cleanup_wish();
		plan_lock();
		plan_look(sys_clock(), true);
		plan_unlock();
	}
	plan->settled = room->state;
	if (member_is_in())
		heed();
	return room->state;
}

void
plan_refresh(uint64_t now_ns)
{
	struct plan_state *plan = plan_state();

	if (plan->pid != sys_pid()) {
		plan_in_child();
		return;
	}
	if (!plan_try_lock())
		return;
	plan_look(now_ns, false);
	plan_unlock();
}

int
plan_visit(void)
{
	struct plan_state *plan = plan_state();
	uint64_t now_ns = sys_clock();

	if (!plan_is_due(now_ns) && plan->pid == sys_pid() &&
	    !cleanup_is_wanted())
		return plan->room->state;
	return plan_settle(now_ns, false);
}

/* What a limit below it says stands: see model/sources.h. */
int
plan_budget_set(uint64_t bytes)
{
	struct plan_state *plan = plan_state();

	plan_lock();
	plan->set_bytes = bytes;
	plan->limit_ns = 0;
	plan_unlock();
	(void)plan_settle(sys_clock(), true);
	return bytes == 0 || plan->room->budget == bytes ? 0 : -ERANGE;
}
