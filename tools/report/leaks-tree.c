/*
 * leaks-tree.c - through which calls what grows comes
 *
 * One thing that is forgotten may be made of blocks of many sites: a document
 * has nodes, names and texts.  Call paths are a tree already (struct node), so
 * each call gets the sum of what grows below it, and the tree is told down to
 * where it parts.
 */
#include <stdlib.h>

#include "base/base.h"
#include "base/text.h"
#include "report/leaks.h"
#include "report/report.h"
#include "say/need.h"

#define SITES_LEAST 3   /* fewer tell for themselves */
#define SHARE_LEAST 0.1 /* of all, or a call is not told */
#define SHARE_MOST  0.8 /* of a call: the one below tells more */
#define DEPTH_MOST  3

/* A call that something grows below. */
struct call {
	uint32_t node, parent;
	double rate;   /* of all below */
	size_t sites;
	const struct leaks_row *row; /* one of them */
};

struct tree {
	const struct leaks *leaks;
	const struct print *out;
	struct call *call; /* by number of the node */
	size_t calls;
	double rate;
};

/* --- summing up ----------------------------------------------------------- */

/* Bytes, an epoch or a second. */
static double
rate_of(const struct leaks *l, const struct verdict *v)
{
	return l->judge.timed ? v->per_second : v->per_epoch;
}

static bool
is_counted(const struct leaks_row *row)
{
	return row->verdict->kind == VERDICT_GROWING &&
	    row->suppressed == NULL;
}

static size_t
depth_of(const struct profile *p, uint32_t node)
{
	size_t depth = 0;

	for (; node != 0 && node < p->nodes; node = p->node[node].parent)
		depth++;
	return depth;
}

static void
add_row(struct tree *t, const struct leaks_row *row)
{
	const struct profile *p = t->leaks->profile;
	double rate = rate_of(t->leaks, row->verdict);
	uint32_t node = row->site->leaf;

	t->rate += rate;
	for (; node != 0 && node < p->nodes; node = p->node[node].parent)
		t->call[t->calls++] = (struct call){
			.node = node, .parent = p->node[node].parent,
			.rate = rate, .sites = 1, .row = row,
		};
}

static int
compare_calls(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	return x->node < y->node ? -1 : x->node > y->node;
}

/* Those of one node are one. */
static void
merge(struct tree *t)
{
	size_t n = 0;

	qsort(t->call, t->calls, sizeof(*t->call), compare_calls);
	for (size_t i = 0; i < t->calls; i++) {
		if (n > 0 && t->call[n - 1].node == t->call[i].node) {
			t->call[n - 1].rate += t->call[i].rate;
			t->call[n - 1].sites += t->call[i].sites;
		} else {
			t->call[n++] = t->call[i];
		}
	}
	t->calls = n;
}

/* --- telling -------------------------------------------------------------- */

/* The greatest below @parent that is smaller than @before; NULL: none. */
static const struct call *
next_child(const struct tree *t, uint32_t parent, const struct call *before)
{
	const struct call *best = NULL;

	for (size_t i = 0; i < t->calls; i++) {
		const struct call *c = &t->call[i];

		if (c->parent != parent || c->rate < SHARE_LEAST * t->rate ||
		    (before != NULL && (c->rate > before->rate ||
		    (c->rate >= before->rate && c <= before))))
			continue;
		if (best == NULL || c->rate > best->rate)
			best = c;
	}
	return best;
}

/* The innermost function at a call, by a path that leads through it. */
static void
put_call(const struct tree *t, const struct call *c, char *words, size_t room)
{
	uint64_t pc = t->leaks->profile->node[c->node].pc;
	struct frame *frame;
	size_t count = symbols_stack(t->leaks->symbols, c->row->site, &frame);
	size_t i = 0;

	while (i + 1 < count && frame[i].pc != pc)
		i++;
	words[0] = '\0';
	if (count != 0)
		report_frame(words, room, &frame[i]);
	free(frame);
}

static void
print_call(const struct tree *t, const struct call *c, unsigned depth)
{
	char words[1024], bytes[TEXT_BYTES_ROOM], rate[TEXT_RATE_ROOM];

	put_call(t, c, words, sizeof(words));
	text_format_bytes(bytes, whole_u64(c->rate + 0.5));
	print_line(t->out, depth == 0 ? PRINT_STRONG : PRINT_PLAIN,
	    "  %*s%3.0f %%  %s  %s%s, %zu site%s", (int)(2 * depth), "",
	    100 * c->rate / t->rate, words, t->leaks->judge.timed ?
	    text_format_rate(rate, c->rate) : bytes,
	    t->leaks->judge.timed ? "" : " an epoch", c->sites,
	    c->sites == 1 ? "" : "s");
}

/* Down from @c as long as there is but one way to go. */
static const struct call *
follow(const struct tree *t, const struct call *c)
{
	const struct call *child = next_child(t, c->node, NULL);

	while (child != NULL && child->rate >= SHARE_MOST * c->rate) {
		c = child;
		child = next_child(t, c->node, NULL);
	}
	return c;
}

static void
print_below(const struct tree *t, uint32_t parent, unsigned depth)
{
	const struct call *c = NULL;

	while (depth < DEPTH_MOST &&
	    (c = next_child(t, parent, c)) != NULL) {
		const struct call *deep = follow(t, c);

		print_call(t, deep, depth);
		print_below(t, deep->node, depth + 1);
	}
}

void
leaks_print_tree(const struct leaks *l, const struct print *out)
{
	struct tree t = { .leaks = l, .out = out };
	size_t room = 0;

	if (l->kinds[VERDICT_GROWING] < SITES_LEAST)
		return;
	for (size_t i = 0; i < l->rows; i++)
		if (is_counted(&l->row[i]))
			room += depth_of(l->profile, l->row[i].site->leaf);
	t.call = need(calloc(room + 1, sizeof(*t.call)));
	for (size_t i = 0; i < l->rows; i++)
		if (is_counted(&l->row[i]))
			add_row(&t, &l->row[i]);
	merge(&t);
	print_line(out, PRINT_PLAIN, "what grows comes through");
	print_below(&t, 0, 0);
	free(t.call);
}
