#include "model/course.h"

#include "base/base.h"

#define COURSE_STEP_NS  (UINT64_C(5) * NS_PER_MS) /* the finest look */
#define COURSE_KEPT     64 /* jobs that are known of at one time */
#define COURSE_SHORT_NS (UINT64_C(200) * NS_PER_MS)

/* --- one ------------------------------------------------------------------ */

/* Two rows become one, which held the more of both. */
static void
course_halve(struct course *c)
{
	uint32_t i;

	for (i = 0; i * 2 < c->rows; i++) {
		c->most[i] = c->most[i * 2];
		if (i * 2 + 1 < c->rows)
			c->most[i] = max_u64(c->most[i], c->most[i * 2 + 1]);
	}
	c->rows = i;
	for (; i < COURSE_STEPS; i++)
		c->most[i] = 0;
	c->step_ns *= 2;
}

/* The row of @age_ns. */
static uint32_t
course_row(struct course *c, uint64_t age_ns)
{
	if (c->step_ns == 0)
		c->step_ns = COURSE_STEP_NS;
	while (age_ns / c->step_ns >= COURSE_STEPS)
		course_halve(c);
	return (uint32_t)(age_ns / c->step_ns);
}

void
course_note(struct course *c, uint64_t age_ns, uint64_t bytes)
{
	uint32_t row = course_row(c, age_ns);
	/* What it held since the last look is not known. */
	uint64_t between = max_u64(c->last, bytes);

	while (c->rows <= row)
		c->most[c->rows++] = between;
	c->most[row] = max_u64(c->most[row], bytes);
	c->last = bytes;
}

/* --- all ------------------------------------------------------------------ */

static void
part_add(struct courses_part *part, const struct course *c, uint64_t age_ns,
    uint64_t peak)
{
	struct course own = *c, *most = &part->most;
	uint64_t seen = 1;
	uint32_t i;

	course_note(&own, age_ns, own.last);
	(void)course_row(most, age_ns);
	while (own.step_ns < most->step_ns)
		course_halve(&own);
	while (most->step_ns < own.step_ns)
		course_halve(most);
	for (i = 0; i < own.rows; i++)
		seen = max_u64(seen, own.most[i]);
	/* Where the highest point lay between two looks, all is raised. */
	for (i = 0; i < own.rows; i++)
		most->most[i] = max_u64(most->most[i], peak <= seen ?
		    own.most[i] : whole_u64((double)own.most[i] * (double)peak /
		    (double)seen));
	most->rows = most->rows > own.rows ? most->rows : own.rows;
	part->least_bytes = part->jobs == 0 ? peak :
	    min_u64(part->least_bytes, peak);
	part->least_ns = part->jobs == 0 ? age_ns :
	    min_u64(part->least_ns, age_ns);
	part->most_bytes = max_u64(part->most_bytes, peak);
	part->most_ns = max_u64(part->most_ns, age_ns);
	part->jobs++;
}

void
courses_add(struct courses *all, const struct course *c, uint64_t age_ns,
    uint64_t peak)
{
	part_add(&all->part[0], c, age_ns, peak);
	if (all->part[0].jobs > COURSE_KEPT / 2)
		part_add(&all->part[1], c, age_ns, peak);
	if (all->part[0].jobs < COURSE_KEPT)
		return;
	all->part[0] = all->part[1];
	all->part[1] = (struct courses_part){ .jobs = 0 };
}

bool
courses_alike(const struct courses *all)
{
	const struct courses_part *part = &all->part[0];

	return part->jobs >= 2 && part->least_ns >= COURSE_SHORT_NS &&
	    part->most_bytes - part->least_bytes <= part->least_bytes / 8 &&
	    part->most_ns - part->least_ns <= part->least_ns / 4;
}

/* A little more than was seen; it may end a little later, too. */
uint64_t
courses_held(const struct courses *all, uint64_t age_ns)
{
	const struct courses_part *part = &all->part[0];
	uint64_t row, bytes, end_ns = part->most_ns + part->most_ns / 16;

	if (part->jobs == 0 || age_ns > end_ns)
		return 0;
	row = min_u64(age_ns / part->most.step_ns, part->most.rows - 1);
	bytes = part->most.most[row];
	return bytes + bytes / 32;
}

bool
courses_fit(const struct courses *all, const uint64_t *age_ns, size_t count,
    uint64_t room)
{
	const struct courses_part *part = &all->part[0];
	uint64_t t, sum, end_ns = part->most_ns + part->most_ns / 16;
	size_t i;

	if (part->jobs == 0)
		return false;
	for (t = 0; t <= end_ns; t += part->most.step_ns) {
		sum = courses_held(all, t);
		for (i = 0; i < count; i++)
			sum += age_ns[i] > end_ns ? part->most_bytes +
			    part->most_bytes / 32 :
			    courses_held(all, age_ns[i] + t);
		if (sum > room)
			return false;
	}
	return true;
}
