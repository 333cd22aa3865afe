/*
 * ages.c - how old what each site holds is
 */
#include <stdlib.h>

#include "base/base.h"
#include "reader.h"

static size_t
column_of(const struct segment *s, uint32_t generation)
{
	return generation <= s->generations.first ? 0 :
	    s->generations.column[generation] % GENERATION_BANK %
	    TREND_COLUMNS;
}

/* Of the generation it stands in, what is left is not passed on yet. */
static void
add_count(const struct profile *p, struct age_columns *ages,
    const struct count *c, int64_t passed)
{
	uint32_t site = stamp_site(c->stamp);
	int64_t holds = (int64_t)(c->allocated_bytes - c->freed_bytes);

	if (site < p->sites)
		ages[site].live_bytes[column_of(p->segment,
		    stamp_generation(c->stamp))] += holds - passed;
}

static void
add_noted(struct age_columns *to, const struct ages *from)
{
	for (size_t i = 1; i < TREND_COLUMNS; i++)
		to->live_bytes[i] += from->live_bytes[0][i] +
		    from->live_bytes[1][i];
}

/* Of the first generation nothing is noted: it has what is left. */
static void
settle_first(struct age_columns *ages, const struct figures *f)
{
	int64_t later = 0;

	for (size_t i = 1; i < TREND_COLUMNS; i++)
		later += ages->live_bytes[i];
	ages->live_bytes[0] = (int64_t)f->live_bytes - later;
}

struct age_columns *
profile_ages(const struct profile *p)
{
	struct age_columns *ages = calloc(p->sites + 1, sizeof(*ages));
	size_t i;

	if (ages == NULL)
		return NULL;
	for (i = 0; i < p->first_counts; i++)
		add_count(p, ages, &p->first_count[i],
		    i < p->first_passed_rows ? p->first_passed[i] : 0);
	for (i = 0; i < p->counts; i++)
		add_count(p, ages, &p->count[i],
		    i < p->count_passed_rows ? p->count_passed[i] : 0);
	for (i = 0; i < p->sites && i < p->aged; i++)
		add_noted(&ages[i], &p->ages[i]);
	for (i = 0; i < p->sites; i++)
		settle_first(&ages[i], &p->figures[i]);
	return ages;
}
