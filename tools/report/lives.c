#include "report/lives.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"

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

/* --- by site -------------------------------------------------------------- */

/* Of a row; 0: it says nothing of any. */
static uint32_t
site_of_life(const struct profile *p, size_t i)
{
	uint64_t site = p->life[i].key >> 32;

	return site < p->sites ? (uint32_t)site : 0;
}

static uint32_t
site_of_timed(const struct profile *p, size_t i)
{
	const struct timed *t = &p->timed[i];

	return t->block != 0 && t->born_ns != 0 && t->site < p->sites ?
	    t->site : 0;
}

/* The numbers of @rows in the order of their sites, and where those of each
 * end. */
static uint32_t *
sort_rows(const struct profile *p, size_t rows,
    uint32_t (*site_of)(const struct profile *, size_t), uint32_t **ends)
{
	uint32_t *row = need(calloc(rows + 1, sizeof(*row)));
	uint32_t *end = need(calloc(p->sites + 1, sizeof(*end)));
	uint32_t before = 0;

	for (size_t i = 0; i < rows; i++)
		end[site_of(p, i)]++;
	for (size_t i = 0; i <= p->sites; i++) {
		uint32_t own = end[i];

		end[i] = before; /* where they begin, and the next goes */
		before += own;
	}
	for (size_t i = 0; i < rows; i++)
		row[end[site_of(p, i)]++] = (uint32_t)i;
	*ends = end;
	return row;
}

void
lives_open(struct lives_index *index, const struct profile *p)
{
	*index = (struct lives_index){ .profile = p };
	index->life = sort_rows(p, p->lives, site_of_life, &index->life_end);
	index->timed = sort_rows(p, p->timeds, site_of_timed,
	    &index->timed_end);
}

void
lives_close(struct lives_index *index)
{
	free(index->life);
	free(index->timed);
	free(index->life_end);
	free(index->timed_end);
}

bool
lives_of(const struct lives_index *index, uint32_t site, struct lives *l)
{
	const struct profile *p = index->profile;

	memset(l, 0, sizeof(*l));
	if (site == 0 || site >= p->sites)
		return false;
	for (uint32_t i = index->life_end[site - 1];
	    i < index->life_end[site]; i++)
		add_life(l, &p->life[index->life[i]]);
	for (uint32_t i = index->timed_end[site - 1];
	    i < index->timed_end[site]; i++)
		add_living(p, l, &p->timed[index->timed[i]]);
	for (size_t i = 0; i < l->shares; i++)
		l->share[i].median_ns = median_of(&l->share[i]);
	qsort(l->share, l->shares, sizeof(l->share[0]), compare_shares);
	return l->watched != 0 || l->living != 0;
}
