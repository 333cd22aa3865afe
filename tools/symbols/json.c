/*
 * json.c - what JSON says of a profile, in the same words in every command
 */
#include "symbols/json.h"

#include <stdlib.h>

#include "base/base.h"
#include "say/print.h"

json_t *
json_number(uint64_t n)
{
	return json_integer((json_int_t)min_u64(n, INT64_MAX));
}

json_t *
json_text_of(const struct profile *profile, struct segment_text text)
{
	char *s = profile_text(profile, text);
	json_t *json = json_text(s);

	free(s);
	return json;
}

json_t *
json_command(const struct profile *profile)
{
	char **arguments = profile_arguments(profile);
	json_t *list = json_array();

	for (size_t i = 0; arguments[i] != NULL; i++)
		json_array_append_new(list, json_text(arguments[i]));
	free(arguments);
	return list;
}

json_t *
json_end(const char *how, const struct segment_end *end)
{
	const struct json_member members[] = {
		{ "how", how != NULL ? json_string(how) : NULL },
		{ "status", json_integer(end->status) },
		{ "signal", json_integer(end->signal) },
		{ "oom", json_boolean(end->out_of_memory == 1) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

json_t *
json_lost(const struct profile *profile)
{
	json_t *lost = json_object();

	for (size_t i = 0; i < PROFILE_LOSSES; i++)
		json_object_set_new(lost, profile_losses[i].name,
		    json_number(profile_lost(profile, &profile_losses[i])));
	return lost;
}

json_t *
json_unfollowed(const uint64_t *counts)
{
	json_t *causes = json_object();

	for (size_t i = UNFOLLOWED_NOT + 1; i < UNFOLLOWED_KINDS; i++)
		json_object_set_new(causes, profile_causes[i].name,
		    json_number(counts[i]));
	return causes;
}

json_t *
json_fill(json_t *object, const struct json_member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (members[i].value != NULL)
			json_object_set_new(object, members[i].name,
			    members[i].value);
	return object;
}

json_t *
json_pool(const struct profile *p, const struct site *site)
{
	char name[PROFILE_POOL_ROOM];
	int row = profile_pool(p, site);

	return row < 0 ? json_null() :
	    json_text(profile_pool_name(p, (size_t)row, name));
}

json_t *
json_frame(const struct frame *f)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:b}",
	    "function", json_text(f->function),
	    "file", f->file[0] != '\0' ? json_text(f->file) : json_null(),
	    "line", f->line != 0 ? json_number(f->line) : json_null(),
	    "module", f->module[0] != '\0' ? json_text(f->module) :
	    json_null(), "inlined", (int)f->inlined);
}

bool
json_cut(json_t *stack, const struct frame *f)
{
	size_t count = json_array_size(stack);
	json_t *last;

	if (count == 0 || !f->note || f->pc != NODE_CUT)
		return false;
	/* Others may have the same frame. */
	last = json_copy(json_array_get(stack, count - 1));
	json_object_set_new(last, "cut", json_true());
	json_array_set_new(stack, count - 1, last);
	return true;
}

json_t *
json_stack(struct symbols *symbols, const struct site *site)
{
	json_t *list = json_array();
	struct frame *frame;
	size_t count = symbols_stack(symbols, site, &frame);

	for (size_t i = 0; i < count; i++)
		if (!json_cut(list, &frame[i]))
			json_array_append_new(list, json_frame(&frame[i]));
	free(frame);
	return list;
}
