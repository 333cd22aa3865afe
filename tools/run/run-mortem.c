/*
 * run-mortem.c - what a program died of, in one sentence
 *
 *	killed by the OOM killer of cgroup /jobs/7 at 1.93 GiB; grower:
 *	parse.c:88, 41.2 MiB a batch; last checkpoint: batch 118
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/base.h"
#include "base/text.h"
#include "report/leaks.h"
#include "run/run.h"
#include "symbols/symbol.h"
#include "symbols/telling.h"

/* The sentence is put together of parts. */
static void
put(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
put(struct run *run, const char *format, ...)
{
	size_t used = strlen(run->words);
	va_list args;

	va_start(args, format);
	vsnprintf(run->words + used, sizeof(run->words) - used, format, args);
	va_end(args);
}

/* --- its end -------------------------------------------------------------- */

static void
put_use(struct run *run)
{
	char used[TEXT_BYTES_ROOM], budget[TEXT_BYTES_ROOM];

	if (run->used == 0)
		return;
	put(run, " at %s", text_format_bytes(used, run->used));
	if (run->budget != 0)
		put(run, " of %s", text_format_bytes(budget, run->budget));
}

/* "status 3", "signal 11 (Segmentation fault)" */
static void
put_status(struct run *run)
{
	int status = run->child.status;

	if (WIFSIGNALED(status))
		put(run, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else if (outcome_signal(status) != 0)
		put(run, "status %d, which is signal %d (%s)",
		    WEXITSTATUS(status), outcome_signal(status),
		    strsignal(outcome_signal(status)));
	else
		put(run, "status %d", WEXITSTATUS(status));
}

static void
put_killed(struct run *run)
{
	const char *group = oom_struck(&run->oom_groups);

	if (group != NULL)
		put(run, "killed by the OOM killer of cgroup %s", group);
	else
		put(run, "killed for lack of memory, by all signs");
	put_use(run);
}

static void
put_end(struct run *run)
{
	char took[TEXT_DURATION_ROOM];

	switch (run->outcome) {
	case OUTCOME_OOM:
		put_killed(run);
		return;
	case OUTCOME_RECYCLE:
		put(run, run->recycled ? "ended for its budget" :
		    "wants to be started again (status 85)");
		put_use(run);
		return;
	case OUTCOME_NO_MEMORY:
		put(run, "had too little memory (status 75)");
		put_use(run);
		return;
	case OUTCOME_STALLED:
		put(run, "was ended, for a batch took longer than %s",
		    text_format_duration(took, run->stall.most_ns));
		return;
	case OUTCOME_TIMEOUT:
		put(run, "was ended, for it took longer than %s",
		    text_format_duration(took, run->options->timeout));
		return;
	case OUTCOME_STOPPED:
		put(run, "was told to end, ");
		put_status(run);
		return;
	case OUTCOME_NOMEM_CRASH:
		put(run, "ended by ");
		put_status(run);
		if (run->refused != 0)
			put(run, " after %llu allocation%s had been refused",
			    (unsigned long long)run->refused,
			    run->refused == 1 ? "" : "s");
		put_use(run);
		return;
	default:
		put(run, "ended by ");
		put_status(run);
	}
}

/* --- who held it ---------------------------------------------------------- */

/* `parse.c:88`, or the function where no lines are known. */
static const char *
place_of(struct symbols *symbols, const struct site *site,
    char text[SYMBOL_PLACE_ROOM])
{
	struct frame *frames;
	size_t count = symbols_stack(symbols, site, &frames);
	const struct frame *frame = telling_frame(frames, count);

	text[0] = '\0';
	if (frame != NULL && symbols_place(frame, text)[0] == '\0')
		snprintf(text, SYMBOL_PLACE_ROOM, "%s", frame->function);
	free(frames);
	return text;
}

/* What is known to grow, beyond doubt. */
static bool
put_grower(struct run *run, const struct leaks *l)
{
	char place[SYMBOL_PLACE_ROOM], each[TEXT_BYTES_ROOM];
	char rate[TEXT_RATE_ROOM];
	const struct verdict *v;

	if (l->rows == 0 || l->row[0].verdict->kind != VERDICT_GROWING ||
	    l->row[0].suppressed != NULL)
		return false;
	v = l->row[0].verdict;
	if (place_of(l->symbols, l->row[0].site, place)[0] == '\0')
		return false;
	if (l->judge.timed)
		put(run, "; grower: %s, %s", place,
		    text_format_rate(rate, v->per_second));
	else
		put(run, "; grower: %s, %s a%s", place,
		    text_format_bytes(each, whole_u64(v->per_epoch)),
		    run->box.known ? " batch" : "n epoch");
	return true;
}

static void
put_largest(struct run *run, const struct leaks *l)
{
	const struct profile *p = l->profile;
	char place[SYMBOL_PLACE_ROOM], held[TEXT_BYTES_ROOM];
	const struct site *site;
	size_t i, at = 0;

	for (i = 1; i < p->sites; i++)
		if ((p->site[i].flags & SITE_APART) == 0 &&
		    p->figures[i].live_bytes > p->figures[at].live_bytes)
			at = i;
	if (at == 0)
		return;
	site = &p->site[at];
	symbols_resolve(l->symbols, &site, 1);
	if (place_of(l->symbols, site, place)[0] != '\0')
		put(run, "; most was held by %s, %s", place,
		    text_format_bytes(held, p->figures[at].live_bytes));
}

static void
put_holders(struct run *run, const struct profile *profile)
{
	const struct leaks_options options = { .warmup = UINT64_MAX };
	struct leaks l;

	if (!leaks_open(&l, profile, &options, "run"))
		return;
	if (!put_grower(run, &l))
		put_largest(run, &l);
	leaks_close(&l);
}

/* --- how far it was ------------------------------------------------------- */

static void
put_batch(struct run *run)
{
	const struct box *box = &run->box;

	if (!box->open)
		return;
	if (box->n == 1)
		put(run, "; in the batch of item %llu",
		    (unsigned long long)box->first);
	else
		put(run, "; in a batch of %llu items from %llu on",
		    (unsigned long long)box->n,
		    (unsigned long long)box->first);
}

static void
put_checkpoint(struct run *run)
{
	const struct run_standing *at = &run->standing;

	if (!at->known)
		return;
	if (!at->marked)
		put(run, "; there is no checkpoint yet");
	else if (at->batches != 0)
		put(run, "; last checkpoint: batch %llu",
		    (unsigned long long)at->batches);
	else
		put(run, "; last checkpoint: item %llu",
		    (unsigned long long)at->cursor);
}

void
run_post_mortem(struct run *run, const struct profile *profile)
{
	run->words[0] = '\0';
	put_end(run);
	/* Names take time; of who comes back at once nobody asks. */
	if (profile != NULL && outcome_is_memory(run->outcome))
		put_holders(run, profile);
	put_batch(run);
	put_checkpoint(run);
}
