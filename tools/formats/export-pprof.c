/*
 * export-pprof.c - a profile for pprof: profile.proto, compressed
 *
 * Field numbers are those of pprof's proto/profile.proto.  A call with
 * functions inlined into it is one location with a line each, as pprof has
 * them.  Strings, functions and locations are met many times and written once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/base.h"
#include "formats/export.h"
#include "formats/proto.h"
#include "formats/roll.h"
#include "say/need.h"

enum profile_field {
	PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_MAPPING,
	PROFILE_LOCATION, PROFILE_FUNCTION, PROFILE_STRING,
	PROFILE_TIME = 9, PROFILE_DURATION, PROFILE_PERIOD_TYPE,
	PROFILE_PERIOD, PROFILE_COMMENT, PROFILE_DEFAULT_TYPE
};
enum sample_field { SAMPLE_LOCATION = 1, SAMPLE_VALUE };
enum mapping_field {
	MAPPING_ID = 1, MAPPING_START, MAPPING_LIMIT, MAPPING_OFFSET,
	MAPPING_FILENAME, MAPPING_BUILD, MAPPING_FUNCTIONS, MAPPING_FILES,
	MAPPING_LINES, MAPPING_INLINED
};
enum location_field {
	LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE
};
enum line_field { LINE_FUNCTION = 1, LINE_LINE };
enum function_field {
	FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM, FUNCTION_FILE
};

struct pprof {
	const struct export *e;
	struct buffer out;
	struct roll_entry *strings, *functions, *locations, *mappings;
	struct buffer a, b; /* messages in the making, empty between them */
};

static const struct {
	const char *type, *unit;
	enum export_value value;
} types[] = {
	{ "alloc_objects", "count", EXPORT_ALLOCATIONS },
	{ "alloc_space", "bytes", EXPORT_BYTES },
	{ "inuse_objects", "count", EXPORT_VALUES },
	{ "inuse_space", "bytes", EXPORT_LIVE },
	{ "peak_space", "bytes", EXPORT_PEAK },
	{ "growth_space", "bytes", EXPORT_GROWTH }, /* where it is known */
};

/* --- strings -------------------------------------------------------------- */

/* Number 0 is "", and is put first. */
static uint64_t
string_of(struct pprof *p, const char *text)
{
	size_t bytes = strlen(text);
	bool fresh;
	uint64_t n = roll_number(&p->strings, text, bytes, 0, &fresh);

	if (fresh)
		proto_bytes(&p->out, PROFILE_STRING, text, bytes);
	return n;
}

/* pprof refuses what is no UTF-8. */
static uint64_t
clean_string(struct pprof *p, const char *text)
{
	char *copy;
	uint64_t n;

	for (const char *at = text; *at != '\0'; at += print_character(at)) {
		if (print_character(at) != 0)
			continue;
		copy = need_text("%s", text);
		for (char *c = copy; *c != '\0'; c++)
			*c = (signed char)*c < 0 ? '?' : *c;
		n = string_of(p, copy);
		free(copy);
		return n;
	}
	return string_of(p, text);
}

static void
put_value_type(struct pprof *p, uint32_t field, const char *type,
    const char *unit)
{
	uint64_t type_number = string_of(p, type);

	proto_number(&p->a, 1, type_number);
	proto_number(&p->a, 2, string_of(p, unit));
	proto_message(&p->out, field, &p->a);
}

/* --- modules -------------------------------------------------------------- */

static void
put_build_id(struct pprof *p, const struct module *m)
{
	char id[2 * sizeof(m->build_id) + 1] = "";

	for (size_t i = 0; i < min_u64(m->build_id_bytes,
	    sizeof(m->build_id)); i++)
		snprintf(id + 2 * i, 3, "%02x", m->build_id[i]);
	proto_number(&p->a, MAPPING_BUILD, string_of(p, id));
}

static void
put_mappings(struct pprof *p, bool program)
{
	const struct profile *profile = p->e->report->profile;
	char *executable = profile_text(profile,
	    profile->segment->identity.executable);

	for (size_t i = 0; i < profile->modules; i++) {
		const struct module *m = &profile->module[i];
		char *path = profile_text(profile, m->path);

		if (m->start >= m->end ||
		    (strcmp(path, executable) == 0) != program) {
			free(path);
			continue;
		}
		proto_number(&p->a, MAPPING_ID, i + 1);
		proto_number(&p->a, MAPPING_START, m->start);
		proto_number(&p->a, MAPPING_LIMIT, m->end);
		proto_number(&p->a, MAPPING_OFFSET,
		    above_u64(m->start, m->base));
		proto_number(&p->a, MAPPING_FILENAME, clean_string(p, path));
		put_build_id(p, m);
		/* So that nobody looks for names again. */
		for (uint32_t f = MAPPING_FUNCTIONS; f <= MAPPING_INLINED; f++)
			proto_number(&p->a, f, 1);
		proto_message(&p->out, PROFILE_MAPPING, &p->a);
		free(path);
	}
	free(executable);
}

/* Of a function that has a name only: a mapping of no addresses. */
static uint64_t
mapping_of_name(struct pprof *p, const char *module)
{
	uint64_t first = p->e->report->profile->modules + 1, n;
	bool fresh;

	if (module[0] == '\0')
		return 0;
	n = roll_number(&p->mappings, module, strlen(module), first, &fresh);
	if (!fresh)
		return n;
	proto_number(&p->a, MAPPING_ID, n);
	proto_number(&p->a, MAPPING_FILENAME, clean_string(p, module));
	for (uint32_t f = MAPPING_FUNCTIONS; f <= MAPPING_INLINED; f++)
		proto_number(&p->a, f, 1);
	proto_message(&p->out, PROFILE_MAPPING, &p->a);
	return n;
}

static uint64_t
mapping_of(struct pprof *p, const struct frame *f)
{
	const struct profile *profile = p->e->report->profile;
	const struct module *m;

	if (f->note)
		return 0;
	if (f->pc >= NODE_NAMED)
		return mapping_of_name(p, f->module);
	m = profile_module(profile, f->pc, UINT32_MAX);
	return m != NULL ? (uint64_t)(m - profile->module) + 1 : 0;
}

/* --- functions, locations ------------------------------------------------- */

static uint64_t
function_of(struct pprof *p, const struct frame *f)
{
	const uint64_t key[2] = {
		clean_string(p, f->function), clean_string(p, f->file),
	};
	bool fresh;
	uint64_t n = roll_number(&p->functions, key, sizeof(key), 1, &fresh);

	if (!fresh)
		return n;
	proto_number(&p->b, FUNCTION_ID, n);
	proto_number(&p->b, FUNCTION_NAME, key[0]);
	proto_number(&p->b, FUNCTION_SYSTEM, key[0]);
	proto_number(&p->b, FUNCTION_FILE, key[1]);
	proto_message(&p->out, PROFILE_FUNCTION, &p->b);
	return n;
}

/* How many of @frame are one call: functions inlined into each other. */
static size_t
one_call(const struct frame *frame, size_t count)
{
	size_t n = 1;

	while (n < count && frame[n - 1].inlined &&
	    frame[n].pc == frame[0].pc)
		n++;
	return n;
}

static uint64_t
location_of(struct pprof *p, const struct frame *f, size_t lines)
{
	struct { uint64_t pc, mapping, function, line; } key = {
		f->pc, mapping_of(p, f), 0, f->line,
	};
	bool fresh;
	uint64_t n;

	key.function = function_of(p, f);
	n = roll_number(&p->locations, &key, sizeof(key), 1, &fresh);
	if (!fresh)
		return n;
	for (size_t i = 0; i < lines; i++) {
		uint64_t function = function_of(p, &f[i]);

		proto_number(&p->b, LINE_FUNCTION, function);
		proto_number(&p->b, LINE_LINE, f[i].line);
		proto_message(&p->a, LOCATION_LINE, &p->b);
	}
	proto_number(&p->a, LOCATION_ID, n);
	proto_number(&p->a, LOCATION_MAPPING, key.mapping);
	/* Of the call, not of what follows it. */
	if (!f->note && f->pc < NODE_NAMED)
		proto_number(&p->a, LOCATION_ADDRESS, f->pc - 1);
	proto_message(&p->out, PROFILE_LOCATION, &p->a);
	return n;
}

/* --- samples -------------------------------------------------------------- */

static size_t
count_types(const struct export *e)
{
	return ARRAY_LENGTH(types) - (e->grown ? 0 : 1);
}

static void
put_sample(struct pprof *p, const struct export_row *row)
{
	struct buffer sample = { 0 }, list = { 0 };
	struct frame *frame;
	size_t count = export_stack(p->e, row, &frame), n;

	for (size_t i = 0; i < count; i += n) {
		n = one_call(&frame[i], count - i);
		proto_packed(&list, location_of(p, &frame[i], n));
	}
	proto_message(&sample, SAMPLE_LOCATION, &list);
	for (size_t i = 0; i < count_types(p->e); i++)
		proto_packed(&list, types[i].value == EXPORT_VALUES ?
		    row->live_blocks : (uint64_t)row->value[types[i].value]);
	proto_message(&sample, SAMPLE_VALUE, &list);
	proto_message(&p->out, PROFILE_SAMPLE, &sample);
	free(sample.bytes);
	free(list.bytes);
	free(frame);
}

/* --- the whole ------------------------------------------------------------ */

static void
put_comment(struct pprof *p, char *words)
{
	if (words[0] != '\0')
		proto_number(&p->out, PROFILE_COMMENT,
		    clean_string(p, words));
	free(words);
}

static void
put_head(struct pprof *p)
{
	const struct profile *profile = p->e->report->profile;
	const struct segment *s = profile->segment;

	string_of(p, "");
	for (size_t i = 0; i < count_types(p->e); i++) {
		put_value_type(p, PROFILE_SAMPLE_TYPE, types[i].type,
		    types[i].unit);
		if (types[i].value == p->e->by)
			proto_number(&p->out, PROFILE_DEFAULT_TYPE,
			    string_of(p, types[i].type));
	}
	put_value_type(p, PROFILE_PERIOD_TYPE, "space", "bytes");
	proto_number(&p->out, PROFILE_PERIOD, p->e->estimated ?
	    s->config.sample_bytes : 1);
	proto_number(&p->out, PROFILE_TIME, (uint64_t)s->identity.started_ns);
	proto_number(&p->out, PROFILE_DURATION, profile->now_ns -
	    s->identity.clock_ns);
	put_comment(p, export_subject(p->e));
	put_comment(p, export_caveat(p->e));
}

static bool
write_compressed(const struct export *e, const struct buffer *b)
{
	z_stream z = { 0 };
	uint8_t chunk[65536];
	int r;

	/* 16: with gzip's head and its sum */
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16,
	    8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	z.next_in = b->bytes;
	do {
		/* Its counter has 32 bits. */
		size_t left = b->count - (size_t)(z.next_in - b->bytes);

		z.avail_in = (uInt)min_u64(left, GIB);
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		r = deflate(&z, left <= GIB ? Z_FINISH : Z_NO_FLUSH);
		fwrite(chunk, 1, sizeof(chunk) - z.avail_out, e->to);
	} while (r == Z_OK && !ferror(e->to));
	deflateEnd(&z);
	return true;
}

bool
export_pprof(const struct export *e)
{
	struct pprof p = { .e = e };
	bool good;

	put_head(&p);
	/* The first is taken by pprof for the program itself. */
	put_mappings(&p, true);
	put_mappings(&p, false);
	for (size_t i = 0; i < e->rows; i++)
		put_sample(&p, &e->row[i]);
	good = write_compressed(e, &p.out);
	roll_free(&p.strings);
	roll_free(&p.functions);
	roll_free(&p.locations);
	roll_free(&p.mappings);
	free(p.out.bytes);
	free(p.a.bytes);
	free(p.b.bytes);
	return good;
}
