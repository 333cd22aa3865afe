/*
 * diff-text.c - what differs, for a person: totals, then who grew
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "diff/diff.h"
#include "report/report.h"
#include "say/print.h"

#define TOP_DEFAULT 10

/* --- words ---------------------------------------------------------------- */

#define CELL_ROOM 40

static void
put_size(char words[CELL_ROOM], bool bytes, uint64_t value)
{
	if (bytes)
		text_format_bytes(words, value);
	else
		text_format_count(words, value);
}

/* `+1.2 MiB`; what is only estimated is about as much. */
static void
put_signed(char words[CELL_ROOM], bool bytes, bool estimated, int64_t value)
{
	char size[CELL_ROOM];

	put_size(size, bytes, value < 0 ? -(uint64_t)value : (uint64_t)value);
	snprintf(words, CELL_ROOM, "%s%s%.30s", estimated ? "~" : "",
	    value < 0 ? "-" : value > 0 ? "+" : "", size);
}

static void
put_relative(char words[CELL_ROOM], uint64_t a, uint64_t b)
{
	if (a == b)
		snprintf(words, CELL_ROOM, "-");
	else if (a == 0)
		snprintf(words, CELL_ROOM, "new");
	else if (b == 0)
		snprintf(words, CELL_ROOM, "gone");
	else
		snprintf(words, CELL_ROOM, "%+.1f %%",
		    100 * ((double)b - (double)a) / (double)a);
}

/* Of a whole number of batches, rounded. */
static int64_t
per_batch(const struct diff *d, int64_t difference)
{
	double each = fabs((double)difference) / (double)d->batches;
	int64_t size = (int64_t)min_u64(whole_u64(each + 0.5), INT64_MAX);

	return difference < 0 ? -size : size;
}

/* --- both sides ----------------------------------------------------------- */

static void
print_side(const struct print *out, const struct diff_side *s)
{
	char *command = profile_command(&s->profile);
	char mark[128] = "", time[TEXT_DURATION_ROOM];
	uint64_t start = s->profile.segment->identity.clock_ns;

	if (s->mark != NULL)
		snprintf(mark, sizeof(mark), " at mark '%s'", s->mark_name);
	print_line(out, PRINT_PLAIN, "%s  %s%s, %s after its start%s: %s",
	    s->name, s->what, mark,
	    text_format_duration(time, above_u64(s->at_ns, start)),
	    s->mark == NULL && s->profile.live ? ", now" : "", command);
	free(command);
}

/* What a reader must know before the numbers goes where errors go. */
static void
print_notes(const struct diff *d)
{
	for (size_t i = 0; i < d->whys; i++)
		print_error("diff: not comparable in full: %s", d->why[i]);
	for (size_t i = 0; i < d->match.rebuilts; i++)
		print_error("diff: '%s' was built anew: its sites are matched "
		    "by the names of functions", d->match.rebuilt[i]);
}

/* --- totals --------------------------------------------------------------- */

static void
amount_cell(struct print_table *t, bool bytes, const struct diff_amount *a)
{
	char words[CELL_ROOM] = "-";

	if (a->known)
		put_size(words, bytes, a->value);
	print_cell(t, "%s", words);
}

static void
print_total(const struct diff *d, struct print_table *t,
    enum diff_total total)
{
	const struct diff_amount *a = &d->side[0].total[total];
	const struct diff_amount *b = &d->side[1].total[total];
	int64_t difference = (int64_t)(b->value - a->value);
	bool bytes = diff_totals[total].bytes, known = a->known && b->known;
	char words[CELL_ROOM];

	print_cell(t, "%s", diff_totals[total].words);
	amount_cell(t, bytes, a);
	amount_cell(t, bytes, b);
	put_signed(words, bytes, false, difference);
	print_cell(t, "%s", known ? words : "-");
	put_relative(words, a->value, b->value);
	print_cell(t, "%s", known ? words : "-");
	if (d->batches == 0)
		return;
	put_signed(words, bytes, false, per_batch(d, difference));
	print_cell(t, "%s", known ? words : "-");
}

static void
print_totals(const struct diff *d, const struct print *out)
{
	static const struct print_column columns[] = {
		{ "", false }, { "A", true }, { "B", true },
		{ "DIFFERENCE", true }, { "RELATIVE", true },
		{ "PER BATCH", true },
	};
	struct print_table *t = print_table_open(columns,
	    ARRAY_LENGTH(columns) - (d->batches == 0));

	for (size_t i = 0; i < DIFF_TOTALS; i++)
		print_total(d, t, (enum diff_total)i);
	print_table_close(t, out, 2);
	if (d->batches != 0)
		print_line(out, PRINT_FAINT, "  from A to B %s %llu batch%s"
		    "%s", d->batches == 1 ? "is" : "are",
		    (unsigned long long)d->batches,
		    d->batches == 1 ? "" : "es",
		    d->options->per != 0 ? "" : ", by its marks");
}

/* --- sites ---------------------------------------------------------------- */

/* Cells in front of the frame, all but @first of them empty. */
static void
skip_cells(const struct diff *d, struct print_table *t, const char *first)
{
	size_t cells = d->batches != 0 ? 5 : 4;

	print_cell(t, "%s", first);
	for (size_t i = 1; i < cells; i++)
		print_cell(t, "%s", "");
}

/* Under the first line: how sure it is, and who called. */
static void
print_callers(const struct diff *d, struct print_table *t,
    const struct diff_row *row, const struct frame *frame, size_t count)
{
	char words[4096], error[CELL_ROOM] = "", bytes[TEXT_BYTES_ROOM];
	uint64_t shown = 0;
	size_t i = 1;

	if (row->error != 0)
		snprintf(error, sizeof(error), "+-%s",
		    text_format_bytes(bytes, row->error));
	while (i < count && shown < d->options->callers) {
		i += report_fold(&frame[i], count - i, words, sizeof(words));
		print_row_style(t, PRINT_FAINT);
		skip_cells(d, t, shown++ == 0 ? error : "");
		print_cell(t, "  %s", words);
	}
	if (shown != 0 || error[0] == '\0')
		return;
	print_row_style(t, PRINT_FAINT);
	skip_cells(d, t, error);
	print_cell(t, "%s", "");
}

static void
print_site(const struct diff *d, struct print_table *t,
    const struct diff_row *row)
{
	const struct holding *held = row->match->held;
	bool estimated = held[0].estimated || held[1].estimated;
	char cell[CELL_ROOM], words[4096] = "[no stack]";
	const struct site *site;
	const struct diff_side *s = diff_shown(d, row, &site);
	struct frame *frame;
	size_t count = symbols_stack(s->symbols, site, &frame);

	print_row_style(t, row->noise ? PRINT_FAINT : PRINT_STRONG);
	put_signed(cell, true, estimated, row->difference);
	print_cell(t, "%s", cell);
	put_relative(cell, held[0].bytes, held[1].bytes);
	print_cell(t, "%s", row->noise ? "noise" : cell);
	print_cell(t, "%s", text_format_bytes(cell, held[0].bytes));
	print_cell(t, "%s", text_format_bytes(cell, held[1].bytes));
	if (d->batches != 0) {
		put_signed(cell, true, estimated,
		    per_batch(d, row->difference));
		print_cell(t, "%s", cell);
	}
	if (count != 0)
		report_frame(words, sizeof(words), &frame[0]);
	print_cell(t, "%s%s", words, row->match->mapping ? " (mapped)" : "");
	print_callers(d, t, row, frame, count);
	free(frame);
}

/* Rows of the sign that is asked for; they need not stand together. */
static bool
is_shown(const struct diff *d, const struct diff_row *row)
{
	return d->options->shrunk ? row->difference < 0 : row->difference > 0;
}

static void
print_sites(const struct diff *d, const struct print *out)
{
	static const struct print_column with[] = {
		{ "DIFFERENCE", true }, { "RELATIVE", true }, { "A", true },
		{ "B", true }, { "PER BATCH", true }, { "SITE", false },
	};
	static const struct print_column without[] = {
		{ "DIFFERENCE", true }, { "RELATIVE", true }, { "A", true },
		{ "B", true }, { "SITE", false },
	};
	size_t top = d->options->top != 0 ? d->options->top : TOP_DEFAULT;
	size_t some = 0, end = 0;
	struct print_table *t;

	for (size_t i = 0; i < d->rows; i++)
		if (is_shown(d, &d->row[i]) && some++ < top)
			end = i + 1;
	if (some == 0) {
		print_line(out, PRINT_PLAIN, "no site %s",
		    d->options->shrunk ? "shrank" : "grew");
		return;
	}
	print_line(out, PRINT_STRONG, "What %s (%zu of %zu sites)",
	    d->options->shrunk ? "shrank" : "grew",
	    (size_t)min_u64(some, top), some);
	t = d->batches != 0 ? print_table_open(with, ARRAY_LENGTH(with)) :
	    print_table_open(without, ARRAY_LENGTH(without));
	diff_resolve(d, end);
	for (size_t i = 0; i < end; i++)
		if (is_shown(d, &d->row[i]))
			print_site(d, t, &d->row[i]);
	print_table_close(t, out, 2);
}

void
diff_print_text(const struct diff *d)
{
	struct print out = print_open(stdout);

	print_notes(d);
	for (int i = 0; i < 2; i++)
		print_side(&out, &d->side[i]);
	fputc('\n', out.to);
	print_totals(d, &out);
	if (!d->side[0].has_sites || !d->side[1].has_sites)
		return;
	fputc('\n', out.to);
	print_sites(d, &out);
}
