/*
 * import-pprof.c - a heap profile for pprof: profile.proto, or the text that
 * gperftools and jemalloc write
 *
 * Messages come in any order and name each other by numbers, so they are
 * collected first.  Some writers leave locations without functions: then the
 * mapping is kept, and its file is asked when names are.
 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/base.h"
#include "formats/import.h"
#include "formats/proto.h"
#include "say/need.h"

#define BYTES_MOST (UINT64_C(1) << 30)

enum type { ALLOC_OBJECTS, ALLOC_SPACE, INUSE_OBJECTS, INUSE_SPACE,
	PEAK_SPACE, TYPES };

static const char *const type_names[TYPES] = {
	"alloc_objects", "alloc_space", "inuse_objects", "inuse_space",
	"peak_space",
};

/* What a number stands for: a message that was met. */
struct numbered {
	uint64_t number;
	struct proto message;
	UT_hash_handle hh;
};

struct pprof {
	struct import *in;
	struct proto whole;
	struct proto *string, *sample, *type;
	size_t strings, samples, types;
	struct numbered *functions, *locations, *mappings;
	int at[TYPES]; /* index among a sample's values; -1: not there */
	uint64_t period, time_ns, duration_ns;
};

/* --- collecting ----------------------------------------------------------- */

static void
put(struct proto **list, size_t *count, const struct proto *message)
{
	if ((*count & (*count - 1)) == 0)
		*list = need(realloc(*list, (*count * 2 + 1) *
		    sizeof(**list)));
	(*list)[(*count)++] = *message;
}

/* Field 1 of all these is their number. */
static void
put_numbered(struct numbered **table, const struct proto *message)
{
	struct proto left = *message;
	struct proto_field f;
	struct numbered *n, *old;
	uint64_t number = 0;

	while (proto_next(&left, &f))
		if (f.number == 1)
			number = f.value;
	HASH_FIND(hh, *table, &number, sizeof(number), old);
	if (old != NULL)
		return;
	n = need(calloc(1, sizeof(*n)));
	n->number = number;
	n->message = *message;
	HASH_ADD(hh, *table, number, sizeof(number), n);
}

static const struct proto *
find(struct numbered *table, uint64_t number)
{
	struct numbered *n;

	HASH_FIND(hh, table, &number, sizeof(number), n);
	return n != NULL ? &n->message : NULL;
}

static void
collect(struct pprof *p)
{
	struct proto_field f;

	while (proto_next(&p->whole, &f)) {
		switch (f.number) {
		case 1: put(&p->type, &p->types, &f.bytes); break;
		case 2: put(&p->sample, &p->samples, &f.bytes); break;
		case 3: put_numbered(&p->mappings, &f.bytes); break;
		case 4: put_numbered(&p->locations, &f.bytes); break;
		case 5: put_numbered(&p->functions, &f.bytes); break;
		case 6: put(&p->string, &p->strings, &f.bytes); break;
		case 9: p->time_ns = f.value; break;
		case 10: p->duration_ns = f.value; break;
		case 12: p->period = f.value; break;
		}
	}
}

/* A fresh text, "" if there is no such. */
static char *
text_of(const struct pprof *p, uint64_t number)
{
	const struct proto *s;

	if (number >= p->strings)
		return need_text("%s", "");
	s = &p->string[number];
	if (s->at == NULL)
		return need_text("%s", "");
	return need_text("%.*s", (int)min_u64((uint64_t)(s->end - s->at),
	    INT32_MAX), (const char *)s->at);
}

/* The value of field @number of @message, 0 if it has none. */
static uint64_t
number_in(const struct proto *message, uint32_t number)
{
	struct proto left = *message;
	struct proto_field f;
	uint64_t value = 0;

	while (proto_next(&left, &f))
		if (f.number == number && !f.is_bytes)
			value = f.value;
	return value;
}

/* --- types ---------------------------------------------------------------- */

static bool
find_types(struct pprof *p)
{
	char *all = need_text("%s", "");

	for (int t = 0; t < TYPES; t++)
		p->at[t] = -1;
	for (size_t i = 0; i < p->types; i++) {
		char *name = text_of(p, number_in(&p->type[i], 1));
		char *before = all;

		for (int t = 0; t < TYPES; t++)
			if (strcmp(name, type_names[t]) == 0)
				p->at[t] = (int)i;
		all = need_text("%s%s%.40s", before, i == 0 ? "" : ", ",
		    name);
		free(before);
		free(name);
	}
	if (p->at[INUSE_SPACE] < 0 && p->at[ALLOC_SPACE] < 0)
		import_refuse(p->in, "it is no heap profile: it has '%.100s'; "
		    "inuse_space or alloc_space is accepted", all);
	free(all);
	return p->in->why[0] == '\0';
}

/* --- modules -------------------------------------------------------------- */

static void
put_build_id(struct module *m, const char *hex)
{
	uint8_t n = 0;
	unsigned byte;

	while (n < sizeof(m->build_id) && sscanf(hex, "%2x", &byte) == 1 &&
	    hex[0] != '\0' && hex[1] != '\0') {
		m->build_id[n++] = (uint8_t)byte;
		hex += 2;
	}
	m->build_id_bytes = n;
}

static void
put_modules(struct pprof *p)
{
	for (struct numbered *n = p->mappings; n != NULL; n = n->hh.next) {
		char *path = text_of(p, number_in(&n->message, 5));
		char *id = text_of(p, number_in(&n->message, 6));
		struct module m = {
			.start = number_in(&n->message, 2),
			.end = number_in(&n->message, 3),
			.path = forge_text(p->in->forge, path),
		};

		m.base = m.start - number_in(&n->message, 4);
		put_build_id(&m, id);
		if (m.start < m.end && path[0] != '\0')
			forge_module(p->in->forge, &m);
		free(path);
		free(id);
	}
}

/* --- stacks --------------------------------------------------------------- */

struct name {
	char *function, *file;
	uint32_t line;
};

static struct name
name_of(const struct pprof *p, const struct proto *line)
{
	const struct proto *function = find(p->functions, number_in(line, 1));
	struct name n = {
		.line = (uint32_t)min_u64(number_in(line, 2), UINT32_MAX),
	};

	n.function = text_of(p, function != NULL ? number_in(function, 2) : 0);
	n.file = text_of(p, function != NULL ? number_in(function, 4) : 0);
	return n;
}

/* Its lines are the innermost first; those before the last are inlined. */
static uint32_t
put_lines(struct pprof *p, const struct proto *location, uint32_t parent,
    const char *module, bool *leaf_allocates)
{
	struct proto left = *location, *line = NULL;
	struct proto_field f;
	size_t lines = 0;

	while (proto_next(&left, &f))
		if (f.number == 4 && f.is_bytes)
			put(&line, &lines, &f.bytes);
	*leaf_allocates = lines != 0;
	for (size_t i = lines; i-- > 0; ) {
		struct name n = name_of(p, &line[i]);
		const struct forge_frame frame = {
			n.function[0] != '\0' ? n.function : "?", n.file,
			module, n.line, i + 1 < lines,
		};

		*leaf_allocates = *leaf_allocates &&
		    import_allocates(frame.function);
		parent = forge_node(p->in->forge, parent, &frame);
		free(n.function);
		free(n.file);
	}
	free(line);
	return parent;
}

static bool
has_lines(const struct proto *location)
{
	struct proto left = *location;
	struct proto_field f;

	while (proto_next(&left, &f))
		if (f.number == 4 && f.is_bytes)
			return true;
	return false;
}

static uint32_t
put_location(struct pprof *p, uint64_t number, uint32_t parent,
    bool *leaf_allocates)
{
	const struct proto *location = find(p->locations, number), *mapping;
	uint32_t node;
	char *module;

	*leaf_allocates = false;
	if (location == NULL)
		return parent;
	if (!has_lines(location)) /* ours are behind the call */
		return forge_address(p->in->forge, parent,
		    number_in(location, 3) + 1);
	mapping = find(p->mappings, number_in(location, 2));
	module = text_of(p, mapping != NULL ? number_in(mapping, 5) : 0);
	node = put_lines(p, location, parent, module, leaf_allocates);
	free(module);
	return node;
}

#define DEPTH_MOST 4096

/* The locations of a sample are the leaf first. */
static uint32_t
put_stack(struct pprof *p, const uint64_t *number, size_t count)
{
	uint32_t node = 0;
	bool allocates;

	for (size_t i = count; i-- > 0; ) {
		uint32_t below = put_location(p, number[i], node, &allocates);

		if (allocates && node != 0)
			break; /* and all that it calls */
		node = below;
	}
	if (node == 0) {
		const struct forge_frame none = { .function = "[no stack]" };

		node = forge_node(p->in->forge, 0, &none);
	}
	return node;
}

/* --- samples -------------------------------------------------------------- */

/* The numbers of a list, packed or one by one; at most @room. */
static size_t
put_list(const struct proto_field *f, uint64_t *to, size_t count, size_t room)
{
	struct proto list = f->bytes;
	uint64_t value;

	if (!f->is_bytes && count < room)
		to[count++] = f->value;
	while (f->is_bytes && count < room && list.at < list.end &&
	    proto_next_packed(&list, &value))
		to[count++] = value;
	return count;
}

static uint64_t
value_of(const struct pprof *p, enum type type, const uint64_t *value,
    size_t count)
{
	int at = p->at[type];
	int64_t n = at >= 0 && (size_t)at < count ? (int64_t)value[at] : 0;

	/* A difference of two profiles has such; they are no heap. */
	return n > 0 ? (uint64_t)n : 0;
}

static void
put_sample(struct pprof *p, const struct proto *sample)
{
	uint64_t number[DEPTH_MOST], value[32];
	size_t numbers = 0, values = 0;
	struct proto left = *sample;
	struct proto_field f;
	struct figures *g;

	while (proto_next(&left, &f)) {
		if (f.number == 1)
			numbers = put_list(&f, number, numbers, DEPTH_MOST);
		if (f.number == 2)
			values = put_list(&f, value, values,
			    ARRAY_LENGTH(value));
	}
	g = forge_site(p->in->forge, put_stack(p, number, numbers), 0);
	g->live_blocks += value_of(p, INUSE_OBJECTS, value, values);
	g->live_bytes += value_of(p, INUSE_SPACE, value, values);
	g->at_peak_bytes += value_of(p, PEAK_SPACE, value, values);
	g->allocations += value_of(p, p->at[ALLOC_OBJECTS] >= 0 ?
	    ALLOC_OBJECTS : INUSE_OBJECTS, value, values);
	g->allocated_bytes += value_of(p, p->at[ALLOC_SPACE] >= 0 ?
	    ALLOC_SPACE : INUSE_SPACE, value, values);
	g->drawn += p->period > 1;
}

/* --- the whole ------------------------------------------------------------ */

static uint32_t
find_unknown(const struct pprof *p)
{
	uint32_t unknown = UNKNOWN_TEMPORARY | UNKNOWN_REQUESTED;

	if (p->at[ALLOC_SPACE] < 0)
		unknown |= UNKNOWN_ALLOCATIONS;
	if (p->at[INUSE_OBJECTS] < 0)
		unknown |= UNKNOWN_BLOCKS;
	if (p->at[PEAK_SPACE] < 0)
		unknown |= UNKNOWN_PEAK | UNKNOWN_AT_PEAK;
	if (p->time_ns == 0)
		unknown |= UNKNOWN_STARTED;
	if (p->duration_ns == 0)
		unknown |= UNKNOWN_TIME;
	unknown |= UNKNOWN_PEAK_TIME;
	return unknown;
}

/* Of the first mapping, which is the program's. */
static void
name_program(struct pprof *p)
{
	const struct proto *first = find(p->mappings, 1);
	char *path = text_of(p, first != NULL ? number_in(first, 5) : 0);

	import_command(p->in, path[0] != '\0' ? path : "?");
	free(path);
}

static uint64_t
sum_peak(struct pprof *p)
{
	uint64_t sum = 0, value[32];
	struct proto_field f;

	for (size_t i = 0; i < p->samples; i++) {
		struct proto left = p->sample[i];
		size_t values = 0;

		while (proto_next(&left, &f))
			if (f.number == 2)
				values = put_list(&f, value, values,
				    ARRAY_LENGTH(value));
		sum += value_of(p, PEAK_SPACE, value, values);
	}
	return sum;
}

static bool
read_whole(struct pprof *p)
{
	struct segment *s = forge_segment(p->in->forge);

	collect(p);
	if (p->whole.bad || p->strings == 0)
		return import_refuse(p->in, "it is no profile for pprof, or "
		    "damaged");
	if (!find_types(p))
		return false;
	put_modules(p);
	for (size_t i = 0; i < p->samples; i++)
		put_sample(p, &p->sample[i]);
	if (p->period > 1) {
		s->config.stacks = STACKS_SAMPLED;
		s->config.sample_bytes = p->period;
	}
	s->identity.started_ns = (int64_t)p->time_ns;
	name_program(p);
	import_origin(p->in, "pprof", find_unknown(p));
	import_end(p->in, sum_peak(p), 0, p->duration_ns);
	return true;
}

static void
forget_numbered(struct numbered **table)
{
	struct numbered *n, *next;

	HASH_ITER(hh, *table, n, next) {
		HASH_DEL(*table, n);
		free(n);
	}
}

static bool
read_proto(struct import *in, uint8_t *bytes, size_t count)
{
	struct pprof p = {
		.in = in, .whole = { bytes, bytes + count, false },
	};
	bool good = read_whole(&p);

	free(p.string);
	free(p.sample);
	free(p.type);
	forget_numbered(&p.functions);
	forget_numbered(&p.locations);
	forget_numbered(&p.mappings);
	return good;
}

static bool
read_all(struct import *in, uint8_t **bytes, size_t *count)
{
	size_t room = 0, got;

	do {
		if (*count == room) {
			room = room == 0 ? 65536 : room * 2;
			if (room > BYTES_MOST)
				return import_refuse(in, "it has more than "
				    "1 GiB");
			*bytes = need(realloc(*bytes, room));
		}
		got = fread(*bytes + *count, 1, room - *count, in->from);
		*count += got;
	} while (got != 0);
	if (ferror(in->from))
		return import_refuse(in, "it cannot be read on: it is cut off, "
		    "or its compression is broken");
	return *count != 0 || import_refuse(in, "it is empty");
}

static bool
begins(const uint8_t *bytes, size_t count, const char *with)
{
	return count > strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

bool
import_pprof(struct import *in)
{
	uint8_t *bytes = NULL;
	size_t count = 0;
	bool good = read_all(in, &bytes, &count);

	if (good && (begins(bytes, count, IMPORT_HEAP) ||
	    begins(bytes, count, IMPORT_HEAP_V2))) {
		fclose(in->from);
		in->from = need(fmemopen(bytes, count, "r"));
		good = import_heap(in);
	} else if (good) {
		good = read_proto(in, bytes, count);
	}
	fclose(in->from);
	in->from = NULL;
	free(bytes);
	return good;
}
