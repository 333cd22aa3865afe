#include "model/verdict.h"

/* --- false discoveries ---------------------------------------------------- */

static int
by_p(const struct verdict *v, size_t a, size_t b)
{
	return (v[a].p > v[b].p) - (v[a].p < v[b].p);
}

/* Of a heap of numbers, the one at @at goes down to its place. */
static void
sink(struct verdict *v, size_t at, size_t count)
{
	size_t child, number;

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count &&
		    by_p(v, v[child].order, v[child + 1].order) < 0)
			child++;
		if (by_p(v, v[at].order, v[child].order) >= 0)
			return;
		number = v[at].order;
		v[at].order = v[child].order;
		v[child].order = number;
		at = child;
	}
}

/* Numbers by p, upwards, in v[0].order and so on: no room is elsewhere. */
static void
sort(struct verdict *v, size_t count)
{
	size_t i, number;

	for (i = 0; i < count; i++)
		v[i].order = i;
	for (i = count / 2; i-- > 0;)
		sink(v, i, count);
	for (i = count; i-- > 1;) {
		number = v[0].order;
		v[0].order = v[i].order;
		v[i].order = number;
		sink(v, 0, i);
	}
}

/*
 * Sites that never moved are no tests: their p is 1 whatever comes (R. E.
 * Tarone, A modified Bonferroni method for discrete data, Biometrics 46, 1990;
 * for false discoveries P. B. Gilbert, Applied Statistics 54, 2005).  They are
 * most of a program, and would cost epochs.
 */
void
verdict_control(struct verdict *verdict, size_t count, double level)
{
	struct verdict *v;
	double tests = 0;
	double q = 1;
	double at;
	size_t i;

	sort(verdict, count);
	for (i = 0; i < count; i++)
		tests += verdict[i].least < 1;
	for (i = count; i-- > 0;) {
		v = &verdict[verdict[i].order];
		/* Their p is the last, among some of tests, at most. */
		at = (double)(i + 1) < tests ? (double)(i + 1) : tests;
		if (at > 0 && v->p * tests / at < q)
			q = v->p * tests / at;
		v->q = q;
		if (v->kind == VERDICT_GROWING && v->q > level) {
			v->kind = VERDICT_UNKNOWN;
			v->doubted = true;
		}
	}
}

/* --- order ---------------------------------------------------------------- */

static int
rank(const struct verdict *v)
{
	switch (v->kind) {
	case VERDICT_GROWING:
		return v->minor ? 2 : 0;
	case VERDICT_STEP:
		return 1;
	case VERDICT_SATURATED:
		return 3;
	case VERDICT_UNKNOWN:
		return v->doubted ? 4 : 6;
	case VERDICT_STABLE:
		return 5;
	}
	return 7;
}

/* Growth by what it is at least, for sure; the others by what they gained. */
static double
weight(const struct verdict *v)
{
	return v->kind == VERDICT_GROWING ? v->low : v->rose;
}

int
verdict_compare(const void *a, const void *b)
{
	const struct verdict *va = a;
	const struct verdict *vb = b;

	if (rank(va) != rank(vb))
		return rank(va) - rank(vb);
	if (weight(va) > weight(vb) || weight(va) < weight(vb))
		return weight(va) > weight(vb) ? -1 : 1;
	return (va->p > vb->p) - (va->p < vb->p);
}

const char *
verdict_name(enum verdict_kind kind)
{
	static const char *const names[] = {
		[VERDICT_UNKNOWN] = "unknown",
		[VERDICT_STABLE] = "stable",
		[VERDICT_SATURATED] = "saturated",
		[VERDICT_STEP] = "step",
		[VERDICT_GROWING] = "growing",
	};

	return names[kind];
}
