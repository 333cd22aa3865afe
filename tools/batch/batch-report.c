/*
 * batch-report.c - how a batch was, at its end
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/text.h"
#include "batch/batch.h"
#include "run/run.h"
#include "runs/undone.h"
#include "say/print.h"
#include "symbols/json.h"
#include "sys/sys.h"

static double
seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

static uint64_t
mean_peak(const struct batch *b)
{
	return b->figures.peak_jobs != 0 ? b->figures.peak_sum /
	    b->figures.peak_jobs : 0;
}

static uint64_t
item_bytes(const struct batch *b)
{
	return b->figures.peak_items != 0 ? b->figures.peak_sum /
	    b->figures.peak_items : 0;
}

static double
utilisation(const struct batch *b)
{
	uint64_t budget = batch_room_budget(b);

	return budget != 0 ? (double)b->figures.peak_used / (double)budget : 0;
}

static void
report_json(const struct batch *b)
{
	const struct batch_figures *f = &b->figures;
	const struct json_member members[] = {
		{ "id", json_text(b->id) },
		{ "items", json_number(f->items) },
		{ "items_failed", json_number(f->items_failed) },
		{ "items_before", json_number(f->before) },
		{ "skipped", json_number(f->skipped) },
		{ "jobs", json_number(b->counts.done) },
		{ "failed", json_number(b->counts.failed) },
		{ "tries", json_number(f->tries) },
		{ "retries", json_number(f->retried) },
		{ "oom_kills", json_number(f->oom) },
		{ "no_memory", json_number(f->no_memory) },
		{ "preempted", json_number(f->preempted) },
		{ "suspended", json_number(f->suspended) },
		{ "split", json_number(f->split) },
		{ "poison", json_number(f->poison) },
		{ "timeouts", json_number(f->late) },
		{ "budget", json_number(batch_room_budget(b)) },
		{ "peak", json_number(f->peak_used) },
		{ "job_peak", json_number(f->peak_job) },
		{ "job_mean", json_number(mean_peak(b)) },
		{ "bytes_per_item", json_number(item_bytes(b)) },
		{ "utilization", json_real(utilisation(b)) },
		{ "waits", json_number(f->waits) },
		{ "wait_seconds", json_real(seconds(f->wait_ns)) },
		{ "delay_seconds", json_real(seconds(f->delay_ns)) },
		{ "delay_freed", json_number(f->delay_freed) },
		{ "cpu_seconds", json_real((double)f->busy_us / 1e6) },
		{ "wasted_cpu_seconds", json_real((double)f->wasted_us /
		    1e6) },
		{ "checkpoints", json_number(f->marks) },
		{ "seconds", json_real(seconds(sys_clock() - b->began_ns)) },
	};

	json_say(json_fill(json_head(), members, ARRAY_LENGTH(members)));
}

static void
report_jobs(const struct batch *b, const struct print *p)
{
	const struct batch_figures *f = &b->figures;
	char time[TEXT_DURATION_ROOM];

	print_line(p, PRINT_STRONG, "batch %s: %llu %s%s in %llu job%s, %s",
	    b->id, (unsigned long long)f->items, b->unit,
	    f->items == 1 ? "" : "s", (unsigned long long)b->counts.done,
	    b->counts.done == 1 ? "" : "s",
	    text_format_duration(time, sys_clock() - b->began_ns));
	if (f->before != 0)
		print_line(p, PRINT_PLAIN, "  before     %llu %ss were done "
		    "already", (unsigned long long)f->before, b->unit);
	if (b->counts.failed != 0)
		print_line(p, PRINT_BAD, "  failed     %llu job%s, %llu %s%s",
		    (unsigned long long)b->counts.failed,
		    b->counts.failed == 1 ? "" : "s",
		    (unsigned long long)f->items_failed, b->unit,
		    f->items_failed == 1 ? "" : "s");
}

static void
report_memory(const struct batch *b, const struct print *p)
{
	char peak[TEXT_BYTES_ROOM], limit[TEXT_BYTES_ROOM];
	char job[TEXT_BYTES_ROOM], mean[TEXT_BYTES_ROOM];
	char item[TEXT_BYTES_ROOM];

	print_line(p, PRINT_PLAIN, "  memory     peak %s of %s (%.0f%%); a job "
	    "%s on average, %s at most; %s each %s",
	    text_format_bytes(peak, b->figures.peak_used),
	    text_format_bytes(limit, batch_room_budget(b)),
	    100 * utilisation(b),
	    text_format_bytes(mean, mean_peak(b)),
	    text_format_bytes(job, b->figures.peak_job),
	    text_format_bytes(item, item_bytes(b)), b->unit);
}

static const char *
plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void
report_waits(const struct batch_figures *f, const struct print *p)
{
	char wait[TEXT_DURATION_ROOM], delay[TEXT_DURATION_ROOM];
	char freed[TEXT_BYTES_ROOM];
	struct print_list list = { .used = 0 };

	print_list_add(&list, f->waits, "%llu time%s for room, %s in all",
	    (unsigned long long)f->waits, plural(f->waits),
	    text_format_duration(wait, f->wait_ns));
	print_list_add(&list, f->delay_ns, "delays of %s, in which %s came "
	    "free", text_format_duration(delay, f->delay_ns),
	    text_format_bytes(freed, f->delay_freed));
	print_list_add(&list, f->suspended, "%llu time%s a job stood still",
	    (unsigned long long)f->suspended, plural(f->suspended));
	if (list.used != 0)
		print_line(p, PRINT_PLAIN, "  waits      %s", list.text);
}

/* Of all that went on to have it fit, only what did. */
static void
report_care(const struct batch *b, const struct print *p)
{
	char wasted[TEXT_DURATION_ROOM];
	struct print_list list;
	struct journal_totals t;

	report_waits(&b->figures, p);
	batch_work_sum(b, &t);
	list = undone_again(&t);
	if (list.used != 0)
		print_line(p, PRINT_WARN, "  again      %s; %s of CPU time for "
		    "nothing", list.text, text_format_duration(wasted,
		    t.wasted_us * 1000));
	list = undone_for_good(&t);
	if (list.used != 0)
		print_line(p, PRINT_WARN, "  left out   %s", list.text);
}

void
batch_report(const struct batch *b)
{
	struct print p = print_open(stderr);

	if (b->silent || b->summary == SUMMARY_OFF)
		return;
	if (b->summary == SUMMARY_JSON) {
		report_json(b);
		return;
	}
	report_jobs(b, &p);
	if (b->counts.done == 0)
		return;
	report_memory(b, &p);
	report_care(b, &p);
}
