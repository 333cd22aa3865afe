/*
 * account-say.c - how a run went, for a person and in JSON
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "ops/account.h"
#include "ops/ops.h"
#include "runs/undone.h"
#include "say/command.h"
#include "symbols/json.h"

#define COLUMN 11

static uint64_t
ns_of(double seconds)
{
	return whole_u64(seconds * (double)NS_PER_S);
}

/* --- for a person --------------------------------------------------------- */

static void
print_head(const struct print *p, const struct account *a)
{
	const struct run_look *look = &a->file->look;
	char progress[RUNS_PROGRESS_ROOM], age[TEXT_DURATION_ROOM];
	char took[TEXT_DURATION_ROOM];

	print_line(p, PRINT_STRONG, "%s: %s, %s %s%s done in %s by %u "
	    "process%s, last written to %s ago", a->file->id,
	    runs_state(a->file), runs_progress(a->file, progress),
	    look->begin.unit, strcmp(progress, "1") == 0 ? "" : "s",
	    text_format_duration(took, ns_of(a->seconds)),
	    look->attempts, look->attempts == 1 ? "" : "es",
	    text_format_duration(age, runs_age(a->file)));
	print_line(p, PRINT_PLAIN, "  %-*s %s", COLUMN, "program",
	    look->begin.program.path);
	if (look->begin.conf[0] != '\0')
		print_line(p, PRINT_PLAIN, "  %-*s %s", COLUMN, "set",
		    look->begin.conf);
}

#define UNIT_ROOM 24

/* `page`, `pages` */
static const char *
units(const struct run_look *look, uint64_t count, char text[UNIT_ROOM])
{
	snprintf(text, UNIT_ROOM, "%s%s", look->begin.unit,
	    count == 1 ? "" : "s");
	return text;
}

static void
print_failed(const struct print *p, const struct account *a)
{
	const struct run_look *look = &a->file->look;
	char unit[UNIT_ROOM];

	if (look->failed != 0)
		print_line(p, PRINT_WARN, "  %-*s %" PRIu64 " %s, not done "
		    "since: heaptide checkpoints failed %s", COLUMN, "failed",
		    look->failed, units(look, look->failed, unit),
		    a->file->id);
	if (look->quarantined != 0)
		print_line(p, PRINT_WARN, "  %-*s %" PRIu64 " %s", COLUMN,
		    "left out", look->quarantined, units(look,
		    look->quarantined, unit));
	if (a->refused != 0)
		print_line(p, PRINT_BAD, "  %-*s %" PRIu64 " allocation%s",
		    COLUMN, "refused", a->refused, a->refused == 1 ? "" : "s");
}

/* Of `heaptide batch`, whose batches are jobs. */
static void
print_jobs(const struct print *p, const struct account *a)
{
	const struct journal_totals *t = &a->told->total;
	char busy[TEXT_DURATION_ROOM], wasted[TEXT_DURATION_ROOM];
	struct print_list again, undone;

	if (!a->jobs || t->tries == 0)
		return;
	again = undone_again(t);
	undone = undone_for_good(t);
	print_line(p, PRINT_PLAIN, "  %-*s %" PRIu64 " started, %s of CPU "
	    "time, %s of it for nothing", COLUMN, "jobs", t->tries,
	    text_format_duration(busy, t->busy_us * 1000),
	    text_format_duration(wasted, t->wasted_us * 1000));
	if (again.used != 0)
		print_line(p, PRINT_WARN, "  %-*s %s", COLUMN, "again",
		    again.text);
	if (undone.used != 0)
		print_line(p, PRINT_WARN, "  %-*s %s", COLUMN, "not done",
		    undone.text);
}

void
account_print(const struct account *a)
{
	const struct print p = print_open(stdout);
	const struct work *w = &a->work;
	const struct ops_cleanups cleanups = { w->cleanups, w->cleanup_freed,
		w->cleanup_returned, ns_of(w->cleanup_seconds),
		ns_of(w->refault_seconds) };
	char mean[TEXT_BYTES_ROOM], item[TEXT_BYTES_ROOM];
	struct advised advised;

	print_head(&p, a);
	if (w->batches != 0) {
		work_print_of(&p, w, COLUMN);
		print_line(&p, PRINT_PLAIN, "  %-*s %s a %s on average, %s "
		    "each %s", COLUMN, "took", text_format_bytes(mean,
		    whole_u64(w->batch_mean)), a->jobs ? "job" : "batch",
		    text_format_bytes(item, whole_u64(w->bytes_per_item)),
		    a->file->look.begin.unit);
	}
	ops_print_cleanups(&p, &cleanups, COLUMN);
	print_jobs(&p, a);
	print_failed(&p, a);
	if (a->file->look.work_at_ns == 0 && w->batches != 0)
		print_line(&p, PRINT_FAINT, "  %-*s delays and cleanups are "
		    "not known: no process came to tell of them", COLUMN, "");
	account_advise(a, &advised);
	advise_print_of(&advised, &p, COLUMN);
	advise_close(&advised);
}

/* --- JSON ----------------------------------------------------------------- */

static json_t *
json_jobs(const struct account *a)
{
	const struct journal_totals *t = &a->told->total;
	const struct json_member members[] = {
		{ "tries", json_number(t->tries) },
		{ "retries", json_number(t->retried) },
		{ "oom_kills", json_number(t->oom) },
		{ "no_memory", json_number(t->no_memory) },
		{ "preempted", json_number(t->preempted) },
		{ "suspended", json_number(t->suspended) },
		{ "split", json_number(t->split) },
		{ "poison", json_number(t->poison) },
		{ "timeouts", json_number(t->late) },
		{ "skipped", json_number(t->skipped) },
		{ "waits", json_number(t->waits) },
		{ "cpu_seconds", json_real((double)t->busy_us / 1e6) },
		{ "wasted_cpu_seconds", json_real((double)t->wasted_us /
		    1e6) },
	};

	return a->jobs ? json_fill(json_object(), members,
	    ARRAY_LENGTH(members)) : json_null();
}

int
account_print_json(const struct account *a)
{
	json_t *object = json_head(), *run = runs_json(a->file);
	struct advised advised;

	account_advise(a, &advised);
	json_object_update(object, run);
	json_decref(run);
	const struct json_member members[] = {
		{ "program", json_text(a->file->look.begin.program.path) },
		{ "duration", json_real(a->seconds) },
		{ "told", json_boolean(a->file->look.work_at_ns != 0) },
		{ "source", a->source[0] == '\0' ? json_null() :
		    json_text(a->source) },
		{ "refused", json_number(a->refused) },
		{ "work", work_json_of(&a->work) },
		{ "jobs", json_jobs(a) },
		{ "operations", ops_json(a->op, a->facts.ops) },
		{ "recommendations", advise_json_all(&advised) },
	};

	advise_close(&advised);
	return json_print(json_fill(object, members, ARRAY_LENGTH(members)));
}
