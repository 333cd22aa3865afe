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
#include "formats/export.h"
#include "say/need.h"

#define THRESHOLD 1000 /* of the whole, so much of it is shown: 0.1 % */

/* A frame, once for all rows. */
struct place {
	struct place_key {
		const char *function, *file;
		uint64_t pc, line;
	} key;
	const char *module;
	bool note;
	uint32_t number;
	UT_hash_handle hh;
};

/* The frames of a row, leaf first, by their numbers. */
struct path {
	uint32_t *place;
	size_t count;
};

struct massif {
	const struct export *e;
	unsigned number; /* of the next snapshot */
	uint64_t least;  /* bytes that are shown */
	enum export_value value;
	struct place *places; /* a hash */
	struct place **place; /* by number */
	size_t count, room;
	struct path *path;    /* by row of the export */
};

/* --- frames --------------------------------------------------------------- */

static uint32_t
number_of(struct massif *m, const struct frame *f)
{
	const struct place_key key = { f->function, f->file,
		f->pc < NODE_NAMED ? f->pc : 0, f->line };
	struct place *p;

	HASH_FIND(hh, m->places, &key, sizeof(key), p);
	if (p != NULL)
		return p->number;
	p = need(calloc(1, sizeof(*p)));
	*p = (struct place){
		.key = key, .module = f->module, .note = f->note,
		.number = (uint32_t)m->count,
	};
	HASH_ADD(hh, m->places, key, sizeof(key), p);
	if (m->count == m->room) {
		m->room = max_u64(1024, m->room * 2);
		m->place = need(realloc(m->place,
		    m->room * sizeof(*m->place)));
	}
	m->place[m->count++] = p;
	return p->number;
}

static struct path
path_of(struct massif *m, const struct export_row *row)
{
	struct frame *frame;
	struct path path = { .count = export_stack(m->e, row, &frame) };

	path.place = need(malloc(path.count * sizeof(*path.place)));
	for (size_t i = 0; i < path.count; i++)
		path.place[i] = number_of(m, &frame[i]);
	free(frame);
	return path;
}

static void
find_paths(struct massif *m)
{
	m->path = need(calloc(m->e->rows + 1, sizeof(*m->path)));
	for (size_t i = 0; i < m->e->rows; i++)
		if (m->e->row[i].value[EXPORT_PEAK] > 0 ||
		    m->e->row[i].value[EXPORT_LIVE] > 0)
			m->path[i] = path_of(m, &m->e->row[i]);
}

static void
forget_paths(struct massif *m)
{
	struct place *p, *next;

	for (size_t i = 0; i < m->e->rows; i++)
		free(m->path[i].place);
	free(m->path);
	free(m->place);
	HASH_ITER(hh, m->places, p, next) {
		HASH_DEL(m->places, p);
		free(p);
	}
}

/* --- a tree --------------------------------------------------------------- */

/* A row that has come as far down the tree as we are; where it goes from
 * here. */
struct walker {
	uint32_t row;
	uint32_t place;
};

/* Those that go the same way. */
struct branch {
	struct walker *walker;
	size_t count;
	uint64_t bytes;
	uint32_t first; /* row: of equals, what came first */
};

static uint64_t
bytes_of(const struct massif *m, const struct walker *w)
{
	return (uint64_t)m->e->row[w->row].value[m->value];
}

static int
compare_walkers(const void *a, const void *b)
{
	const struct walker *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static int
compare_branches(const void *a, const void *b)
{
	const struct branch *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

/* Whose stack goes on at @depth comes first; returns how many these are. */
static size_t
step(const struct massif *m, struct walker *w, size_t count, size_t depth)
{
	size_t going = 0;

	for (size_t i = 0; i < count; i++) {
		const struct path *path = &m->path[w[i].row];

		if (depth >= path->count)
			continue;
		w[going].row = w[i].row;
		w[going++].place = path->place[depth];
	}
	qsort(w, going, sizeof(*w), compare_walkers);
	return going;
}

/* The ways that the @count walkers at @w go, largest first; to be freed. */
static struct branch *
branches_of(const struct massif *m, struct walker *w, size_t count,
    size_t *branches)
{
	struct branch *branch;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += i == 0 || w[i].place != w[i - 1].place;
	branch = need(calloc(n + 1, sizeof(*branch)));
	*branches = n;
	n = 0;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || w[i].place != w[i - 1].place)
			branch[n++] = (struct branch){
				.walker = &w[i], .first = w[i].row,
			};
		branch[n - 1].count++;
		branch[n - 1].bytes += bytes_of(m, &w[i]);
	}
	qsort(branch, n, sizeof(*branch), compare_branches);
	return branch;
}

static void
put_frame(FILE *to, const struct place *p)
{
	if (p->note) {
		fprintf(to, "0x0: %s\n", p->key.function);
		return;
	}
	fprintf(to, "0x%" PRIX64 ": %s (", p->key.pc, p->key.function);
	if (p->key.file[0] != '\0')
		fprintf(to, "%s:%" PRIu64 ")\n",
		    basename(p->key.file), p->key.line);
	else
		fprintf(to, "in %s)\n",
		    p->module[0] != '\0' ? p->module : "???");
}

static void
put_head(const struct massif *m, unsigned depth, const struct place *place,
    size_t callers, uint64_t bytes)
{
	fprintf(m->e->to, "%*sn%zu: %" PRIu64 " ", (int)depth, "", callers,
	    bytes);
	if (place == NULL)
		fputs("(heap allocation functions) malloc/new/new[], "
		    "--alloc-fns, etc.\n", m->e->to);
	else
		put_frame(m->e->to, place);
}

/*
 * What is shown under @under comes first, then one line for all that is not.
 * Only what is shown is looked into, so a tree takes no more room than that.
 */
static void
put_callers(const struct massif *m, const struct branch *under,
    const struct place *place, unsigned depth)
{
	size_t count, shown = 0, hidden;
	struct branch *branch = branches_of(m, under->walker,
	    step(m, under->walker, under->count, depth), &count);
	uint64_t hidden_bytes = 0;

	while (shown < count && branch[shown].bytes >= m->least)
		shown++;
	hidden = count - shown;
	for (size_t i = shown; i < count; i++)
		hidden_bytes += branch[i].bytes;
	put_head(m, depth, place, shown + (hidden != 0), under->bytes);
	for (size_t i = 0; i < shown; i++)
		put_callers(m, &branch[i],
		    m->place[branch[i].walker->place], depth + 1);
	if (hidden != 0)
		fprintf(m->e->to, "%*sn0: %" PRIu64 " in %zu place%s, %s below "
		    "massif's threshold (%.2f%%)\n", (int)depth + 1, "",
		    hidden_bytes, hidden, hidden == 1 ? "" : "s",
		    hidden == 1 ? "" : "all", 100.0 / THRESHOLD);
	free(branch);
}

static void
put_tree(struct massif *m, enum export_value value, const char *kind)
{
	struct branch root = {
		.walker = need(calloc(m->e->rows + 1, sizeof(*root.walker))),
	};

	m->value = value;
	for (size_t i = 0; i < m->e->rows; i++) {
		if (m->e->row[i].value[value] <= 0)
			continue;
		root.walker[root.count].row = (uint32_t)i;
		root.bytes += bytes_of(m, &root.walker[root.count++]);
	}
	m->least = max_u64(1, root.bytes / THRESHOLD);
	fprintf(m->e->to, "heap_tree=%s\n", kind);
	put_callers(m, &root, NULL, 0);
	free(root.walker);
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
	find_paths(&m);
	put_snapshot(&m, 0, 0);
	fputs("heap_tree=empty\n", e->to);
	next = put_points(&m, point, 0, count, t->peak_at);
	put_peak(&m);
	put_points(&m, point, next, count, end);
	put_snapshot(&m, end, e->estimated ? export_sum(e, EXPORT_LIVE) :
	    t->live_bytes);
	put_tree(&m, EXPORT_LIVE, "detailed");
	forget_paths(&m);
	free(point);
	free(command);
	free(caveat);
	return true;
}
