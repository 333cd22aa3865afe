#include "lives.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* So many must have been seen to the end before others are called old. */
#define PEERS_LEAST 16

/* --- those that were freed ------------------------------------------------ */

static struct lives_share *
share_of(struct lives *l, uint32_t node)
{
	for (size_t i = 0; i < l->shares; i++)
		if (l->share[i].call.leaf == node)
			return &l->share[i];
	if (l->shares == LIVES_MOST)
		return NULL;
	l->share[l->shares] = (struct lives_share){ .call.leaf = node };
	return &l->share[l->shares++];
}

static void
add_life(struct lives *l, const struct life *row)
{
	struct lives_share *s = share_of(l, (uint32_t)row->key);

	l->freed += row->blocks;
	l->watched += row->watched;
	l->longest_ns = max_u64(l->longest_ns, row->longest_ns);
	if (s == NULL)
		return; /* one of many; it counts in the whole */
	s->blocks += row->blocks;
	s->longest_ns = max_u64(s->longest_ns, row->longest_ns);
	for (size_t i = 0; i < LIFE_BUCKETS; i++)
		s->bucket[i] += row->bucket[i];
}

/* The middle of the bucket in which half of them are reached. */
static uint64_t
median_of(const struct lives_share *s)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < LIFE_BUCKETS; i++) {
		seen += s->bucket[i];
		if (2 * seen >= s->blocks && seen != 0)
			return min_u64(s->longest_ns,
			    (UINT64_C(2) << (2 * i)) * 1000);
	}
	return s->longest_ns;
}

static int
compare_shares(const void *a, const void *b)
{
	const struct lives_share *x = a, *y = b;

	if (x->blocks != y->blocks)
		return x->blocks < y->blocks ? 1 : -1;
	return x->call.leaf < y->call.leaf ? -1 : x->call.leaf > y->call.leaf;
}

/* --- those that live ------------------------------------------------------ */

static void
add_living(const struct profile *p, struct lives *l, const struct timed *t)
{
	uint64_t age = above_u64(p->now_ns, t->born_ns);

	l->living++;
	if (l->watched < PEERS_LEAST || age / 2 <= l->longest_ns)
		return;
	l->older += t->weight;
	l->older_bytes += t->usable * t->weight;
}

bool
lives_of(const struct profile *p, uint32_t site, struct lives *l)
{
	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < p->lives; i++)
		if (p->life[i].key >> 32 == site)
			add_life(l, &p->life[i]);
	for (size_t i = 0; i < p->timeds; i++)
		if (p->timed[i].site == site && p->timed[i].block != 0 &&
		    p->timed[i].born_ns != 0)
			add_living(p, l, &p->timed[i]);
	for (size_t i = 0; i < l->shares; i++)
		l->share[i].median_ns = median_of(&l->share[i]);
	qsort(l->share, l->shares, sizeof(l->share[0]), compare_shares);
	return l->watched != 0 || l->living != 0;
}
