#include "plan/run-failed.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

/* Numbers of records that were given up, and until where all counts. */
struct given_up {
	struct spans numbers;
	uint64_t floor; /* of the last end */
};

/* One that is to be gone on with is none. */
static bool
is_over(const struct journal_record *record)
{
	struct journal_end end;

	if (record->type != JOURNAL_END)
		return false;
	journal_take(record, &end, sizeof(end));
	return end.ok != 0 && !end.redo;
}

static int
note_given_up(struct given_up *g, const struct journal_record *record)
{
	struct journal_switch s;
	uint64_t from;

	if (is_over(record))
		g->floor = record->number;
	if (record->type != JOURNAL_SWITCH)
		return 0;
	journal_take(record, &s, sizeof(s));
	/* Only who does again what failed leaves a run over that is over. */
	if (!s.redo)
		g->floor = 0;
	/* Where there is no such mark the start rules (run_look_settle()). */
	from = max_u64(s.from < record->number ? s.from : 0, g->floor);
	return from + 1 < record->number ? spans_put(&g->numbers, from + 1,
	    record->number, 0) : 0;
}

/* The end of [first, first + count), which may be nonsense. */
static uint64_t
end_of(uint64_t first, uint64_t count)
{
	return first + min_u64(count, UINT64_MAX - first);
}

static int
apply_batch(struct run_failed *out, const struct journal_record *record)
{
	struct journal_batch b;
	uint64_t most, end;
	int r;

	journal_take(record, &b, sizeof(b));
	/* An older file does not tell when it was begun. */
	most = b.begun != 0 ? b.begun : b.failed == 0 ? UINT64_MAX : 0;
	end = end_of(b.first, b.count);
	r = spans_drop(&out->failed, b.first, end, most);
	/* Somebody wanted it done after all, and it went well. */
	return r < 0 ? r : spans_drop(&out->quarantined, b.first, end, most);
}

static int
apply_fail(struct run_failed *out, const struct journal_record *record)
{
	struct journal_fail f;
	uint64_t end;
	int r;

	journal_take(record, &f, sizeof(f));
	end = end_of(f.first, f.count);
	if (record->type == JOURNAL_QUAR) {
		r = spans_drop(&out->failed, f.first, end, UINT64_MAX);
		return r < 0 ? r : spans_put(&out->quarantined, f.first, end,
		    record->number);
	}
	if (f.reason == 0) {
		r = spans_drop(&out->failed, f.first, end, UINT64_MAX);
		return r < 0 ? r : spans_drop(&out->quarantined, f.first, end,
		    UINT64_MAX);
	}
	return spans_put(&out->failed, f.first, end, record->number);
}

static int
apply(struct run_failed *out, const struct given_up *g,
    const struct journal_record *record)
{
	bool counts = !spans_meet(&g->numbers, record->number,
	    record->number + 1);
	struct journal_switch s;
	struct journal_mark m;

	switch (record->type) {
	case JOURNAL_QUAR:
		return apply_fail(out, record);
	case JOURNAL_FAIL:
		return counts ? apply_fail(out, record) : 0;
	case JOURNAL_BATCH:
		return counts ? apply_batch(out, record) : 0;
	case JOURNAL_MARK:
		journal_take(record, &m, sizeof(m));
		if (counts && out->from != TIDE_NONE)
			out->from = m.cursor;
		return 0;
	case JOURNAL_END:
		if (counts && is_over(record))
			out->from = TIDE_NONE;
		return 0;
	case JOURNAL_SWITCH:
		journal_take(record, &s, sizeof(s));
		if (!s.redo)
			out->from = s.cursor;
		return 0;
	default:
		return 0;
	}
}

int
run_failed_read(int fd, uint8_t *buffer, struct run_failed *out)
{
	struct journal_reader reader;
	struct journal_record record;
	struct given_up g;
	int r = 0;

	memset(&g, 0, sizeof(g));
	journal_read(&reader, fd, buffer);
	while (r == 0 && journal_next(&reader, &record) > 0)
		r = note_given_up(&g, &record);
	journal_read(&reader, fd, buffer);
	while (r == 0 && journal_next(&reader, &record) > 0)
		r = apply(out, &g, &record);
	if (r == 0)
		r = reader.error;
	spans_close(&g.numbers);
	if (r < 0)
		run_failed_close(out);
	return r;
}

int
run_failed_to_redo(struct run_failed *f)
{
	size_t i;
	int r = 0;

	if (f->from != TIDE_NONE)
		r = spans_drop(&f->failed, f->from, UINT64_MAX, UINT64_MAX);
	for (i = 0; r == 0 && i < f->quarantined.count; i++)
		r = spans_drop(&f->failed, f->quarantined.at[i].first,
		    f->quarantined.at[i].end, UINT64_MAX);
	return r;
}

void
run_failed_close(struct run_failed *f)
{
	spans_close(&f->failed);
	spans_close(&f->quarantined);
}
