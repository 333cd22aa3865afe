/*
 * runs-verify.c - are the file of a run, its program and its inputs as they
 * were?
 */
#include "runs/runs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "plan/run-who.h"
#include "say/command.h"
#include "say/print.h"
#include "settings/config.h"
#include "symbols/json.h"

struct verdicts {
	json_t *list, *settings; /* the second: no verdicts, but told */
	struct print print;
	bool json, bad;
};

static void
put_verdict(struct verdicts *v, const char *what, const char *why)
{
	const struct json_member members[] = {
		{ "what", json_text(what) },
		{ "ok", json_boolean(why == NULL) },
		{ "why", why == NULL ? json_null() : json_text(why) },
	};

	v->bad |= why != NULL;
	json_array_append_new(v->list, json_fill(json_object(), members,
	    ARRAY_LENGTH(members)));
	if (!v->json)
		print_line(&v->print, why == NULL ? PRINT_GOOD : PRINT_BAD,
		    "%s: %s", what, why == NULL ? "as it was" : why);
}

/* A setting that was @was, of @n bytes, and is @is. */
static void
put_note(struct verdicts *v, const char *key, const char *was, size_t n,
    const char *is)
{
	char text[JOURNAL_CONF_ROOM];

	snprintf(text, sizeof(text), "%.*s", (int)n, was);
	const struct json_member members[] = {
		{ "key", json_text(key) },
		{ "was", json_text(text) },
		{ "is", is != NULL ? json_text(is) : json_null() },
	};

	json_array_append_new(v->settings, json_fill(json_object(), members,
	    ARRAY_LENGTH(members)));
	if (!v->json)
		print_line(&v->print, PRINT_PLAIN, "%s: was %s when it began, "
		    "here it is %s", key, text, is != NULL ? is : "not set");
}

static void
judge_file(struct verdicts *v, const struct journal_identity *was)
{
	struct journal_identity is, kept = *was;
	int r;

	kept.path[sizeof(kept.path) - 1] = '\0';
	if (kept.path[0] == '\0') {
		put_verdict(v, "(a file)", "its path was too long to keep");
		return;
	}
	r = run_who_file(kept.path, &is);
	put_verdict(v, kept.path, r == 0 ? run_who_differs(&kept, &is) :
	    r == -ENOENT ? "it is not there" : r == -EINVAL ?
	    "it is no regular file any more" : strerror(-r));
}

static void
add_input(void *context, const struct journal_record *record)
{
	struct journal_identity was;

	journal_take(record, &was, sizeof(was));
	judge_file(context, &was);
}

/* A build that is the same is the same program, whatever its file says. */
static void
judge_program(struct verdicts *v, const struct journal_begin *begin)
{
	static const uint8_t none[JOURNAL_BUILD_ID];
	uint8_t id[JOURNAL_BUILD_ID];

	if (memcmp(begin->build_id, none, sizeof(none)) == 0 ||
	    !run_who_build_id(begin->program.path, id))
		judge_file(v, &begin->program);
	else
		put_verdict(v, begin->program.path, memcmp(begin->build_id,
		    id, sizeof(id)) == 0 ? NULL : "it was built anew: its "
		    "build-id is another");
}

/* --- settings ------------------------------------------------------------- */

/* The setting whose variable is HEAPTIDE_@name. */
static const struct setting *
setting_of(const char *name, size_t n)
{
	char key[64];
	const struct setting *s;

	for (s = settings; s->key != NULL; s++) {
		size_t k;

		if (strlen(s->key) != n || n >= sizeof(key))
			continue;
		for (k = 0; k < n; k++)
			if ((s->key[k] == '.' ? '_' : s->key[k]) !=
			    (name[k] | (name[k] == '_' ? 0 : 32)))
				break;
		if (k == n)
			return s;
	}
	return NULL;
}

/*
 * What was set when it began and is not so here.  It is told and is no fault:
 * who goes on with more room has good reason to.
 */
static void
judge_settings(struct verdicts *v, const char *conf, const struct config *c)
{
	const char *at = conf, *value;
	size_t n, name;

	for (; *at != '\0'; at += n + (at[n] == ' ')) {
		const struct setting *s;

		n = strcspn(at, " ");
		name = strcspn(at, "=");
		if (name >= n)
			continue;
		s = setting_of(at, name);
		value = s != NULL ? config_get(c, s->key) : NULL;
		if (value != NULL && strlen(value) == n - name - 1 &&
		    strncmp(value, at + name + 1, n - name - 1) == 0)
			continue;
		put_note(v, s != NULL ? s->key : "a setting",
		    at + name + 1, n - name - 1, value);
	}
}

static void
judge_configuration(struct verdicts *v, const struct run_file *file)
{
	char why[CONFIG_WHY_ROOM];
	struct config config;

	config_open(&config);
	if (config_read(&config, NULL, why) < 0)
		put_verdict(v, "settings", why);
	else
		judge_settings(v, file->look.begin.conf, &config);
	config_close(&config);
}

/* --- all of it ------------------------------------------------------------ */

int
runs_verify(const struct run_file *file, bool json)
{
	struct verdicts v = { .list = json_array(),
		.settings = json_array(),
		.print = print_open(stdout), .json = json };
	char why[160];
	json_t *object;

	if (file->look.behind > 0 && !file->locked) {
		snprintf(why, sizeof(why), "%s, after %llu bytes; the %llu "
		    "behind do not count", file->look.why != NULL ?
		    file->look.why : "it is torn",
		    (unsigned long long)file->look.bytes,
		    (unsigned long long)file->look.behind);
		put_verdict(&v, file->path, why);
	} else {
		put_verdict(&v, file->path, NULL);
	}
	judge_program(&v, &file->look.begin);
	(void)runs_each(file, JOURNAL_INPUT, add_input, &v);
	judge_configuration(&v, file);
	if (json) {
		object = json_head();
		json_object_set_new(object, "batchId", json_text(file->id));
		json_object_set_new(object, "ok", json_boolean(!v.bad));
		json_object_set(object, "verified", v.list);
		json_object_set(object, "settings", v.settings);
		(void)json_print(object);
	}
	json_decref(v.list);
	json_decref(v.settings);
	return v.bad ? COMMAND_GATE : COMMAND_DONE;
}
