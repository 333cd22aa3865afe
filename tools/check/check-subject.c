/*
 * check-subject.c - one process of those that are judged
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "check/check.h"
#include "diff/match.h"
#include "say/need.h"

/* --- whose it is ---------------------------------------------------------- */

struct check_process *
check_process_of(const struct profile *p)
{
	struct check_process *process = need(calloc(1, sizeof(*process)));
	char **arguments = profile_arguments(p);
	const char *name = arguments[0] != NULL ? arguments[0] : "";
	const char *slash = strrchr(name, '/');

	process->program = need_text("%s", name);
	process->name = need_text("%s", slash != NULL ? slash + 1 : name);
	process->command = profile_command(p);
	process->pid = (int)p->segment->identity.pid;
	free(arguments);
	return process;
}

void
check_process_close(struct check_process *p)
{
	free(p->program);
	free(p->name);
	free(p->command);
	free(p);
}

/* --- opening -------------------------------------------------------------- */

static void
index_rows(struct check_subject *s)
{
	s->row = need(calloc(s->profile.sites + 1, sizeof(*s->row)));
	for (size_t i = 0; i < s->leaks.rows; i++)
		s->row[s->leaks.row[i].site - s->profile.site] =
		    &s->leaks.row[i];
}

bool
check_subject_open(const struct check *c, struct check_subject *s,
    const char *what, const char *since, char why[512])
{
	char where[PROFILE_CHANGED_ROOM];

	*s = (struct check_subject){ 0 };
	if (profile_open(what, &s->profile, why) < 0)
		return false;
	if (s->profile.changed != 0) {
		profile_describe_changed(&s->profile, where);
		snprintf(why, 512, "'%.200s' was changed since heaptide wrote "
		    "it, in %s, and is not judged", what, where);
		profile_close(&s->profile);
		return false;
	}
	if (since != NULL && profile_mark(&s->profile, since) == NULL) {
		snprintf(why, 512, "'%.200s' has no mark '%.200s'", what,
		    since);
		profile_close(&s->profile);
		return false;
	}
	s->options = c->leaks;
	s->options.since = since;
	s->process = check_process_of(&s->profile);
	profile_totals(&s->profile, &s->totals);
	if (leaks_open(&s->leaks, &s->profile, &s->options, "check")) {
		index_rows(s);
		return true;
	}
	/* It was tried before the start; somebody has changed a file. */
	snprintf(why, 512, "'%.200s' is not judged", what);
	check_subject_close(s);
	return false;
}

void
check_subject_close(struct check_subject *s)
{
	leaks_close(&s->leaks);
	profile_close(&s->profile);
	if (s->process != NULL)
		check_process_close(s->process);
	free(s->row);
	free(s->before);
}

/* --- beside its counterpart ----------------------------------------------- */

static bool
is_growing(const struct leaks_row *row)
{
	return row != NULL && row->verdict->kind == VERDICT_GROWING;
}

/*
 * How fast each site grows, as a holding: by epoch if both have any, else by
 * hour.  Of the baseline the upper end of what is sure, of the other the
 * lower: it grows faster, beyond doubt, if that is above this.
 */
static struct holding *
rates_of(const struct check_subject *s, bool by_epoch, bool upper)
{
	struct holding *held = need(calloc(s->profile.sites + 1,
	    sizeof(*held)));

	for (size_t i = 1; i < s->profile.sites; i++) {
		const struct leaks_row *row = s->row[i];
		double rate;

		if (!is_growing(row))
			continue;
		rate = upper ? row->verdict->high : row->verdict->low;
		if (!by_epoch && row->verdict->per_epoch > 0)
			rate *= row->verdict->per_second * 3600 /
			    row->verdict->per_epoch;
		/* In thousandths: bytes are few where a leak is slow. */
		held[i].bytes = rate > 0 && rate < 1e15 ?
		    (uint64_t)(rate * 1000 + 0.5) : 0;
	}
	return held;
}

void
check_subject_compare(struct check_subject *s, struct check_subject *base)
{
	bool by_epoch = !s->leaks.judge.timed && !base->leaks.judge.timed;
	struct holding *held[2] = { rates_of(base, by_epoch, true),
	    rates_of(s, by_epoch, false) };
	const struct match_side sides[2] = {
		{ &base->profile, base->leaks.symbols, held[0] },
		{ &s->profile, s->leaks.symbols, held[1] },
	};
	struct match m;

	s->before = need(calloc(s->profile.sites + 1, sizeof(*s->before)));
	match_open(&m, sides);
	for (size_t i = 0; i < m.rows; i++) {
		const struct match_row *r = &m.row[i];

		if (r->site[0] != NULL && r->site[1] != NULL &&
		    r->held[0].bytes != 0 &&
		    r->held[1].bytes <= r->held[0].bytes)
			s->before[r->site[1] - s->profile.site] = true;
	}
	match_close(&m);
	free(held[0]);
	free(held[1]);
}
