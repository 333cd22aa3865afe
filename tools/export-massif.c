/*
 * export-massif.c - a profile for ms_print: the series as snapshots, with trees
 * at the peak and at the end
 *
 * Massif's trees are upside down: below the allocation functions stands who
 * called them.  Sizes are usable ones, so there is nothing "extra".  What is
 * below the threshold is added up, as massif does it, or a tree would have a
 * line for every frame of every site.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/base.h"
#include "export.h"
#include "need.h"

#define THRESHOLD 1000 /* of the whole, so much of it is shown: 0.1 % */

/* A frame, and what is allocated through it. */
struct branch {
	struct branch_key {
		const char *function, *file;
		uint64_t pc, line;
	} key;
	const char *module;
	bool note;
	uint64_t bytes;
	struct branch *callers;
	UT_hash_handle hh;
};

struct massif {
	const struct export *e;
	unsigned number; /* of the next snapshot */
	uint64_t least;  /* bytes that are shown */
};

/* --- a tree --------------------------------------------------------------- */

static struct branch *
branch_of(struct branch *under, const struct frame *f)
{
	const struct branch_key key = { f->function, f->file,
		f->pc < NODE_NAMED ? f->pc : 0, f->line };
	struct branch *b;

	HASH_FIND(hh, under->callers, &key, sizeof(key), b);
	if (b == NULL) {
		b = need(calloc(1, sizeof(*b)));
		b->key = key;
		b->module = f->module;
		b->note = f->note;
		HASH_ADD(hh, under->callers, key, sizeof(key), b);
	}
	return b;
}

static void
grow(const struct export *e, enum export_value value, struct branch *root)
{
	for (size_t i = 0; i < e->rows; i++) {
		int64_t bytes = e->row[i].value[value];
		struct branch *at = root;
		struct frame *frame;
		size_t count;

		if (bytes <= 0)
			continue;
		root->bytes += (uint64_t)bytes;
		count = export_stack(e, &e->row[i], &frame);
		for (size_t k = 0; k < count; k++) {
			at = branch_of(at, &frame[k]);
			at->bytes += (uint64_t)bytes;
		}
		free(frame);
	}
}

static int
compare_branches(const struct branch *a, const struct branch *b)
{
	return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

static void
put_frame(FILE *to, const struct branch *b)
{
	if (b->note) {
		fprintf(to, "0x0: %s\n", b->key.function);
		return;
	}
	fprintf(to, "0x%" PRIX64 ": %s (", b->key.pc, b->key.function);
	if (b->key.file[0] != '\0')
		fprintf(to, "%s:%" PRIu64 ")\n",
		    basename(b->key.file), b->key.line);
	else
		fprintf(to, "in %s)\n",
		    b->module[0] != '\0' ? b->module : "???");
}

/* What is shown under @b comes first, then one line for all that is not. */
static void
put_callers(const struct massif *m, struct branch *b, unsigned depth)
{
	struct branch *c, *next;
	unsigned shown = 0, hidden = 0;
	uint64_t hidden_bytes = 0;

	HASH_SORT(b->callers, compare_branches);
	HASH_ITER(hh, b->callers, c, next) {
		bool is_shown = c->bytes >= m->least;

		shown += is_shown;
		hidden += !is_shown;
		hidden_bytes += is_shown ? 0 : c->bytes;
	}
	fprintf(m->e->to, "%*sn%u: %" PRIu64 " ", depth, "",
	    shown + (hidden != 0), b->bytes);
	if (depth == 0)
		fputs("(heap allocation functions) malloc/new/new[], "
		    "--alloc-fns, etc.\n", m->e->to);
	else
		put_frame(m->e->to, b);
	HASH_ITER(hh, b->callers, c, next)
		if (c->bytes >= m->least)
			put_callers(m, c, depth + 1);
	if (hidden != 0)
		fprintf(m->e->to, "%*sn0: %" PRIu64 " in %u place%s, %s below "
		    "massif's threshold (%.2f%%)\n", depth + 1, "",
		    hidden_bytes, hidden, hidden == 1 ? "" : "s",
		    hidden == 1 ? "" : "all", 100.0 / THRESHOLD);
}

static void
fell(struct branch *b)
{
	struct branch *c, *next;

	HASH_ITER(hh, b->callers, c, next) {
		HASH_DEL(b->callers, c);
		fell(c);
		free(c);
	}
}

static void
put_tree(struct massif *m, enum export_value value, const char *kind)
{
	struct branch root = { 0 };

	grow(m->e, value, &root);
	m->least = max_u64(1, root.bytes / THRESHOLD);
	fprintf(m->e->to, "heap_tree=%s\n", kind);
	put_callers(m, &root, 0);
	fell(&root);
}

/* --- snapshots ------------------------------------------------------------ */

static void
put_snapshot(struct massif *m, double seconds, uint64_t bytes)
{
	fprintf(m->e->to, "#-----------\nsnapshot=%u\n#-----------\n"
	    "time=%.0f\nmem_heap_B=%" PRIu64 "\nmem_heap_extra_B=0\n"
	    "mem_stacks_B=0\n", m->number++, seconds * 1000, bytes);
}

static void
put_peak(struct massif *m)
{
	const struct totals *t = &m->e->report->totals;

	/* Of an estimate, the tree's own sum: ms_print wants them equal. */
	put_snapshot(m, t->peak_at, m->e->estimated ?
	    export_sum(m->e, EXPORT_PEAK) : t->peak_bytes);
	put_tree(m, EXPORT_PEAK, "peak");
}

struct when {
	double at;
	uint64_t bytes;
};

static size_t
collect(const struct profile *p, struct when **points)
{
	size_t count;
	const struct point **point = need(profile_series(p, &count));

	*points = need(calloc(count + 1, sizeof(**points)));
	for (size_t i = 0; i < count; i++)
		(*points)[i] = (struct when){
			profile_seconds(p, point[i]->at_ns),
			point[i]->live_bytes > 0 ?
			    (uint64_t)point[i]->live_bytes : 0,
		};
	free(point);
	return count;
}

/* The points from @i on that lie before @end, or at it; which is the next. */
static size_t
put_points(struct massif *m, const struct when *point, size_t i, size_t count,
    double end)
{
	for (; i < count && point[i].at <= end; i++) {
		put_snapshot(m, point[i].at, point[i].bytes);
		fputs("heap_tree=empty\n", m->e->to);
	}
	return i;
}

bool
export_massif(const struct export *e)
{
	const struct profile *p = e->report->profile;
	const struct totals *t = &e->report->totals;
	double end = profile_seconds(p, p->now_ns);
	char *command = print_clean(profile_command(p));
	char *caveat = export_caveat(e);
	struct massif m = { .e = e };
	struct when *point;
	size_t count = collect(p, &point), next;

	fprintf(e->to, "desc: heaptide%s%s\ncmd: %s\ntime_unit: ms\n",
	    caveat[0] != '\0' ? "; " : "", caveat, command);
	put_snapshot(&m, 0, 0);
	fputs("heap_tree=empty\n", e->to);
	next = put_points(&m, point, 0, count, t->peak_at);
	put_peak(&m);
	put_points(&m, point, next, count, end);
	put_snapshot(&m, end, e->estimated ? export_sum(e, EXPORT_LIVE) :
	    t->live_bytes);
	put_tree(&m, EXPORT_LIVE, "detailed");
	free(point);
	free(command);
	free(caveat);
	return true;
}
