/*
 * export-stacks.c - a profile as stacks with a weight: collapsed for
 * flamegraph.pl and its like, and speedscope's sampled profiles
 *
 * Neither has a place for what is below 0: sites that shrank are left out of
 * growth.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/base.h"
#include "formats/export.h"
#include "say/need.h"

/* --- collapsed ------------------------------------------------------------ */

/* `;` parts frames; a line ends with the last blank and a number. */
static void
put_name(FILE *to, const char *name)
{
	for (; *name != '\0'; name++)
		fputc(*name == ';' ? ':' : (unsigned char)*name < ' ' ? '?' :
		    *name, to);
}

bool
export_collapsed(const struct export *e)
{
	for (size_t i = 0; i < e->rows && !ferror(e->to); i++) {
		int64_t value = e->row[i].value[e->by];
		struct frame *frame;
		size_t count;

		if (value <= 0)
			continue;
		count = export_stack(e, &e->row[i], &frame);
		for (size_t k = count; k-- > 0; ) {
			put_name(e->to, frame[k].function);
			fputc(k == 0 ? ' ' : ';', e->to);
		}
		fprintf(e->to, "%" PRId64 "\n", value);
		free(frame);
	}
	return true;
}

/* --- speedscope ----------------------------------------------------------- */

struct known {
	char *key;
	json_int_t index;
	UT_hash_handle hh;
};

struct shared {
	struct known *known;
	json_t *frames;
};

static json_t *
frame_object(const struct frame *f)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", json_text(f->function));
	if (f->file[0] != '\0')
		json_object_set_new(object, "file", json_text(f->file));
	if (f->line != 0)
		json_object_set_new(object, "line", json_integer(f->line));
	return object;
}

static json_int_t
index_of(struct shared *s, const struct frame *f)
{
	char *key = need_text("%s\n%s\n%" PRIu32, f->function, f->file,
	    f->line);
	struct known *k;

	HASH_FIND_STR(s->known, key, k);
	if (k != NULL) {
		free(key);
		return k->index;
	}
	k = need(calloc(1, sizeof(*k)));
	k->key = key;
	k->index = (json_int_t)json_array_size(s->frames);
	json_array_append_new(s->frames, frame_object(f));
	HASH_ADD_KEYPTR(hh, s->known, key, strlen(key), k);
	return k->index;
}

/* Of each row its stack from the outside in, made once for all values. */
static json_t **
make_stacks(const struct export *e, struct shared *s)
{
	json_t **stack = need(calloc(e->rows + 1, sizeof(json_t *)));

	for (size_t i = 0; i < e->rows; i++) {
		struct frame *frame;
		size_t count = export_stack(e, &e->row[i], &frame);

		stack[i] = json_array();
		for (size_t k = count; k-- > 0; )
			json_array_append_new(stack[i],
			    json_integer(index_of(s, &frame[k])));
		free(frame);
	}
	return stack;
}

static json_t *
make_profile(const struct export *e, json_t *const *stack,
    enum export_value value)
{
	json_t *samples = json_array(), *weights = json_array();
	const char *unit = export_unit(value);

	for (size_t i = 0; i < e->rows; i++) {
		if (e->row[i].value[value] <= 0)
			continue;
		json_array_append(samples, stack[i]);
		json_array_append_new(weights,
		    json_integer(e->row[i].value[value]));
	}
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:o, s:o}",
	    "type", "sampled", "name", export_title(value),
	    "unit", strcmp(unit, "bytes") == 0 ? unit : "none",
	    "startValue", 0, "endValue", (json_int_t)export_sum(e, value),
	    "samples", samples, "weights", weights);
}

static json_t *
make_profiles(const struct export *e, json_t *const *stack)
{
	json_t *list = json_array();

	for (int v = 0; v < EXPORT_VALUES; v++)
		if (v != EXPORT_GROWTH || e->grown)
			json_array_append_new(list, make_profile(e, stack,
			    (enum export_value)v));
	return list;
}

/* The profile's title; a caveat belongs to it, as nothing else is shown. */
static json_t *
make_title(const struct export *e)
{
	char *subject = export_subject(e), *caveat = export_caveat(e);
	char *title = need_text("%s%s%s", subject,
	    caveat[0] != '\0' ? "; " : "", caveat);
	json_t *json = json_text(title);

	free(subject);
	free(caveat);
	free(title);
	return json;
}

bool
export_speedscope(const struct export *e)
{
	struct shared s = { .frames = json_array() };
	json_t **stack = make_stacks(e, &s);
	struct known *k, *next;
	json_t *whole;

	whole = json_pack("{s:s, s:o, s:s, s:i, s:{s:o}, s:o}",
	    "$schema", "https://www.speedscope.app/file-format-schema.json",
	    "name", make_title(e), "exporter", "heaptide " PACKAGE_VERSION,
	    "activeProfileIndex", (int)e->by,
	    "shared", "frames", s.frames,
	    "profiles", make_profiles(e, stack));
	(void)json_write(whole, e->to, JSON_COMPACT);
	fputc('\n', e->to);
	json_decref(whole);
	for (size_t i = 0; i < e->rows; i++)
		json_decref(stack[i]);
	free(stack);
	HASH_ITER(hh, s.known, k, next) {
		HASH_DEL(s.known, k);
		free(k->key);
		free(k);
	}
	return true;
}
