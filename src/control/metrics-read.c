/*
 * metrics-read.c - what the table of metrics is filled with
 */
#include "control/metrics.h"

#include <string.h>

#include "base/base.h"
#include "control/counsel.h"
#include "control/seen.h"

#define NS_A_TICK (NS_PER_S / 100) /* USER_HZ, of every machine we know */

/* What the program was called by: the last part of its first argument. */
static void
read_command(const struct control *c, struct metrics_facts *f)
{
	const struct segment_text text = c->segment->identity.arguments;
	const char *start = control_rows(c, TABLE_TEXT), *slash;
	uint64_t bytes = control_count(c, TABLE_TEXT);
	size_t length;

	if (text.offset > bytes || text.bytes > bytes - text.offset)
		return;
	start += text.offset;
	length = strnlen(start, text.bytes);
	slash = memrchr(start, '/', length);
	if (slash != NULL && slash + 1 < start + length) {
		length -= (size_t)(slash + 1 - start);
		start = slash + 1;
	}
	length = min_u64(length, sizeof(f->command) - 1);
	memcpy(f->command, start, length);
	f->command[length] = '\0';
}

static void
read_sums(const struct control *c, struct metrics_facts *f)
{
	struct control_sums sums;

	control_sum(c, &sums);
	f->live_bytes = sums.live_bytes;
	f->live_blocks = sums.live_blocks;
	f->peak_bytes = sums.peak_bytes;
	f->allocated = sums.allocated;
	f->freed = sums.freed;
	f->allocations = sums.allocations;
	f->frees = sums.frees;
	f->temporary = sums.temporary;
	f->threads = atomic_load(&c->segment->live.threads);
}

static void
read_process(const struct control *c, struct metrics_facts *f)
{
	const struct segment_rss *rss = &c->segment->rss[RSS_LAST];
	struct proc_status status = { 0 };
	struct proc_stat stat;
	size_t i;

	if (seen_status(c, &status) == 0) {
		f->resident = status.resident;
		f->resident_peak = status.peak;
	}
	if (seen_stat(c, &stat) == 0)
		f->cpu = stat.cpu_ticks * NS_A_TICK;
	f->started = (uint64_t)c->segment->identity.started_ns;
	if (rss->at_ns == 0)
		return;
	for (i = 0; i < RSS_TERMS; i++)
		f->terms[i] = rss->terms[i];
	f->own = rss->terms[RSS_HEAPTIDE];
}

static void
read_limit(const struct control *c, struct metrics_facts *f)
{
	struct limit limit;

	if (seen_limit(c, &limit) < 0 || limit.bytes == LIMIT_NONE)
		return;
	f->limit = limit.bytes;
	f->limit_used = limit.used;
	f->limit_available = limit.available;
	if (limit.source != NULL)
		memcpy(f->source, limit.source, min_u64(strlen(limit.source),
		    sizeof(f->source) - 1));
}

/* TIDE_NONE and METRICS_UNKNOWN are the same. */
static void
read_room(const struct control *c, struct metrics_facts *f)
{
	const struct tide_room *room = control_room(c);
	size_t i;

	if (room == NULL)
		return;
	f->budget = room->budget;
	f->used = room->used;
	f->available = room->left;
	for (i = 0; i < METRICS_STATES; i++) {
		f->state[i] = room->state == (int)i;
		f->state_time[i] = room->at_state_ns[i];
	}
	f->warnings = room->warnings;
	f->failed = room->failed;
	f->cleanups = room->cleanups;
	f->cleanup_bytes = room->cleanup_bytes;
	f->cleanup_returned = room->cleanup_returned;
	f->cleanup_time = room->cleanup_ns;
	f->drains = room->drains;
}

static void
read_lost(const struct control *c, struct metrics_facts *f)
{
	const struct segment_lost *lost = &c->segment->lost;

	f->lost[0] = atomic_load(&lost->sites);
	f->lost[1] = atomic_load(&lost->blocks);
	f->lost[2] = atomic_load(&lost->threads);
	f->lost[3] = atomic_load(&lost->unknown_frees);
}

void
metrics_read(const struct control *c, struct metrics_facts *f)
{
	struct trend_line minute;

	/* All bits set: METRICS_UNKNOWN, whatever it is. */
	memset(f, 0xff, sizeof(*f));
	memset(f->command, 0, sizeof(f->command));
	memset(f->source, 0, sizeof(f->source));
	f->pid = c->pid != 0 ? c->pid : c->segment->identity.pid;
	f->stacks = control_stacks(atomic_load(&c->segment->config.stacks));
	f->epochs = c->segment->watch.epochs;
	read_command(c, f);
	read_sums(c, f);
	read_process(c, f);
	read_limit(c, f);
	read_room(c, f);
	read_lost(c, f);
	f->grows = seen_growth(c, SEEN_MINUTE, 0, &minute) &&
	    minute.rate > -9e18 && minute.rate < 9e18;
	f->growth = f->grows ? (int64_t)minute.rate : 0;
	f->ops = counsel_ops(c, f->op);
}
