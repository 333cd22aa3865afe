/*
 * advise.c - what should be changed about a program's memory, with names
 */
#include "ops/advise.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/base.h"
#include "say/need.h"
#include "settings/config.h"
#include "symbols/json.h"
#include "symbols/telling.h"

/* --- checkpoints on this machine ------------------------------------------ */

static char *
runs_directory(void)
{
	const char *state = getenv("HEAPTIDE_STATE");
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state != NULL && *state != '\0')
		return need_text("%s/runs", state);
	if (xdg != NULL && *xdg == '/')
		return need_text("%s/heaptide/runs", xdg);
	return home == NULL ? NULL :
	    need_text("%s/.local/state/heaptide/runs", home);
}

static void
find_kept(struct counsel_options *options)
{
	char *path = runs_directory();
	DIR *directory = path != NULL ? opendir(path) : NULL;
	time_t now = time(NULL), oldest = now;
	struct dirent *entry;
	struct stat st;

	free(path);
	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');

		if (end == NULL || strcmp(end, ".tideck") != 0 ||
		    fstatat(dirfd(directory), entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			continue;
		options->kept_bytes += (uint64_t)st.st_size;
		if (st.st_mtime < oldest)
			oldest = st.st_mtime;
	}
	closedir(directory);
	options->kept_seconds = (double)(now - oldest);
}

/* --- opening -------------------------------------------------------------- */

static const struct site *
site_of(const struct advised *a, const struct advice *advice)
{
	return a->profile != NULL && advice->site != 0 &&
	    advice->site < a->profile->sites ?
	    &a->profile->site[advice->site] : NULL;
}

static void
resolve(struct advised *a)
{
	const struct site *sites[ADVICE_MOST];
	size_t n = 0;

	for (size_t i = 0; i < a->counsel->count; i++) {
		const struct site *site = site_of(a, &a->counsel->advice[i]);

		if (site != NULL)
			sites[n++] = site;
	}
	if (n == 0)
		return;
	a->symbols = symbols_open(a->profile, false);
	symbols_resolve(a->symbols, sites, n);
}

void
advise_open(struct advised *a, const struct profile *profile,
    const char *subject)
{
	struct counsel_options options = {
		.now_ns = profile->now_ns,
		.ended = !profile->live,
		.subject = subject,
	};

	char why[CONFIG_WHY_ROOM];

	*a = (struct advised){ .profile = profile };
	a->control = profile_control(profile);
	/* Who reads settings to act on them says what is wrong with them. */
	(void)config_least(&a->control.least, why);
	find_kept(&options);
	if (counsel_open(&a->counsel, &a->control, &options) < 0)
		need(NULL);
	resolve(a);
}

void
advise_open_of(struct advised *a, const struct advice_facts *facts,
    const char *source, const char *subject)
{
	struct counsel_options options = {
		.ended = facts->ended,
		.subject = subject,
	};

	*a = (struct advised){ .profile = NULL };
	find_kept(&options);
	if (counsel_of(&a->counsel, facts, source, &options) < 0)
		need(NULL);
}

void
advise_close(struct advised *a)
{
	if (a->symbols != NULL)
		symbols_close(a->symbols);
	counsel_close(a->counsel);
}

/* --- in words ------------------------------------------------------------- */

/* `fill (cache.c:12)`; NULL: it is not known. */
static char *
place_of(const struct advised *a, const struct advice *advice)
{
	const struct site *site = site_of(a, advice);
	char place[SYMBOL_PLACE_ROOM], *words = NULL;
	const struct frame *frame;
	struct frame *frames;
	size_t count;

	if (site == NULL || a->symbols == NULL)
		return NULL;
	count = symbols_stack(a->symbols, site, &frames);
	frame = telling_frame(frames, count);
	if (frame != NULL && !frame->note) {
		symbols_place(frame, place);
		words = place[0] == '\0' ? need_text("%s", frame->function) :
		    need_text("%s (%s)", frame->function, place);
	}
	free(frames);
	return words;
}

char *
advise_text(const struct advised *a, const struct advice *advice,
    char text[COUNSEL_TEXT_ROOM])
{
	char *place = place_of(a, advice);

	counsel_text(a->counsel, advice, place, text);
	free(place);
	return text;
}

char *
advise_setting(const struct advised *a, const struct advice *advice,
    char setting[COUNSEL_SETTING_ROOM])
{
	return counsel_setting(a->counsel, advice, setting);
}

static bool
asks_for_change(const struct advised *a, const struct advice *advice)
{
	char setting[COUNSEL_SETTING_ROOM];

	return advice->severity > ADVICE_FINE &&
	    *advise_setting(a, advice, setting) != '\0';
}

const struct advice *
advise_first(const struct advised *a)
{
	for (size_t i = 0; i < a->counsel->count; i++)
		if (asks_for_change(a, &a->counsel->advice[i]))
			return &a->counsel->advice[i];
	return NULL;
}

#define PRINTED_MOST 3

static void
print_advice(const struct advised *a, const struct advice *advice,
    const struct print *out, unsigned column, const char *head)
{
	char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM];

	print_sentence(out, advice->severity >= ADVICE_WARN ? PRINT_WARN :
	    PRINT_PLAIN, column + 3, "  %-*s %s: %s", (int)column, head,
	    advice_name(advice->id), advise_text(a, advice, text));
	if (*advise_setting(a, advice, setting) != '\0')
		print_sentence(out, PRINT_PLAIN, column + 7, "  %-*s try %s",
		    (int)column, "", setting);
}

void
advise_print_of(const struct advised *a, const struct print *out,
    unsigned column)
{
	const struct counsel *k = a->counsel;
	size_t printed = 0;

	for (size_t i = 0; i < k->count && printed < PRINTED_MOST; i++)
		if (asks_for_change(a, &k->advice[i]))
			print_advice(a, &k->advice[i], out, column,
			    printed++ == 0 ? "advice" : "");
	for (size_t i = 0; i < k->count && printed == 0; i++)
		if (k->advice[i].id == ADVICE_OK)
			print_advice(a, &k->advice[i], out, column,
			    "advice");
}

void
advise_print(const struct profile *profile, const char *subject,
    const struct print *out, unsigned column)
{
	struct advised a;

	advise_open(&a, profile, subject);
	advise_print_of(&a, out, column);
	advise_close(&a);
}

/* --- JSON ----------------------------------------------------------------- */

static json_t *
json_numbers(const struct advice *advice)
{
	json_t *numbers = json_object();
	const char *name;

	for (size_t i = 0; (name = advice_number(advice->id, i)) != NULL; i++)
		json_object_set_new(numbers, name,
		    json_real(advice->number[i]));
	return numbers;
}

json_t *
advise_json(const struct advised *a, const struct advice *advice)
{
	char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM];
	char value[COUNSEL_VALUE_ROOM];
	const char *key = counsel_key(a->counsel, advice, value);
	const struct site *site = site_of(a, advice);
	const struct json_member members[] = {
		{ "id", json_string(advice_name(advice->id)) },
		{ "severity", json_string(advice_severity_name(
		    advice->severity)) },
		{ "operation", advice->op < 0 ? json_null() :
		    json_text(a->counsel->op[advice->op].name) },
		{ "text", json_text(advise_text(a, advice, text)) },
		{ "setting", json_text(advise_setting(a, advice, setting)) },
		{ "key", key == NULL ? json_null() : json_string(key) },
		{ "value", key == NULL ? json_null() : json_string(value) },
		{ "numbers", json_numbers(advice) },
		{ "site", site == NULL ? json_null() :
		    json_number(advice->site) },
		{ "stack", site == NULL ? json_null() :
		    json_stack(a->symbols, site) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

json_t *
advise_json_all(const struct advised *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->counsel->count; i++)
		json_array_append_new(list,
		    advise_json(a, &a->counsel->advice[i]));
	return list;
}
