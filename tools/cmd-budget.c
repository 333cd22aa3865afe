/*
 * cmd-budget.c - which limits on memory there are, and the one that rules
 *
 * The chain is gathered here, from /proc and the control groups; what it
 * means is for the law in model/sources.h to say.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "command.h"
#include "model/sources.h"
#include "need.h"
#include "option.h"
#include "print.h"
#include "reader.h"
#include "sys/cgroup.h"
#include "sys/proc.h"

#define VARIABLE "HEAPTIDE_BUDGET"
#define FORMS    "512M, 60% or max-256M are accepted"

/* Two wishes, each group twice, what is above them, two limits, the host. */
#define CHAIN_ROOM (2 + 2 * CGROUP_LEVELS + 1 + 2 + 1)

struct budget_options {
	bool json;
	bool force;
	const char *budget;
};

static const struct option_row budget_rows[] = {
	{ .name = "budget", .kind = OPTION_TEXT,
	  .at = offsetof(struct budget_options, budget), .word = "SIZE",
	  .help = "what if this were set: 512M, 60% or max-256M" },
	{ .name = "force", .kind = OPTION_FLAG,
	  .at = offsetof(struct budget_options, force),
	  .help = "let a number that is set raise the budget, too" },
	{ .name = "json", .kind = OPTION_FLAG,
	  .at = offsetof(struct budget_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

/* A source as people know it. */
struct label {
	const char *name;
	char *from;       /* where it was read */
	const char *note; /* beside the verdict, or NULL */
};

struct chain {
	struct source source[CHAIN_ROOM];
	struct label label[CHAIN_ROOM];
	size_t count;
};

/* Whom the question is about. */
struct subject {
	int pid;           /* 0: a program that would be started from here */
	const char *root;  /* before /proc: "" but in tests */
	char name[16];
	struct proc_status status; /* all zero for pid 0 */
	bool has_segment;
	uint64_t live, peak;       /* of its heap, if it has a segment */
};

static const char *const verdict_words[] = {
	[VERDICT_NO_LIMIT] = "no limit",
	[VERDICT_RULES] = "rules",
	[VERDICT_NOT_LOWER] = "not lower",
	[VERDICT_SUPERSEDED] = "a nearer one is set",
	[VERDICT_OVERRULED] = "overruled by force",
	[VERDICT_WARNS] = "the kernel slows it down from here",
};

/* --- the chain ------------------------------------------------------------ */

/* The next link; @from is the chain's from here on. */
static struct source *
add(struct chain *c, enum source_kind kind, const char *name, char *from,
    const char *note)
{
	struct source *s = &c->source[c->count];

	c->label[c->count++] = (struct label){ name, from, note };
	*s = (struct source){ .kind = kind, .bytes = SOURCE_NONE,
		.used = SOURCE_NONE };
	return s;
}

static void
chain_free(struct chain *c)
{
	while (c->count > 0)
		free(c->label[--c->count].from);
}

/* The value of a variable in the environment of another, or NULL. */
static char *
variable_of(const struct subject *who, const char *name)
{
	size_t length = strlen(name), room = 0;
	char path[512], *line = NULL, *value = NULL;
	FILE *f;

	if (proc_path(path, sizeof(path), who->root, who->pid, "environ") < 0)
		return NULL;
	f = fopen(path, "re");
	if (f == NULL)
		return NULL;
	while (value == NULL && getdelim(&line, &room, '\0', f) > 0)
		if (strncmp(line, name, length) == 0 && line[length] == '=')
			value = need_text("%s", line + length + 1);
	free(line);
	fclose(f);
	return value;
}

static int
add_option(struct chain *c, const struct subject *who, const char *value)
{
	struct source_wish wish;
	struct source *s;

	if (value == NULL)
		return 0;
	if (source_parse(value, &wish) < 0) {
		print_error("budget: --budget '%s' is no size; %s", value,
		    FORMS);
		return -EINVAL;
	}
	s = add(c, SOURCE_SET, "option", need_text("--budget %s", value),
	    NULL);
	s->wish = wish;
	s->used = who->status.resident;
	return 0;
}

/* What is wrong in our own environment is refused, in another's it is told. */
static int
add_variable(struct chain *c, const struct subject *who)
{
	const char *ours = getenv(VARIABLE);
	struct source_wish wish;
	struct source *s;
	char *value;

	if (who->pid != 0)
		value = variable_of(who, VARIABLE);
	else
		value = ours != NULL ? need_text("%s", ours) : NULL;
	if (value == NULL || *value == '\0') {
		free(value);
		return 0;
	}
	if (source_parse(value, &wish) == 0) {
		s = add(c, SOURCE_SET, "environment",
		    need_text(VARIABLE "=%s", value), NULL);
		s->wish = wish;
		s->used = who->status.resident;
	} else if (who->pid != 0) {
		(void)add(c, SOURCE_LIMIT, "environment",
		    need_text(VARIABLE "=%s", value), "not understood");
	} else {
		print_error("budget: %s='%s' is no size; %s", VARIABLE, value,
		    FORMS);
		free(value);
		return -EINVAL;
	}
	free(value);
	return 0;
}

static char *
file_in_group(const struct cgroup_memory *m, const struct cgroup_level *level,
    const char *file)
{
	return need_text("%.*s/%s", (int)level->path_bytes, m->path, file);
}

/* A limit of version 1 may be set in a group that a container cannot see. */
static void
add_hidden_group(struct chain *c, const struct cgroup_memory *m,
    uint64_t least)
{
	struct source *s;

	if (m->hierarchical >= least)
		return;
	s = add(c, SOURCE_CGROUP, "cgroup",
	    file_in_group(m, &m->level[0], "memory.stat"),
	    "set in a group above, out of sight");
	s->bytes = m->hierarchical;
	s->used = m->level[0].used;
}

static void
add_groups(struct chain *c, const struct subject *who)
{
	struct cgroup_memory m;
	const struct cgroup_level *level;
	struct source *s;
	uint64_t least = SOURCE_NONE;

	if (cgroup_memory_read(who->root, who->pid, &m) < 0)
		return;
	for (level = m.level; level < m.level + m.levels; level++) {
		s = add(c, SOURCE_CGROUP, "cgroup",
		    file_in_group(&m, level, cgroup_file_of_max(&m)), NULL);
		s->bytes = level->max;
		s->used = level->used;
		least = min_u64(least, level->max);
	}
	for (level = m.level; level < m.level + m.levels; level++) {
		if (level->high == CGROUP_NONE)
			continue;
		s = add(c, SOURCE_HIGH, "cgroup-high",
		    file_in_group(&m, level, "memory.high"), NULL);
		s->bytes = level->high;
		s->used = level->used;
	}
	if (m.levels > 0)
		add_hidden_group(c, &m, least);
}

static void
add_limits(struct chain *c, const struct subject *who)
{
	char path[512];
	struct proc_limits limits;
	struct source *s;

	if (proc_limits_read(who->root, who->pid, &limits) != 0 ||
	    proc_path(path, sizeof(path), who->root, who->pid, "limits") < 0)
		return;
	s = add(c, SOURCE_LIMIT, "rlimit-as", need_text("%s", path),
	    "address space, not resident memory");
	s->bytes = limits.address_space;
	s->used = who->status.address_space;
	s = add(c, SOURCE_LIMIT, "rlimit-data", need_text("%s", path),
	    "data mapped, not resident memory");
	s->bytes = limits.data;
	s->used = who->status.data;
}

static void
add_host(struct chain *c, const struct subject *who)
{
	struct proc_memory memory;
	struct source *s;

	if (proc_memory_read(who->root, &memory) < 0)
		return;
	s = add(c, SOURCE_HOST, "host",
	    need_text("%s/proc/meminfo", who->root),
	    "what is available now, less a reserve");
	s->bytes = source_of_host(memory.total, memory.available,
	    who->status.resident);
	s->used = who->status.resident;
}

/* --- whom it is about ----------------------------------------------------- */

static void
look_inside(struct subject *who)
{
	struct profile profile;
	struct totals totals;
	char why[512], pid[16];

	snprintf(pid, sizeof(pid), "%d", who->pid);
	if (profile_open(pid, &profile, why) < 0)
		return;
	if (profile.live) {
		profile_totals(&profile, &totals);
		who->has_segment = true;
		who->live = totals.live_bytes;
		who->peak = totals.peak_bytes;
	}
	profile_close(&profile);
}

static int
find_subject(const char *operand, struct subject *who)
{
	const char *root = getenv("HEAPTIDE_SYSROOT");
	struct proc_stat stat;
	uint64_t pid;
	int r;

	*who = (struct subject){ .root = root != NULL ? root : "" };
	if (operand == NULL)
		return COMMAND_DONE;
	if (text_parse_u64(operand, INT_MAX, &pid) < 0 || pid == 0) {
		print_error("budget: '%s' is no process; a pid is accepted",
		    operand);
		return COMMAND_USAGE;
	}
	who->pid = (int)pid;
	r = proc_stat_read(who->pid, &stat);
	if (r == 0)
		r = proc_status_read(who->pid, &who->status);
	if (r < 0) {
		print_error("budget: cannot look at process %d: %s", who->pid,
		    strerror(-r));
		return COMMAND_FAILED;
	}
	memcpy(who->name, stat.name, sizeof(who->name));
	look_inside(who);
	return COMMAND_DONE;
}

/* --- the answer ----------------------------------------------------------- */

static json_t *
json_bytes(uint64_t bytes)
{
	return bytes == SOURCE_NONE ? json_null() :
	    json_integer((json_int_t)bytes);
}

static json_t *
json_source(const struct source *s, const struct label *l)
{
	char note[160];

	snprintf(note, sizeof(note), "%s%s%s", verdict_words[s->verdict],
	    l->note != NULL ? "; " : "", l->note != NULL ? l->note : "");
	return json_pack("{s:s, s:o, s:o, s:o, s:b, s:o}", "name", l->name,
	    "bytes", json_bytes(s->bytes), "used", json_bytes(s->used),
	    "from", json_text(l->from), "rules", s->verdict == VERDICT_RULES,
	    "note", json_text(note));
}

static const char *
name_at(const struct chain *c, size_t i)
{
	return i < c->count ? c->label[i].name : NULL;
}

static json_t *
json_name_at(const struct chain *c, size_t i)
{
	return i < c->count ? json_string(name_at(c, i)) : json_null();
}

static int
print_as_json(const struct subject *who, const struct chain *c,
    const struct sources_answer *a)
{
	json_t *o = json_head(), *sources = json_array();
	size_t i;

	for (i = 0; i < c->count; i++)
		json_array_append_new(sources,
		    json_source(&c->source[i], &c->label[i]));
	json_object_set_new(o, "pid",
	    who->pid != 0 ? json_integer(who->pid) : json_null());
	json_object_set_new(o, "budget", json_bytes(a->budget));
	json_object_set_new(o, "soft", json_boolean(a->soft));
	json_object_set_new(o, "source", json_name_at(c, a->rules));
	json_object_set_new(o, "slow_from", json_bytes(a->slow_from));
	json_object_set_new(o, "used", who->pid != 0 ?
	    json_bytes(who->status.resident) : json_null());
	json_object_set_new(o, "live",
	    who->has_segment ? json_bytes(who->live) : json_null());
	json_object_set_new(o, "available", json_bytes(a->available));
	json_object_set_new(o, "tightest", json_name_at(c, a->tightest));
	json_object_set_new(o, "sources", sources);
	return json_print(o);
}

/* A size for a cell; what is not there is a dash. */
static void
bytes_cell(struct print_table *t, uint64_t bytes)
{
	char text[TEXT_BYTES_ROOM];

	print_cell(t, "%s",
	    bytes == SOURCE_NONE ? "-" : text_format_bytes(text, bytes));
}

static void
print_chain(const struct print *p, const struct chain *c)
{
	static const struct print_column columns[] = {
		{ "source", false }, { "limit", true }, { "used", true },
		{ "left", true }, { "verdict", false }, { "from", false },
	};
	struct print_table *t;
	const struct source *s;
	size_t i;

	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (i = 0; i < c->count; i++) {
		s = &c->source[i];
		print_cell(t, "%s", c->label[i].name);
		bytes_cell(t, s->bytes);
		bytes_cell(t, s->used);
		if (s->bytes == SOURCE_NONE || s->used == SOURCE_NONE)
			bytes_cell(t, SOURCE_NONE);
		else
			bytes_cell(t, s->bytes - min_u64(s->used, s->bytes));
		print_cell(t, "%s", verdict_words[s->verdict]);
		print_cell(t, "%s%s%s", c->label[i].from,
		    c->label[i].note != NULL ? ": " : "",
		    c->label[i].note != NULL ? c->label[i].note : "");
		print_row_style(t, s->verdict == VERDICT_RULES ? PRINT_STRONG :
		    s->verdict == VERDICT_NO_LIMIT ? PRINT_FAINT :
		    PRINT_PLAIN);
	}
	print_table_close(t, p, 2);
}

static void
print_used(const struct print *p, const struct subject *who)
{
	char resident[TEXT_BYTES_ROOM], live[TEXT_BYTES_ROOM];
	char peak[TEXT_BYTES_ROOM];

	if (who->pid == 0)
		return;
	text_format_bytes(resident, who->status.resident);
	text_format_bytes(live, who->live);
	text_format_bytes(peak, who->peak);
	if (who->has_segment)
		print_line(p, PRINT_PLAIN, "used    %s resident; %s live in "
		    "its heap, %s at the peak", resident, live, peak);
	else
		print_line(p, PRINT_PLAIN, "used    %s resident", resident);
}

static void
print_left(const struct print *p, const struct chain *c,
    const struct sources_answer *a)
{
	char bytes[TEXT_BYTES_ROOM];
	const char *tightest = name_at(c, a->tightest);

	if (tightest == NULL)
		return;
	text_format_bytes(bytes, a->available);
	if (a->tightest == a->rules)
		print_line(p, PRINT_PLAIN, "left    %s", bytes);
	else
		print_line(p, PRINT_PLAIN, "left    %s, by %s, where less is "
		    "left than of the budget", bytes, tightest);
}

static int
print_as_text(const struct subject *who, const struct chain *c,
    const struct sources_answer *a)
{
	struct print p = print_open(stdout);
	char bytes[TEXT_BYTES_ROOM];

	if (who->pid != 0)
		print_line(&p, PRINT_PLAIN, "process %d (%s)", who->pid,
		    who->name);
	if (a->budget == SOURCE_NONE)
		print_line(&p, PRINT_STRONG, "budget  none: no limit is known");
	else
		print_line(&p, PRINT_STRONG, "budget  %s, by %s%s",
		    text_format_bytes(bytes, a->budget), name_at(c, a->rules),
		    a->soft ? "; soft: what others use moves it" : "");
	print_used(&p, who);
	print_left(&p, c, a);
	if (a->slow_from != SOURCE_NONE)
		print_line(&p, PRINT_PLAIN, "slow    from %s on, by "
		    "memory.high", text_format_bytes(bytes, a->slow_from));
	print_line(&p, PRINT_PLAIN, "%s", "");
	print_chain(&p, c);
	return COMMAND_DONE;
}

/* A wish that cannot be computed; the option's is the caller's to mend. */
static int
refuse_wish(const char *value, int error)
{
	print_error("budget: --budget %s %s", value, error == -ENODATA ?
	    "is relative, and there is no limit to be relative to" :
	    "takes away more than the lowest limit is");
	return COMMAND_USAGE;
}

static int
budget_run(const void *options, int operands, char **operand)
{
	const struct budget_options *o = options;
	struct sources_answer answer;
	struct chain chain = { .count = 0 };
	struct subject who;
	int r;

	r = find_subject(operands > 0 ? operand[0] : NULL, &who);
	if (r != COMMAND_DONE)
		return r;
	r = COMMAND_USAGE;
	if (add_option(&chain, &who, o->budget) < 0 ||
	    add_variable(&chain, &who) < 0)
		goto out;
	add_groups(&chain, &who);
	add_limits(&chain, &who);
	add_host(&chain, &who);

	r = sources_judge(chain.source, chain.count, o->force, &answer);
	if (r < 0 && o->budget != NULL &&
	    chain.source[0].bytes == SOURCE_NONE)
		r = refuse_wish(o->budget, r);
	else if (o->json)
		r = print_as_json(&who, &chain, &answer);
	else
		r = print_as_text(&who, &chain, &answer);
out:
	chain_free(&chain);
	return r;
}

const struct command command_budget = {
	.name = "budget",
	.args = "[PID]",
	.help = "show which limits on memory there are, and which one rules",
	.rows = budget_rows,
	.options_bytes = sizeof(struct budget_options),
	.operands_most = 1,
	.run = budget_run,
};
