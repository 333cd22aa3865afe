/*
 * cmd-safe.c - `heaptide safe`: is there room for what is to be done?
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "run/room.h"
#include "say/option.h"
#include "say/print.h"
#include "settings/config.h"

struct safe_options {
	bool json;
	uint64_t need;
	uint64_t max; /* 0: not given */
};

static const struct option_row safe_rows[] = {
	{ .name = "need", .kind = OPTION_BYTES, .word = "SIZE", .least = 1,
	  .at = offsetof(struct safe_options, need),
	  .help = "how much it will take" },
	{ .name = "max", .kind = OPTION_BYTES, .word = "SIZE", .least = 1,
	  .at = offsetof(struct safe_options, max),
	  .help = "and how much may be used with it, at most" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct safe_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

struct answer {
	bool safe;
	uint64_t current;
	uint64_t available; /* UINT64_MAX: nothing limits it */
};

static struct answer
judge(const struct safe_options *o, const struct room *room)
{
	struct answer a = {
		.current = room_used(room),
		.available = room_available(room),
	};

	if (o->max != 0)
		a.available = min_u64(a.available,
		    above_u64(o->max, a.current));
	a.safe = o->need <= a.available;
	return a;
}

static int
print_answer(const struct answer *a, const struct room *room, bool json)
{
	char current[TEXT_BYTES_ROOM], available[TEXT_BYTES_ROOM];
	struct print p = print_open(stdout);
	json_t *o;

	if (json) {
		o = json_head();
		json_object_set_new(o, "pid", room->pid != 0 ?
		    json_integer(room->pid) : json_null());
		json_object_set_new(o, "safe", json_boolean(a->safe));
		json_object_set_new(o, "current",
		    json_integer((json_int_t)a->current));
		json_object_set_new(o, "available",
		    a->available == UINT64_MAX ? json_null() :
		    json_integer((json_int_t)a->available));
		return json_print(o);
	}
	print_line(&p, a->safe ? PRINT_GOOD : PRINT_BAD, "safe       %s",
	    a->safe ? "yes" : "no");
	print_line(&p, PRINT_PLAIN, "current    %s",
	    text_format_bytes(current, a->current));
	print_line(&p, PRINT_PLAIN, "available  %s",
	    a->available == UINT64_MAX ? "no limit is known" :
	    text_format_bytes(available, a->available));
	return COMMAND_DONE;
}

static int
safe_run(const void *options, int operands, char **operand)
{
	const struct safe_options *o = options;
	char why[CONFIG_WHY_ROOM];
	struct config config;
	struct answer answer;
	struct room room;
	int r;

	if (o->need == 0) {
		print_error("safe: --need is missing: give a size such as "
		    "64K or 512M");
		return COMMAND_USAGE;
	}
	r = room_find(&room, "safe", operands > 0 ? operand[0] : NULL);
	if (r != COMMAND_DONE)
		return r;
	config_open(&config);
	if (config_read(&config, NULL, why) < 0) {
		print_error("safe: %s", why);
		r = COMMAND_USAGE;
		goto out;
	}
	room_settle_preset(&config);
	room_read(&room, &config);
	if (room_check(&room, &config, why) < 0) {
		print_error("safe: %s", why);
		r = COMMAND_USAGE;
	} else {
		answer = judge(o, &room);
		r = print_answer(&answer, &room, o->json);
		if (r == COMMAND_DONE && !answer.safe)
			r = COMMAND_GATE;
	}
	room_close(&room);
out:
	config_close(&config);
	return r;
}

const struct command command_safe = {
	.name = "safe",
	.args = "[PID]",
	.help = "tell whether there is room for so much more",
	.rows = safe_rows,
	.options_bytes = sizeof(struct safe_options),
	.operands_most = 1,
	.run = safe_run,
};
