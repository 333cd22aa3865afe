/*
 * cmd-preset.c - `heaptide preset`: settings that go together, by name
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "run/room.h"
#include "say/option.h"
#include "say/print.h"
#include "settings/config.h"
#include "settings/settings.h"

struct preset_options {
	bool json;
};

static const struct option_row preset_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct preset_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

static json_t *
json_preset(const struct preset *p)
{
	json_t *rows = json_object();
	const struct preset_row *row;

	for (row = p->row; row < p->row + PRESET_ROWS && row->key != NULL;
	    row++)
		json_object_set_new(rows, row->key, json_string(row->value));
	return json_pack("{s:s, s:s, s:o}", "name", p->name, "help", p->help,
	    "settings", rows);
}

static int
list(bool json)
{
	static const struct print_column columns[] = {
		{ NULL, false }, { NULL, false },
	};
	struct print out = print_open(stdout);
	const struct preset *p;
	struct print_table *t;
	json_t *o, *all;

	if (json) {
		o = json_head();
		all = json_array();
		for (p = presets; p->name != NULL; p++)
			json_array_append_new(all, json_preset(p));
		json_object_set_new(o, "presets", all);
		return json_print(o);
	}
	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (p = presets; p->name != NULL; p++) {
		print_cell(t, "%s", p->name);
		print_cell(t, "%s", p->help);
	}
	print_table_close(t, &out, 0);
	return COMMAND_DONE;
}

/* What `auto` comes to here; the budget is what it would be without it. */
static const struct preset *
here(void)
{
	char why[CONFIG_WHY_ROOM];
	const struct preset *p;
	struct config c;

	config_open(&c);
	(void)config_set(&c, "preset", "auto", "auto", why);
	if (config_read(&c, NULL, why) < 0) {
		print_error("preset: %s", why);
		config_close(&c);
		return NULL;
	}
	room_settle_preset(&c);
	p = c.preset;
	config_close(&c);
	return p;
}

static int
show(const char *name, bool json)
{
	struct print out = print_open(stdout);
	char names[SETTING_WORDS_ROOM];
	const struct preset *p = preset_find(name);
	const struct preset_row *row;
	json_t *o, *made;

	if (p == NULL) {
		print_error("preset: there is no preset '%s'; there are %s",
		    name, preset_names(names));
		return COMMAND_USAGE;
	}
	if (strcmp(p->name, "auto") == 0) {
		p = here();
		if (p == NULL)
			return COMMAND_USAGE;
	}
	if (json) {
		o = json_head();
		made = json_preset(p);
		json_object_update(o, made);
		json_decref(made);
		return json_print(o);
	}
	print_line(&out, PRINT_FAINT, "# %s: %s", p->name, p->help);
	for (row = p->row; row < p->row + PRESET_ROWS && row->key != NULL;
	    row++)
		print_line(&out, PRINT_PLAIN, "%s = %s", row->key,
		    row->value);
	return COMMAND_DONE;
}

static int
preset_run(const void *options, int operands, char **operand)
{
	const struct preset_options *o = options;

	if (strcmp(operand[0], "list") == 0 && operands == 1)
		return list(o->json);
	if (strcmp(operand[0], "show") == 0 && operands == 2)
		return show(operand[1], o->json);
	if (strcmp(operand[0], "show") == 0)
		print_error("preset: show needs a NAME; 'preset list' lists "
		    "them");
	else
		print_error("preset: '%s' is not accepted; 'list' and "
		    "'show NAME' are", operand[operands > 1 &&
		    strcmp(operand[0], "list") == 0 ? 1 : 0]);
	return COMMAND_USAGE;
}

const struct command command_preset = {
	.name = "preset",
	.args = "list | show NAME",
	.help = "show settings that go together, by name",
	.rows = preset_rows,
	.options_bytes = sizeof(struct preset_options),
	.operands_least = 1,
	.operands_most = 2,
	.run = preset_run,
};
