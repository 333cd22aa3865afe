/*
 * findings.c - what a program did wrong with its blocks, as a profile has it
 */
#include "report/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "report/lives.h"
#include "say/need.h"

/* What is said of it in one word, with others of its group. */
enum group {
	GROUP_DOUBLE,
	GROUP_FOREIGN,
	GROUP_MISMATCH,
	GROUP_SIZE,
	GROUP_REALLOC,
	GROUP_MORE,
	GROUPS
};

static const struct {
	const char *one, *several;
} groups[GROUPS] = {
	[GROUP_DOUBLE] = { "double free", "double frees" },
	[GROUP_FOREIGN] = { "free of what is no block",
	    "frees of what is no block" },
	[GROUP_MISMATCH] = { "new/free mismatch", "new/free mismatches" },
	[GROUP_SIZE] = { "wrong size given back", "wrong sizes given back" },
	[GROUP_REALLOC] = { "realloc to 0 bytes", "reallocs to 0 bytes" },
	[GROUP_MORE] = { "that found no room", "that found no room" },
};

static const struct {
	const char *name, *words;
	enum group group;
} kinds[FINDING_KINDS] = {
	[FINDING_DOUBLE_FREE] = { "double-free", "double free",
	    GROUP_DOUBLE },
	[FINDING_FOREIGN_FREE] = { "foreign-free",
	    "free of an address that no allocation gave", GROUP_FOREIGN },
	[FINDING_INTERIOR_FREE] = { "interior-free",
	    "free of an address inside of a block", GROUP_FOREIGN },
	[FINDING_MALLOC_DELETE] = { "malloc-delete",
	    "malloc, freed by delete", GROUP_MISMATCH },
	[FINDING_MALLOC_DELETE_ARRAY] = { "malloc-delete-array",
	    "malloc, freed by delete[]", GROUP_MISMATCH },
	[FINDING_NEW_FREE] = { "new-free", "new, freed by free()",
	    GROUP_MISMATCH },
	[FINDING_NEW_ARRAY_FREE] = { "new-array-free",
	    "new[], freed by free()", GROUP_MISMATCH },
	[FINDING_NEW_DELETE_ARRAY] = { "new-delete-array",
	    "new, freed by delete[]", GROUP_MISMATCH },
	[FINDING_NEW_ARRAY_DELETE] = { "new-array-delete",
	    "new[], freed by delete", GROUP_MISMATCH },
	[FINDING_NEW_REALLOC] = { "new-realloc", "new, given to realloc()",
	    GROUP_MISMATCH },
	[FINDING_ALIGNED_NEW_DELETE] = { "aligned-new-delete",
	    "new with an alignment, freed by a delete without",
	    GROUP_MISMATCH },
	[FINDING_NEW_ALIGNED_DELETE] = { "new-aligned-delete",
	    "new, freed by a delete with an alignment", GROUP_MISMATCH },
	[FINDING_SIZE] = { "sized-delete", "freed with another size",
	    GROUP_SIZE },
	[FINDING_REALLOC_ZERO] = { "realloc-zero", "realloc() to 0 bytes",
	    GROUP_REALLOC },
	[FINDING_MORE] = { "others", "others, for which there was no room",
	    GROUP_MORE },
};

const char *
finding_name(enum finding_kind kind)
{
	return kinds[kind].name;
}

const char *
finding_words(enum finding_kind kind)
{
	return kinds[kind].words;
}

/* --- collecting ----------------------------------------------------------- */

static bool
is_same(const struct finding_row *a, const struct finding_row *b)
{
	return a->kind == b->kind &&
	    a->allocated.leaf == b->allocated.leaf &&
	    a->freed.leaf == b->freed.leaf;
}

static void
find_freers(const struct lives_index *lives, uint32_t site,
    struct finding_row *row)
{
	const struct profile *p = lives->profile;
	struct lives l;

	if (!lives_of(lives, site, &l))
		return;
	for (size_t i = 0; i < l.shares && row->freers < FINDING_FREERS; i++)
		if (l.share[i].call.leaf != 0 &&
		    l.share[i].call.leaf < p->nodes)
			row->freer[row->freers++] = (struct finding_freer){
				.call = l.share[i].call,
				.blocks = l.share[i].blocks,
			};
}

/* A row that names what is not there, the reader has counted as damaged. */
static bool
make_row(const struct lives_index *lives, size_t i, struct finding_row *row)
{
	const struct profile *p = lives->profile;
	const struct finding *f = &p->finding[i];

	if (f->kind == FINDING_NONE || f->kind >= FINDING_KINDS ||
	    (f->allocated != 0 && f->allocated >= p->sites))
		return false;
	*row = (struct finding_row){
		.kind = (enum finding_kind)f->kind,
		.count = f->count,
		.bytes = f->bytes,
		.asked = f->asked,
		.given = f->given,
		.known = f->allocated != 0,
		.freed.leaf = f->freed,
		.first_freed.leaf = f->first_freed,
	};
	if (row->known)
		row->allocated.leaf = p->site[f->allocated].leaf;
	if (row->known && row->kind == FINDING_DOUBLE_FREE)
		find_freers(lives, f->allocated, row);
	return true;
}

static void
add_row(struct findings *all, const struct finding_row *row)
{
	for (size_t i = 0; i < all->count; i++)
		if (is_same(&all->row[i], row)) {
			all->row[i].count += row->count;
			all->row[i].bytes += row->bytes;
			return;
		}
	all->row[all->count++] = *row;
}

static void
resolve(const struct findings *all, struct symbols *symbols)
{
	const struct site **list = need(calloc((3 + FINDING_FREERS) *
	    all->count + 1, sizeof(*list)));
	size_t n = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct finding_row *row = &all->row[i];

		list[n++] = &row->allocated;
		list[n++] = &row->freed;
		list[n++] = &row->first_freed;
		for (size_t k = 0; k < row->freers; k++)
			list[n++] = &row->freer[k].call;
	}
	symbols_resolve(symbols, list, n);
	free(list);
}

static bool
begins_with(struct symbols *symbols, const struct site *path,
    const char *function)
{
	struct frame *frames;
	bool found = symbols_whole_stack(symbols, path, &frames) > 0 &&
	    strncmp(frames[0].function, function, strlen(function)) == 0;

	free(frames);
	return found;
}

/*
 * Was it made, or given back, by such an operator after all, but of a C++
 * library that is linked into something, where ours does not hear of it?
 */
static bool
is_of_other_library(const struct finding_row *row, struct symbols *symbols)
{
	switch (row->kind) {
	case FINDING_MALLOC_DELETE:
	case FINDING_MALLOC_DELETE_ARRAY:
		return begins_with(symbols, &row->allocated, "operator new");
	case FINDING_NEW_FREE:
	case FINDING_NEW_ARRAY_FREE:
		return begins_with(symbols, &row->freed, "operator delete");
	default:
		return false;
	}
}

static void
leave_out(struct findings *all, struct symbols *symbols)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++)
		if (!is_of_other_library(&all->row[i], symbols))
			all->row[kept++] = all->row[i];
	all->count = kept;
}

static int
compare(const void *a, const void *b)
{
	const struct finding_row *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->allocated.leaf < y->allocated.leaf ? -1 :
	    x->allocated.leaf > y->allocated.leaf;
}

void
findings_open(struct findings *all, const struct profile *p,
    struct symbols *symbols)
{
	struct lives_index lives;
	struct finding_row row;

	lives_open(&lives, p);
	all->row = need(calloc(p->findings + 1, sizeof(*all->row)));
	all->count = 0;
	for (size_t i = 0; i < p->findings; i++)
		if (make_row(&lives, i, &row))
			add_row(all, &row);
	lives_close(&lives);
	if (all->count == 0)
		return;
	resolve(all, symbols);
	leave_out(all, symbols);
	qsort(all->row, all->count, sizeof(*all->row), compare);
}

void
findings_close(struct findings *all)
{
	free(all->row);
	all->row = NULL;
}

/* --- words ---------------------------------------------------------------- */

void
findings_describe(const struct findings *all, char *text, size_t room)
{
	size_t counts[GROUPS] = { 0 }, used = 0;

	for (size_t i = 0; i < all->count; i++)
		counts[kinds[all->row[i].kind].group]++;
	text[0] = '\0';
	for (size_t g = 0; g < GROUPS; g++)
		if (counts[g] != 0 && used < room)
			used += (size_t)snprintf(text + used, room - used,
			    "%s%zu %s", used == 0 ? "" : ", ", counts[g],
			    counts[g] == 1 ? groups[g].one :
			    groups[g].several);
}
