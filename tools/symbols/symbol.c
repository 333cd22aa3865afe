/*
 * symbol.c - from return addresses to functions, files and lines
 *
 * A stack is a path in a tree of nodes, and a node's meaning never changes:
 * so each node is looked up once, in its module's cache, and what the cache
 * does not know is asked of the object in order of address.
 */
#include "symbols/symbol.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "say/need.h"
#include "say/print.h"
#include "symbols/cache.h"
#include "symbols/object.h"
#include "symbols/origin.h"

#define DEPTH_MOST 4096 /* of a stack; only a damaged profile has more */

/* What a node means. */
struct meaning {
	const struct cache_answer *answer; /* NULL: not met yet */
	const char *module;                /* path, "" if in none */
};

struct symbols {
	const struct profile *profile;
	bool online;
	struct origin *origin;   /* one a module */
	struct cache *elsewhere; /* addresses in no module */
	struct meaning *meaning; /* one a node */
	char **pool;             /* one a row of the pools; NULL: not met */
	char **named;            /* the module of each row of names; the same */
	uint64_t *pcs;           /* room for one stack */
	uint32_t *nodes;
};

/* A node whose meaning has to be asked for. */
struct question {
	struct origin *origin; /* NULL: in no module */
	uint64_t address;
	uint32_t node;
};

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* --- opening -------------------------------------------------------------- */

static bool
is_same_file(const struct module *a, const struct module *b)
{
	return a->build_id_bytes != 0 &&
	    a->build_id_bytes == b->build_id_bytes &&
	    memcmp(a->build_id, b->build_id, min_u64(a->build_id_bytes,
	    sizeof(a->build_id))) == 0;
}

struct symbols *
symbols_open(const struct profile *profile, bool online)
{
	struct symbols *s = need(calloc(1, sizeof(*s)));

	s->profile = profile;
	s->online = online;
	if (!online)
		unsetenv("DEBUGINFOD_URLS"); /* libdw would ask by itself */
	s->origin = need(calloc(profile->modules + 1, sizeof(*s->origin)));
	s->meaning = need(calloc(profile->nodes + 1, sizeof(*s->meaning)));
	s->pool = need(calloc(profile->pools + 1, sizeof(*s->pool)));
	s->named = need(calloc(profile->nameds + 1, sizeof(*s->named)));
	s->pcs = need(calloc(DEPTH_MOST, sizeof(*s->pcs)));
	s->nodes = need(calloc(DEPTH_MOST, sizeof(*s->nodes)));
	s->elsewhere = cache_open(NULL, 0, "");
	for (size_t i = 0; i < profile->modules; i++) {
		s->origin[i].module = &profile->module[i];
		while (s->origin[i].first < i && !is_same_file(
		    &profile->module[i],
		    &profile->module[s->origin[i].first]))
			s->origin[i].first++;
	}
	return s;
}

void
symbols_close(struct symbols *s)
{
	for (size_t i = 0; i < s->profile->modules; i++)
		origin_close(&s->origin[i]);
	cache_close(s->elsewhere);
	free(s->origin);
	free(s->meaning);
	for (size_t i = 0; i < s->profile->pools; i++)
		free(s->pool[i]);
	free(s->pool);
	for (size_t i = 0; i < s->profile->nameds; i++)
		free(s->named[i]);
	free(s->named);
	free(s->pcs);
	free(s->nodes);
	free(s);
}

/* --- asking --------------------------------------------------------------- */

/* The address as the module's file has it, of the call and not behind it. */
static struct question
make_question(struct symbols *s, uint64_t pc, uint32_t node)
{
	const struct module *m = profile_module(s->profile, pc, node);
	struct question q = { NULL, pc, node };

	if (m == NULL)
		return q;
	q.address = pc - 1 - m->base;
	q.origin = &s->origin[s->origin[m - s->profile->module].first];
	origin_open(q.origin, s->profile, s->online);
	return q;
}

static const struct cache_answer *
recall(const struct symbols *s, const struct question *q)
{
	return cache_find(q->origin != NULL ? q->origin->cache : s->elsewhere,
	    q->address);
}

static const struct cache_answer *
put_unnamed(struct symbols *s, const struct question *q)
{
	char name[256];
	struct cache_frame frame = { .function = name, .file = "" };

	if (q->origin == NULL) {
		snprintf(name, sizeof(name), "0x%" PRIx64, q->address);
		return cache_put(s->elsewhere, q->address, &frame, 1);
	}
	snprintf(name, sizeof(name), "%.200s+0x%" PRIx64,
	    last_part(q->origin->path), q->address + 1);
	return cache_put(q->origin->cache, q->address, &frame, 1);
}

/* --- what has a name already ---------------------------------------------- */

static const struct cache_answer *
put_named(struct symbols *s, const struct question *q, const struct named *n)
{
	char *function = profile_text(s->profile, n->function);
	char *file = profile_text(s->profile, n->file);
	const struct cache_frame frame = {
		.function = function[0] != '\0' ? function : "?",
		.file = file,
		.line = n->line,
		.inlined = n->inlined != 0,
		.named = true,
	};
	const struct cache_answer *answer = cache_put(s->elsewhere,
	    q->address, &frame, 1);

	free(function);
	free(file);
	return answer;
}

static const char *
module_of_name(struct symbols *s, const struct named *n)
{
	char **module = &s->named[n - s->profile->named];

	if (*module == NULL)
		*module = print_clean(profile_text(s->profile, n->module));
	return *module;
}

/* --- asking, again -------------------------------------------------------- */

static const struct cache_answer *
ask(struct symbols *s, const struct question *q)
{
	const struct named *name = q->origin != NULL ? NULL :
	    profile_named(s->profile, q->address);
	struct object_frame found[OBJECT_FRAMES];
	struct cache_frame frames[OBJECT_FRAMES];
	const struct cache_answer *answer;
	size_t count = 0;

	if (name != NULL)
		return put_named(s, q, name);
	if (q->origin != NULL)
		origin_ask(q->origin);
	if (q->origin != NULL && q->origin->object != NULL)
		count = object_find(q->origin->object, q->address, found);
	if (count == 0)
		return put_unnamed(s, q);
	for (size_t i = 0; i < count; i++)
		frames[i] = (struct cache_frame){
			.function = found[i].function != NULL ?
			    found[i].function : "?",
			.file = found[i].file != NULL ? found[i].file : "",
			.line = found[i].line,
			.inlined = found[i].inlined,
			.named = true,
		};
	answer = cache_put(q->origin->cache, q->address, frames, count);
	for (size_t i = 0; i < count; i++)
		free(found[i].function);
	return answer;
}

static void
set_meaning(struct symbols *s, const struct question *q,
    const struct cache_answer *answer)
{
	const struct named *name = q->origin != NULL ? NULL :
	    profile_named(s->profile, q->address);

	s->meaning[q->node] = (struct meaning){
		answer, q->origin != NULL ? q->origin->path :
		name != NULL ? module_of_name(s, name) : "",
	};
}

/* What @node means, as far as it can be found out. */
static const struct meaning *
look_up(struct symbols *s, uint64_t pc, uint32_t node)
{
	const struct cache_answer *answer;
	struct question q;

	if (s->meaning[node].answer != NULL)
		return &s->meaning[node];
	q = make_question(s, pc, node);
	answer = recall(s, &q);
	set_meaning(s, &q, answer != NULL ? answer : ask(s, &q));
	return &s->meaning[node];
}

/* --- notes instead of addresses ------------------------------------------- */

static const struct {
	uint64_t pc;
	const char *words;
} notes[] = {
	{ NODE_CUT, "[deeper frames cut]" },
	{ NODE_NO_STACK, "[heaptide was busy]" },
	{ NODE_FULL, "[table full]" },
};

/* "[pool requests]"; that a row is named that is not there, is a lie. */
static const char *
pool_note(const struct symbols *s, uint64_t row)
{
	char name[PROFILE_POOL_ROOM];

	if (row >= s->profile->pools)
		return "[pool]";
	if (s->pool[row] == NULL)
		s->pool[row] = need_text("[pool %s]", profile_pool_name(
		    s->profile, (size_t)row, name));
	return s->pool[row];
}

static const char *
note_of(const struct symbols *s, uint64_t pc)
{
	for (size_t i = 0; i < ARRAY_LENGTH(notes); i++)
		if (notes[i].pc == pc)
			return notes[i].words;
	if (pc >= NODE_POOL && pc < NODE_POOL + POOL_NAMES)
		return pool_note(s, pc - NODE_POOL);
	return NULL;
}

/* --- many at once --------------------------------------------------------- */

struct questions {
	struct question *row;
	size_t count, room;
};

static void
put_question(struct questions *list, const struct question *q)
{
	if (list->count == list->room) {
		list->room = list->room == 0 ? 1024 : list->room * 2;
		list->row = need(realloc(list->row,
		    list->room * sizeof(*list->row)));
	}
	list->row[list->count++] = *q;
}

/*
 * Collect the nodes of @site that nobody knows.  Stacks share their outer
 * ends: behind a node that was @met all have been.
 */
static void
collect(struct symbols *s, const struct site *site, uint8_t *met,
    struct questions *list)
{
	size_t depth = profile_stack(s->profile, site, s->pcs, s->nodes,
	    DEPTH_MOST);

	for (size_t i = 0; i < depth && !met[s->nodes[i]]; i++) {
		uint32_t node = s->nodes[i];
		struct question q;

		met[node] = 1;
		if (s->meaning[node].answer != NULL ||
		    note_of(s, s->pcs[i]) != NULL)
			continue;
		q = make_question(s, s->pcs[i], node);
		set_meaning(s, &q, recall(s, &q));
		if (s->meaning[node].answer == NULL)
			put_question(list, &q);
	}
}

static int
compare_questions(const void *a, const void *b)
{
	const struct question *x = a, *y = b;

	if (x->origin != y->origin)
		return (uintptr_t)x->origin < (uintptr_t)y->origin ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return 0;
}

void
symbols_resolve(struct symbols *s, const struct site *const *sites,
    size_t count)
{
	uint8_t *met = need(calloc(s->profile->nodes + 1, 1));
	struct questions list = { 0 };
	struct progress progress;

	for (size_t i = 0; i < count; i++)
		collect(s, sites[i], met, &list);
	free(met);
	if (list.count != 0)
		qsort(list.row, list.count, sizeof(*list.row),
		    compare_questions);
	progress_open(&progress, "reading symbols", list.count);
	for (size_t i = 0; i < list.count; i++) {
		const struct question *q = &list.row[i];

		const struct cache_answer *answer = recall(s, q);

		progress_set(&progress, i);
		set_meaning(s, q, answer != NULL ? answer : ask(s, q));
	}
	progress_close(&progress);
	free(list.row);
}

/* --- a stack -------------------------------------------------------------- */

static struct frame *
put_frames(struct symbols *s, uint64_t pc, uint32_t node, struct frame *to)
{
	const struct cache_answer *answer;
	const struct meaning *meaning;

	if (note_of(s, pc) != NULL) {
		*to = (struct frame){
			.function = note_of(s, pc), .file = "", .module = "",
			.note = true, .pc = pc,
		};
		return to + 1;
	}
	meaning = look_up(s, pc, node);
	answer = meaning->answer;
	for (uint32_t i = 0; i < answer->count; i++)
		*to++ = (struct frame){
			.function = answer->frame[i].function,
			.file = answer->frame[i].file,
			.module = meaning->module,
			.line = answer->frame[i].line,
			.inlined = answer->frame[i].inlined,
			.named = answer->frame[i].named,
			.pc = pc,
		};
	return to;
}

size_t
symbols_whole_stack(struct symbols *s, const struct site *site,
    struct frame **frames)
{
	size_t depth = profile_stack(s->profile, site, s->pcs, s->nodes,
	    DEPTH_MOST);
	size_t room = 1;
	struct frame *at;

	for (size_t i = 0; i < depth; i++)
		room += note_of(s, s->pcs[i]) != NULL ? 1 :
		    look_up(s, s->pcs[i], s->nodes[i])->answer->count;
	*frames = at = need(calloc(room, sizeof(**frames)));
	for (size_t i = 0; i < depth; i++)
		at = put_frames(s, s->pcs[i], s->nodes[i], at);
	return (size_t)(at - *frames);
}

/* Of the C++ library, or the program's own in their place; not of a class. */
static bool
is_operator_new(const struct frame *f)
{
	return !f->note && (strncmp(f->function, "operator new(", 13) == 0 ||
	    strncmp(f->function, "operator new[](", 15) == 0);
}

size_t
symbols_stack(struct symbols *s, const struct site *site,
    struct frame **frames)
{
	size_t count = symbols_whole_stack(s, site, frames);
	size_t own = 0;

	while (own < count && is_operator_new(*frames + own))
		own++;
	if (own == count || (*frames)[own].note)
		return count; /* all that is known of it */
	memmove(*frames, *frames + own, (count - own) * sizeof(**frames));
	return count - own;
}

const char *
symbols_trouble(const struct symbols *s, size_t index)
{
	const struct origin *o;

	if (index >= s->profile->modules)
		return NULL;
	o = &s->origin[s->origin[index].first];
	return o->trouble[0] != '\0' ? o->trouble : NULL;
}

char *
symbols_place(const struct frame *frame, char buffer[SYMBOL_PLACE_ROOM])
{
	buffer[0] = '\0';
	if (frame->file[0] == '\0')
		return buffer;
	if (frame->line != 0)
		snprintf(buffer, SYMBOL_PLACE_ROOM, "%.100s:%" PRIu32,
		    last_part(frame->file), frame->line);
	else
		snprintf(buffer, SYMBOL_PLACE_ROOM, "%.100s",
		    last_part(frame->file));
	return buffer;
}

/* --- data ----------------------------------------------------------------- */

/* The last module that had @address. */
static struct origin *
origin_at(struct symbols *s, uint64_t address)
{
	for (size_t i = s->profile->modules; i-- > 0;) {
		const struct module *m = &s->profile->module[i];

		if (address >= m->start && address < m->end)
			return &s->origin[s->origin[i].first];
	}
	return NULL;
}

void
symbols_variable(struct symbols *s, uint64_t address, char *words,
    size_t room)
{
	struct origin *o = origin_at(s, address);
	uint64_t offset = 0;
	char *name = NULL;

	if (o == NULL) {
		snprintf(words, room, "0x%" PRIx64, address);
		return;
	}
	origin_open(o, s->profile, s->online);
	origin_ask(o);
	address -= o->module->base;
	if (o->object != NULL)
		name = object_variable(o->object, address, &offset);
	if (name == NULL)
		snprintf(words, room, "%.200s+0x%" PRIx64, last_part(o->path),
		    address);
	else if (offset == 0)
		snprintf(words, room, "%.200s (%.200s)", name,
		    last_part(o->path));
	else
		snprintf(words, room, "%.200s+%" PRIu64 " (%.200s)", name,
		    offset, last_part(o->path));
	free(name);
}

void
symbols_module(struct symbols *s, uint64_t address, char *words, size_t room)
{
	struct origin *o = origin_at(s, address);

	if (o == NULL) {
		snprintf(words, room, "a module at 0x%" PRIx64, address);
		return;
	}
	origin_open(o, s->profile, s->online);
	snprintf(words, room, "%.200s", last_part(o->path));
}
