#include "control/ages.h"

#include "base/base.h"

static uint32_t
column_of(const struct segment *s, uint32_t generation)
{
	return generation <= s->generations.first ? 0 :
	    s->generations.column[generation] % GENERATION_BANK %
	    TREND_COLUMNS;
}

/* Wraps around, as what a damaged profile says may be anything. */
static void
add(struct age_columns *ages, uint32_t column, uint64_t bytes)
{
	ages->live_bytes[column] = (int64_t)
	    ((uint64_t)ages->live_bytes[column] + bytes);
}

/* Of the generation it stands in, what is left is not passed on yet. */
static void
add_count(const struct control *c, const struct count *count, int64_t passed,
    struct age_columns *ages, uint64_t sites)
{
	uint64_t stamp = atomic_load(&count->stamp);
	uint32_t column = column_of(c->segment, stamp_generation(stamp));
	uint64_t holds = count->allocated_bytes - count->freed_bytes;

	if (stamp_site(stamp) >= sites)
		return;
	add(&ages[stamp_site(stamp)], column, holds);
	/* What it has of others is noted with these; but for the first. */
	add(&ages[stamp_site(stamp)], column, -(uint64_t)passed);
	add(&ages[stamp_site(stamp)], 0, (uint64_t)passed);
}

static void
add_counts(const struct control *c, enum segment_table_id table,
    enum segment_table_id passed_table, struct age_columns *ages,
    uint64_t sites)
{
	const struct count *count = control_rows(c, table);
	const _Atomic int64_t *passed = control_rows(c, passed_table);
	uint64_t n = control_count(c, table);
	uint64_t known = control_count(c, passed_table);
	uint64_t i;

	for (i = 0; i < n; i++)
		add_count(c, &count[i], i < known ? passed[i] : 0, ages,
		    sites);
}

/* Of the first generation nothing is noted: it has what is left. */
static void
add_noted(const struct ages *from, struct age_columns *to)
{
	uint32_t i;

	for (i = 1; i < TREND_COLUMNS; i++) {
		uint64_t bytes = (uint64_t)from->live_bytes[0][i] +
		    (uint64_t)from->live_bytes[1][i];

		add(to, i, bytes);
		add(to, 0, -bytes);
	}
}

void
ages_sum(const struct control *c, struct age_columns *ages, uint64_t sites)
{
	const struct ages *noted = control_rows(c, TABLE_AGES);
	const struct estimate *e = control_rows(c, TABLE_ESTIMATES);
	uint64_t n, i;

	add_counts(c, TABLE_FIRST, TABLE_FIRST_PASSED, ages, sites);
	add_counts(c, TABLE_COUNTS, TABLE_COUNTS_PASSED, ages, sites);
	n = min_u64(sites, control_count(c, TABLE_ESTIMATES));
	for (i = 0; i < n; i++)
		add(&ages[i], 0, e[i].allocated_bytes / ESTIMATE_BYTES -
		    e[i].freed_bytes / ESTIMATE_BYTES);
	n = min_u64(sites, control_count(c, TABLE_AGES));
	for (i = 0; i < n; i++)
		add_noted(&noted[i], &ages[i]);
}
