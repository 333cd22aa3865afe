/*
 * export-heaptrack.c - a profile as a record that heaptrack_print replays
 *
 * The interpreted form, file version 3: texts, addresses, traces, sizes, and a
 * line for each call.  A profile has sums, so the calls are those of a plan
 * that has the same (replay.h).  To free a block right after it was allocated
 * makes it temporary to heaptrack; of two blocks that take turns none is.
 *
 * heaptrack has no way to say "as often again".  Of more calls than can be
 * written each line stands for several, with their bytes; then the numbers of
 * calls are too low, and that is said.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "formats/export.h"
#include "formats/replay.h"
#include "formats/roll.h"
#include "say/need.h"

#define CALLS_MOST UINT64_C(16000000) /* some 200 MiB of lines */
#define SHARE      8 /* a block that stands for many: so much of the peak */

struct record {
	const struct export *e;
	struct roll_entry *texts, *addresses, *traces, *sizes;
	struct replay_plan *plan; /* by row */
	uint64_t *trace;          /* by row */
	uint64_t left, left_bytes; /* size that has none to take turns with */
	bool waits, lumped;
};

/* --- stacks --------------------------------------------------------------- */

/* 0 is no text. */
static uint64_t
text_of(struct record *r, const char *text)
{
	size_t bytes = strlen(text);
	bool fresh;
	uint64_t n;

	if (bytes == 0)
		return 0;
	n = roll_number(&r->texts, text, bytes, 1, &fresh);
	if (fresh)
		fprintf(r->e->to, "s %zx %s\n", bytes, text);
	return n;
}

/* A call: its address, and functions, the innermost first. */
static uint64_t
address_of(struct record *r, const struct frame *f, size_t count)
{
	struct { uint64_t pc, module, function, line; } key = {
		f->pc, text_of(r, f->module), text_of(r, f->function), f->line
	};
	uint64_t n;
	bool fresh;

	/* Each of them is to have a number before the line that names it. */
	for (size_t i = 0; i < count; i++) {
		text_of(r, f[i].function);
		text_of(r, f[i].file);
	}
	n = roll_number(&r->addresses, &key, sizeof(key), 1, &fresh);
	if (!fresh)
		return n;
	fprintf(r->e->to, "i %" PRIx64 " %" PRIx64,
	    f->note || f->pc >= NODE_NAMED ? 0 : f->pc - 1, key.module);
	for (size_t i = 0; i < count; i++) {
		uint64_t function = text_of(r, f[i].function);

		fprintf(r->e->to, " %" PRIx64 " %" PRIx64 " %" PRIx32,
		    function, text_of(r, f[i].file), f[i].line);
	}
	fputc('\n', r->e->to);
	return n;
}

/* Traces are made from the outside in. */
static uint64_t
trace_of(struct record *r, const struct frame *frame, size_t count)
{
	uint64_t parent = 0;

	while (count != 0) {
		size_t from = count - 1;
		uint64_t key[2];
		bool fresh;

		while (from > 0 && frame[from - 1].inlined &&
		    frame[from - 1].pc == frame[count - 1].pc)
			from--;
		key[0] = address_of(r, &frame[from], count - from);
		key[1] = parent;
		parent = roll_number(&r->traces, key, sizeof(key), 1, &fresh);
		if (fresh)
			fprintf(r->e->to, "t %" PRIx64 " %" PRIx64 "\n",
			    key[0], key[1]);
		count = from;
	}
	return parent;
}

/* --- calls ---------------------------------------------------------------- */

/* The number, from 0, of blocks of @size from where row @i allocates. */
static uint64_t
size_of(struct record *r, size_t i, uint64_t size)
{
	const uint64_t key[2] = { size, r->trace[i] };
	bool fresh;
	uint64_t n = roll_number(&r->sizes, key, sizeof(key), 1, &fresh) - 1;

	if (fresh)
		fprintf(r->e->to, "a %" PRIx64 " %" PRIx64 "\n", key[0],
		    key[1]);
	return n;
}

static void
put_calls(struct record *r, char sign, uint64_t number, uint64_t count)
{
	for (; count != 0 && !ferror(r->e->to); count--)
		fprintf(r->e->to, "%c %" PRIx64 "\n", sign, number);
}

static void
put_blocks(struct record *r, char sign, size_t i,
    const struct replay_blocks *b)
{
	if (b->more != 0)
		put_calls(r, sign, size_of(r, i, b->size + 1), b->more);
	if (b->count > b->more)
		put_calls(r, sign, size_of(r, i, b->size),
		    b->count - b->more);
}

static void
put_brief(struct record *r, size_t i, uint64_t size, uint64_t count)
{
	uint64_t number;

	if (count == 0)
		return;
	number = size_of(r, i, size);
	for (; count != 0 && !ferror(r->e->to); count--)
		fprintf(r->e->to, "+ %" PRIx64 "\n- %" PRIx64 "\n", number,
		    number);
}

static void
put_turns(struct record *r, uint64_t a, uint64_t b, uint64_t count)
{
	for (; count != 0 && !ferror(r->e->to); count--)
		fprintf(r->e->to, "+ %" PRIx64 "\n+ %" PRIx64 "\n- %" PRIx64
		    "\n- %" PRIx64 "\n", a, b, a, b);
}

/* One that has no other of its site: it waits for one of another. */
static void
put_single(struct record *r, size_t i, uint64_t size)
{
	uint64_t number = size_of(r, i, size);

	if (r->waits && r->left != number) {
		put_turns(r, r->left, number, 1);
		r->waits = false;
	} else if (r->waits) {
		put_brief(r, i, size, 1);
	} else {
		r->left = number;
		r->left_bytes = size;
		r->waits = true;
	}
}

/*
 * Two that take turns must differ, or heaptrack takes one for the other: a byte
 * from one to the next does it, and leaves the sum.
 */
static void
put_even(struct record *r, size_t i, uint64_t size, uint64_t count)
{
	if (size != 0 && count >= 2)
		put_turns(r, size_of(r, i, size + 1), size_of(r, i, size - 1),
		    count / 2);
	else if (count >= 2)
		put_brief(r, i, size, count / 2 * 2);
	if (count % 2 != 0)
		put_single(r, i, size);
}

static void
put_passing(struct record *r, size_t i, const struct replay_blocks *b)
{
	uint64_t pairs = min_u64(b->more, b->count - b->more);

	if (pairs != 0)
		put_turns(r, size_of(r, i, b->size + 1),
		    size_of(r, i, b->size), pairs);
	put_even(r, i, b->size + 1, b->more - pairs);
	put_even(r, i, b->size, b->count - b->more - pairs);
}

/* --- the plan ------------------------------------------------------------- */

/* Fewer blocks, none so large that they would be a peak of their own. */
static void
lump(struct record *r, struct replay_blocks *b, double share)
{
	uint64_t bytes = b->count * b->size + b->more;
	uint64_t most = r->e->report->totals.peak_bytes / SHARE + 1;
	uint64_t count = whole_u64((double)b->count * share) + 1;

	count = max_u64(count, bytes / most + 1);
	if (count >= b->count)
		return;
	*b = replay_spread(count, bytes);
	r->lumped = true;
}

/*
 * Even what lives is more than can be written, or a damaged profile says so:
 * then no block is as large as it was.
 */
static void
lump_all(struct record *r)
{
	double share, calls = 0;

	for (size_t i = 0; i < r->e->rows; i++) {
		const struct replay_plan *p = &r->plan[i];

		calls += (double)p->stay.count + (double)p->peak.count +
		    (double)p->late.count + (double)p->brief.count +
		    (double)p->pass.count;
	}
	share = CALLS_MOST / calls;
	for (size_t i = 0; share < 0.5 && i < r->e->rows; i++) {
		struct replay_plan *p = &r->plan[i];
		struct replay_blocks *all[] = { &p->stay, &p->peak, &p->late,
			&p->brief, &p->pass };

		for (size_t k = 0; k < ARRAY_LENGTH(all); k++) {
			struct replay_blocks *b = all[k];
			uint64_t n = whole_u64((double)b->count * share) + 1;

			if (n >= b->count)
				continue;
			*b = replay_spread(n, b->count * b->size + b->more);
			r->lumped = true;
		}
	}
}

static void
make_plans(struct record *r)
{
	const struct export *e = r->e;
	uint64_t calls = 0;

	for (size_t i = 0; i < e->rows; i++) {
		const struct export_row *row = &e->row[i];
		const struct replay_figures f = {
			.allocations =
			    (uint64_t)row->value[EXPORT_ALLOCATIONS],
			.bytes = (uint64_t)row->value[EXPORT_BYTES],
			.live_blocks = row->live_blocks,
			.live_bytes = (uint64_t)row->value[EXPORT_LIVE],
			.peak_bytes = (uint64_t)row->value[EXPORT_PEAK],
			.temporary = row->temporary,
		};

		replay_plan(&f, &r->plan[i]);
		calls += min_u64(f.allocations, UINT64_MAX - calls);
	}
	for (size_t i = 0; calls > CALLS_MOST && i < e->rows; i++) {
		double share = (double)CALLS_MOST / (double)calls;

		lump(r, &r->plan[i].brief, share);
		lump(r, &r->plan[i].pass, share);
	}
	lump_all(r);
}

/* --- the peak ------------------------------------------------------------- */

/* The row whose block was the peak, and freed at once; e->rows: none. */
static size_t
find_brief(const struct record *r)
{
	size_t i;

	for (i = 0; i < r->e->rows && !r->plan[i].peak_is_brief; i++)
		;
	return i;
}

/* The only row that was there at the peak, if none of it stays; or e->rows. */
static size_t
find_alone(const struct record *r)
{
	size_t alone = r->e->rows;

	for (size_t i = 0; i < r->e->rows; i++) {
		if (r->plan[i].stay.count != 0 ||
		    (r->plan[i].peak.count != 0 && alone != r->e->rows))
			return r->e->rows;
		if (r->plan[i].peak.count != 0)
			alone = i;
	}
	return alone;
}

/* Blocks of one size alone: the last differs by a byte from the first freed. */
static bool
put_alone(struct record *r, size_t i)
{
	const struct replay_blocks *b = &r->plan[i].peak;
	uint64_t number, first, last;

	if (b->more != 0 || b->count < 2 || b->size == 0)
		return false;
	number = size_of(r, i, b->size);
	first = size_of(r, i, b->size + 1);
	last = size_of(r, i, b->size - 1);
	put_calls(r, '+', first, 1);
	put_calls(r, '+', number, b->count - 2);
	put_calls(r, '+', last, 1);
	put_calls(r, '-', first, 1);
	put_calls(r, '-', number, b->count - 2);
	put_calls(r, '-', last, 1);
	return true;
}

/* Take one of the blocks of row @i, the first that would be put. */
static uint64_t
take_block(struct record *r, size_t i, struct replay_blocks *b)
{
	uint64_t size = b->size + (b->more != 0);

	b->more -= b->more != 0;
	b->count--;
	return size_of(r, i, size);
}

/*
 * A block was left that passes, and has none to take turns with: it does so
 * with the first that is there at the peak.  The number of that, 1 added, if it
 * is to be freed behind it, else 0.
 */
static uint64_t
put_left(struct record *r)
{
	uint64_t peak = r->e->report->totals.peak_bytes, number, keep = 0;
	size_t i;

	for (i = 0; i < r->e->rows && r->plan[i].stay.count == 0 &&
	    r->plan[i].peak.count < 2; i++)
		;
	if (i == r->e->rows ||
	    r->left_bytes + r->plan[i].peak.size + r->plan[i].stay.size >=
	    peak) {
		fprintf(r->e->to, "+ %" PRIx64 "\n- %" PRIx64 "\n", r->left,
		    r->left);
		return 0;
	}
	fprintf(r->e->to, "+ %" PRIx64 "\n", r->left);
	if (r->plan[i].stay.count != 0) {
		number = take_block(r, i, &r->plan[i].stay);
	} else {
		number = take_block(r, i, &r->plan[i].peak);
		keep = number + 1;
	}
	fprintf(r->e->to, "+ %" PRIx64 "\n- %" PRIx64 "\n", number, r->left);
	return keep;
}

/*
 * What is freed next is not what came last, which heaptrack would take for
 * temporary; unless it was.
 */
static void
put_peak(struct record *r)
{
	size_t rows = r->e->rows, brief = find_brief(r), alone = find_alone(r);
	uint64_t keep = r->waits ? put_left(r) : 0;

	if (brief == rows && alone != rows && put_alone(r, alone)) {
		put_calls(r, '-', keep - 1, keep != 0);
		return;
	}
	for (size_t i = 0; i < rows; i++)
		if (i != brief)
			put_blocks(r, '+', i, &r->plan[i].peak);
	for (size_t i = 0; i < rows; i++)
		put_blocks(r, '+', i, &r->plan[i].stay);
	if (brief != rows) {
		struct replay_blocks *b = &r->plan[brief].peak;

		put_blocks(r, '+', brief, b);
		put_calls(r, '-', size_of(r, brief, b->size), 1);
		b->count--;
	}
	for (size_t i = 0; i < rows; i++)
		put_blocks(r, '-', i, &r->plan[i].peak);
	put_calls(r, '-', keep - 1, keep != 0);
}

/* Every part of the plan is carried out for all rows, then the next. */
static void
put_course(struct record *r)
{
	const struct export *e = r->e;
	const struct totals *t = &e->report->totals;
	const struct profile *p = e->report->profile;
	size_t i;

	/*
	 * Size 0 is nobody's: heaptrack takes it for the one that came last
	 * where none did.
	 */
	if (e->rows != 0)
		(void)size_of(r, 0, UINT64_MAX >> 1);
	fputs("c 0\n", e->to);
	for (i = 0; i < e->rows; i++) {
		const struct replay_blocks *b = &r->plan[i].brief;

		put_brief(r, i, b->size + 1, b->more);
		put_brief(r, i, b->size, b->count - b->more);
		put_passing(r, i, &r->plan[i].pass);
	}
	fprintf(e->to, "c %" PRIx64 "\n", totals_peak_ns(t) / NS_PER_MS);
	put_peak(r);
	fprintf(e->to, "c %" PRIx64 "\n",
	    (p->now_ns - p->segment->identity.clock_ns) / NS_PER_MS);
	for (i = 0; i < e->rows; i++)
		put_blocks(r, '+', i, &r->plan[i].late);
}

static void
put_head(const struct export *e)
{
	const struct profile *p = e->report->profile;
	uint64_t page = p->segment->head.page_bytes;
	char *command = print_clean(profile_command(p));
	char *caveat = export_caveat(e);

	page = page != 0 ? page : 4096;
	fprintf(e->to, "v 10400 3\nX %s\nI %" PRIx64 " 0\n", command, page);
	fputs("# made by heaptide of a profile's sums: the course in between "
	    "is not recorded\n", e->to);
	if (caveat[0] != '\0')
		fprintf(e->to, "# %s\n", caveat);
	if (e->report->rss.at_ns != 0)
		fprintf(e->to, "R %" PRIx64 "\n", e->report->rss.peak / page);
	free(command);
	free(caveat);
}

bool
export_heaptrack(const struct export *e)
{
	struct record r = { .e = e };

	r.plan = need(calloc(e->rows + 1, sizeof(*r.plan)));
	r.trace = need(calloc(e->rows + 1, sizeof(*r.trace)));
	put_head(e);
	make_plans(&r);
	for (size_t i = 0; i < e->rows; i++) {
		struct frame *frame;
		size_t count = export_stack(e, &e->row[i], &frame);

		r.trace[i] = trace_of(&r, frame, count);
		free(frame);
	}
	put_course(&r);
	if (r.lumped)
		print_error("export: there were too many calls for a line "
		    "each: in this file the numbers of calls are lower, sizes "
		    "are right");
	roll_free(&r.texts);
	roll_free(&r.addresses);
	roll_free(&r.traces);
	roll_free(&r.sizes);
	free(r.plan);
	free(r.trace);
	return true;
}
