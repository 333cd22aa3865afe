/*
 * run-judge.c - after an attempt: how it has come out, and what follows
 */
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "base/base.h"
#include "base/crc.h"
#include "plan/run-list.h"
#include "plan/run-who.h"
#include "run/run.h"
#include "sys/sys.h"

extern char **environ;

/* --- what is known of it -------------------------------------------------- */

static void
find_box(struct run *run, const struct profile *profile)
{
	struct box *box = &run->box;

	memset(box, 0, sizeof(*box));
	if (profile != NULL && profile->room != NULL && profile->rooms != 0)
		box_read(box, profile->room);
	else if (run->page != NULL)
		box_read(box, run->page);
	/* A shell around it knows nothing of batches. */
	if (!box->open && run->gather.box.open)
		*box = run->gather.box;
	if (run->stalled && !box->open)
		*box = run->stall;
}

/* What was used at the end, of what; as far as anybody looked. */
static void
find_use(struct run *run, const struct profile *profile)
{
	const struct box *box = &run->box;
	struct totals totals;

	run->used = run->budget = 0;
	if (run->limit.bytes != 0 && run->limit.bytes != LIMIT_NONE) {
		run->used = run->limit.used;
		run->budget = run->limit.bytes;
	}
	if (box->known) {
		run->used = max_u64(run->used, box->used);
		if (box->budget != TIDE_NONE && box->budget != 0)
			run->budget = box->budget;
	}
	if (profile == NULL)
		return;
	profile_totals(profile, &totals);
	run->used = max_u64(run->used, totals.live_bytes);
}

/* Had it been told to end, so shortly before that it did for that? */
static bool
was_told(const struct run *run)
{
	const struct supervise *s = &run->child;

	return s->asked_ns != 0 &&
	    sys_clock() - s->asked_ns <= 2 * run->options->grace + NS_PER_S;
}

static void
find_outcome(struct run *run, const struct profile *profile)
{
	const struct segment *s = profile != NULL ? profile->segment : NULL;
	bool enforced = s != NULL && s->watch.enforced != 0;
	struct outcome_facts facts = {
		.status = run->child.status,
		.recycled = enforced && s->config.enforce == ENFORCE_EXIT85,
		.aborted = enforced && s->config.enforce == ENFORCE_ABORT,
		.stalled = run->stalled,
		.timed_out = run->timed_out,
		.told = was_told(run),
		.struck = oom_struck(&run->oom_groups) != NULL,
		.state = run->box.state,
		.used = run->used,
		.budget = run->budget,
		.refused = run->box.refused,
	};

	if (s != NULL)
		facts.refused = max_u64(facts.refused,
		    atomic_load(&s->watch.refused));
	run->recycled = facts.recycled;
	run->refused = facts.refused;
	run->outcome = outcome_of(&facts);
}

/* --- where its run stands ------------------------------------------------- */

struct sought {
	struct run *run;
	uint64_t supervisor;
};

static void
compare(void *context, const struct run_listed *listed)
{
	struct sought *s = context;
	struct run_standing *at = &s->run->standing;

	if (listed->look.holder.supervisor != s->supervisor ||
	    (at->known && listed->look.last_ns < at->last_ns))
		return;
	at->known = true;
	memcpy(at->id, listed->id, sizeof(at->id));
	at->last_ns = listed->look.last_ns;
	at->marked = listed->look.mark_number != 0;
	at->cursor = listed->look.mark.cursor;
	at->batches = listed->look.mark.batches;
}

/* The newest run of a process that we have started. */
static void
find_standing(struct run *run)
{
	struct sought sought = {
		.run = run,
		.supervisor = crc_hash(1, run->id, strlen(run->id)),
	};
	char directory[JOURNAL_PATH];

	memset(&run->standing, 0, sizeof(run->standing));
	if (run_who_directory(environ, directory) == 0)
		(void)run_list(directory, compare, &sought);
}

/* --- what follows --------------------------------------------------------- */

/* 0 to 1.  Many are to get different ones; nobody minds if they are guessed. */
static double
chance(void)
{
	uint32_t n;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != sizeof(n))
		n = (uint32_t)mix_u64(sys_clock());
	return (double)n / UINT32_MAX;
}

static void
decide(struct run *run)
{
	const struct retry_event event = {
		.outcome = run->outcome,
		.has_cursor = run->standing.known,
		.cursor = run->standing.cursor,
		.in_batch = run->box.open,
		.first = run->box.first,
		.n = run->box.n,
		.lived_ns = sys_clock() - run->started_ns,
		.chance = chance(),
	};

	retry_next(&run->retry, &run->policy, &event, &run->verdict);
	run->late = run->verdict.why == RETRY_AGAIN && run->deadline_ns != 0 &&
	    sys_clock() + run->verdict.delay_ns >= run->deadline_ns;
	run->once_more = run->verdict.why == RETRY_AGAIN && !run->late;
}

void
run_judge(struct run *run, const struct profile *profile)
{
	run->judged = true;
	run->once_more = run->late = false;
	find_box(run, profile);
	find_use(run, profile);
	find_outcome(run, profile);
	memset(&run->verdict, 0, sizeof(run->verdict));
	run->verdict.why = RETRY_OVER;
	if (run->outcome != OUTCOME_DONE)
		find_standing(run);
	if (run->supervised)
		decide(run);
	if (run->outcome != OUTCOME_DONE)
		run_post_mortem(run, profile);
	run->outcomes[run->outcome]++;
}
