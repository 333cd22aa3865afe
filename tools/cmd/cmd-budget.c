/*
 * cmd-budget.c - which limits on memory there are, and the one that rules
 *
 * The chain is gathered by room.c; what it means is for the law in
 * model/sources.h to say.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "run/room.h"
#include "say/option.h"
#include "say/print.h"
#include "settings/config.h"

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

static const char *const verdict_words[] = {
	[VERDICT_NO_LIMIT] = "no limit",
	[VERDICT_RULES] = "rules",
	[VERDICT_NOT_LOWER] = "not lower",
	[VERDICT_SUPERSEDED] = "a nearer one is set",
	[VERDICT_OVERRULED] = "overruled by force",
	[VERDICT_WARNS] = "the kernel slows it down from here",
};

/* --- the answer ----------------------------------------------------------- */

static json_t *
json_bytes(uint64_t bytes)
{
	return bytes == SOURCE_NONE ? json_null() :
	    json_integer((json_int_t)bytes);
}

static json_t *
json_source(const struct room *room, size_t i)
{
	const struct source *s = &room->chain.source[i];
	const struct chain_link *l = &room->chain.link[i];
	char note[160], *from = room_from(room, i);
	json_t *o;

	snprintf(note, sizeof(note), "%s%s%s", verdict_words[s->verdict],
	    l->note != NULL ? "; " : "", l->note != NULL ? l->note : "");
	o = json_pack("{s:s, s:o, s:o, s:o, s:b, s:o}", "name", l->name,
	    "bytes", json_bytes(s->bytes), "used", json_bytes(s->used),
	    "from", json_text(from), "rules", s->verdict == VERDICT_RULES,
	    "note", json_text(note));
	free(from);
	return o;
}

static const char *
name_at(const struct chain *c, size_t i)
{
	return i < c->count ? c->link[i].name : NULL;
}

static json_t *
json_name_at(const struct chain *c, size_t i)
{
	return i < c->count ? json_string(name_at(c, i)) : json_null();
}

static int
print_as_json(const struct room *room)
{
	const struct sources_answer *a = &room->answer;
	const struct chain *c = &room->chain;
	json_t *o = json_head(), *sources = json_array();
	bool is_process = room->pid != 0;
	size_t i;

	for (i = 0; i < c->count; i++)
		json_array_append_new(sources, json_source(room, i));
	json_object_set_new(o, "pid",
	    is_process ? json_integer(room->pid) : json_null());
	json_object_set_new(o, "budget", json_bytes(a->budget));
	json_object_set_new(o, "soft", json_boolean(a->soft));
	json_object_set_new(o, "source", json_name_at(c, a->rules));
	json_object_set_new(o, "slow_from", json_bytes(a->slow_from));
	json_object_set_new(o, "used", is_process ?
	    json_bytes(c->status.resident) : json_null());
	json_object_set_new(o, "live",
	    room->has_segment ? json_bytes(room->live) : json_null());
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
print_source(struct print_table *t, const struct room *room, size_t i)
{
	const struct source *s = &room->chain.source[i];
	const struct chain_link *l = &room->chain.link[i];
	char *from = room_from(room, i);

	print_cell(t, "%s", l->name);
	bytes_cell(t, s->bytes);
	bytes_cell(t, s->used);
	if (s->bytes == SOURCE_NONE || s->used == SOURCE_NONE)
		bytes_cell(t, SOURCE_NONE);
	else
		bytes_cell(t, s->bytes - min_u64(s->used, s->bytes));
	print_cell(t, "%s", verdict_words[s->verdict]);
	print_cell(t, "%s%s%s", from, l->note != NULL ? ": " : "",
	    l->note != NULL ? l->note : "");
	print_row_style(t, s->verdict == VERDICT_RULES ? PRINT_STRONG :
	    s->verdict == VERDICT_NO_LIMIT ? PRINT_FAINT : PRINT_PLAIN);
	free(from);
}

static void
print_chain(const struct print *p, const struct room *room)
{
	static const struct print_column columns[] = {
		{ "source", false }, { "limit", true }, { "used", true },
		{ "left", true }, { "verdict", false }, { "from", false },
	};
	struct print_table *t;
	size_t i;

	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (i = 0; i < room->chain.count; i++)
		print_source(t, room, i);
	print_table_close(t, p, 2);
}

static void
print_used(const struct print *p, const struct room *room)
{
	char resident[TEXT_BYTES_ROOM], live[TEXT_BYTES_ROOM];
	char peak[TEXT_BYTES_ROOM];

	if (room->pid == 0)
		return;
	text_format_bytes(resident, room->chain.status.resident);
	text_format_bytes(live, room->live);
	text_format_bytes(peak, room->peak);
	if (room->has_segment)
		print_line(p, PRINT_PLAIN, "used    %s resident; %s live in "
		    "its heap, %s at the peak", resident, live, peak);
	else
		print_line(p, PRINT_PLAIN, "used    %s resident", resident);
}

static void
print_left(const struct print *p, const struct room *room)
{
	const struct sources_answer *a = &room->answer;
	const char *tightest = name_at(&room->chain, a->tightest);
	char bytes[TEXT_BYTES_ROOM];

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
print_as_text(const struct room *room)
{
	const struct sources_answer *a = &room->answer;
	struct print p = print_open(stdout);
	char bytes[TEXT_BYTES_ROOM];

	if (room->pid != 0)
		print_line(&p, PRINT_PLAIN, "process %d (%s)", room->pid,
		    room->name);
	if (a->budget == SOURCE_NONE)
		print_line(&p, PRINT_STRONG, "budget  none: no limit is known");
	else
		print_line(&p, PRINT_STRONG, "budget  %s, by %s%s",
		    text_format_bytes(bytes, a->budget),
		    name_at(&room->chain, a->rules),
		    a->soft ? "; soft: what others use moves it" : "");
	print_used(&p, room);
	print_left(&p, room);
	if (a->slow_from != SOURCE_NONE)
		print_line(&p, PRINT_PLAIN, "slow    from %s on, by "
		    "memory.high", text_format_bytes(bytes, a->slow_from));
	print_line(&p, PRINT_PLAIN, "%s", "");
	print_chain(&p, room);
	return COMMAND_DONE;
}

static int
configure(const struct budget_options *o, struct config *config,
    char why[CONFIG_WHY_ROOM])
{
	int r = 0;

	if (o->budget != NULL)
		r = config_set(config, "budget", "--budget", o->budget, why);
	if (r == 0 && o->force)
		r = config_set(config, "budget.force", "--force", "on", why);
	if (r == 0)
		r = config_read(config, NULL, why);
	if (r == 0)
		room_settle_preset(config);
	return r;
}

static int
budget_run(const void *options, int operands, char **operand)
{
	const struct budget_options *o = options;
	char why[CONFIG_WHY_ROOM];
	struct config config;
	struct room room;
	int r;

	r = room_find(&room, "budget", operands > 0 ? operand[0] : NULL);
	if (r != COMMAND_DONE)
		return r;
	config_open(&config);
	if (configure(o, &config, why) < 0) {
		print_error("budget: %s", why);
		r = COMMAND_USAGE;
		goto out;
	}
	room_read(&room, &config);
	if (room_check(&room, &config, why) < 0) {
		print_error("budget: %s", why);
		r = COMMAND_USAGE;
	} else {
		r = o->json ? print_as_json(&room) : print_as_text(&room);
	}
	room_close(&room);
out:
	config_close(&config);
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
