/*
 * match.c - the sites of two profiles, those of the same stack brought together
 *
 * Both profiles' nodes become paths of one tree: a path is a path and a frame
 * below it, and each has a number.  A node comes after its parent, so one walk
 * over a profile's nodes numbers them all, and sites are the same if the paths
 * of their leaves are.
 */
#include "diff/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/base.h"
#include "profile/builds.h"
#include "say/need.h"

/* Classes of frames that are in no module, or known by names. */
enum frame_class {
	CLASS_NOTE = BUILDS_MOST,
	CLASS_NOWHERE,
	CLASS_NAMES
};

/* A frame below a path. */
struct step {
	uint32_t parent; /* path; 0: the outermost */
	uint32_t class;
	uint64_t offset; /* in the module's file; or a number of names */
};

struct path {
	struct step step;
	uint32_t number;
	UT_hash_handle hh;
};

struct names {
	char *text;
	uint32_t number;
	UT_hash_handle hh;
};

struct entry {
	struct entry_key { uint32_t path, flags; } key;
	struct match_row row;
	UT_hash_handle hh;
};

struct matching {
	const struct match_side *side;
	struct builds builds;
	struct path *paths;
	struct names *names;
	struct entry *entries;
	uint32_t path_count, name_count;
	size_t unnamed;
	bool by_name; /* one of them has nothing else, see follow_names() */
};

/* --- names ---------------------------------------------------------------- */

static uint32_t
number_of_names(struct matching *m, const char *text)
{
	struct names *n;

	HASH_FIND_STR(m->names, text, n);
	if (n == NULL) {
		n = need(calloc(1, sizeof(*n)));
		n->text = need_text("%s", text);
		n->number = m->name_count++;
		HASH_ADD_KEYPTR(hh, m->names, n->text, strlen(n->text), n);
	}
	return n->number;
}

/*
 * What @node's call is in: functions that are inlined into each other, to the
 * one that is not.  A stack that ends here is asked for, and its first part is
 * of this node.  An address without a name means something in its own build
 * only, so it is the same as none of the other side.
 */
static uint32_t
names_of(struct matching *m, int s, uint32_t node, const char *module)
{
	const struct site site = { .leaf = node };
	struct frame *frame;
	size_t count = symbols_whole_stack(m->side[s].symbols, &site,
	    &frame);
	char *text = NULL;
	size_t bytes, i;
	FILE *to = need(open_memstream(&text, &bytes));
	uint32_t number;

	fputs(module, to);
	for (i = 0; i < count; i++) {
		fprintf(to, "\n%s\n%s", frame[i].function,
		    basename(frame[i].file));
		if (!frame[i].named) {
			fprintf(to, "\n%d", s);
			m->unnamed++;
		}
		if (!frame[i].inlined)
			break;
	}
	fclose(to);
	free(frame);
	number = number_of_names(m, need(text));
	free(text);
	return number;
}

/* --- paths ---------------------------------------------------------------- */

/* By its name: rows are in the order in which pools were made. */
static uint64_t
pool_offset(const struct profile *p, uint64_t row)
{
	char name[PROFILE_POOL_ROOM];
	uint64_t hash = NODE_POOL;

	profile_pool_name(p, (size_t)row, name);
	for (const char *c = name; *c != '\0'; c++)
		hash = mix_u64(hash + (unsigned char)*c);
	return hash | NODE_POOL;
}

static struct step
step_of(struct matching *m, int s, uint32_t node)
{
	const struct profile *p = m->side[s].profile;
	uint64_t pc = p->node[node].pc;
	const struct module *module;
	const char *rebuilt;
	size_t i;

	if (pc >= NODE_POOL && pc - NODE_POOL < p->pools)
		return (struct step){ .class = CLASS_NOTE,
		    .offset = pool_offset(p, pc - NODE_POOL) };
	if (pc <= NODE_FULL)
		return (struct step){ .class = CLASS_NOTE, .offset = pc };
	if (profile_named(p, pc) != NULL)
		return (struct step){ .class = CLASS_NAMES, .offset =
		    names_of(m, s, node, "") };
	module = profile_module(p, pc, node);
	if (module == NULL)
		return (struct step){ .class = CLASS_NOWHERE, .offset = pc };
	i = (size_t)(module - p->module);
	rebuilt = builds_rebuilt(&m->builds, s, i);
	if (rebuilt != NULL)
		return (struct step){ .class = CLASS_NAMES,
			.offset = names_of(m, s, node, rebuilt) };
	return (struct step){ .class = builds_class(&m->builds, s, i),
		.offset = pc - module->base };
}

static uint32_t
path_of(struct matching *m, const struct step *step)
{
	struct path *p;

	HASH_FIND(hh, m->paths, step, sizeof(*step), p);
	if (p == NULL) {
		p = need(calloc(1, sizeof(*p)));
		p->step = *step;
		p->number = ++m->path_count;
		HASH_ADD(hh, m->paths, step, sizeof(*step), p);
	}
	return p->number;
}

/*
 * The path of @node below that of its @parent by functions alone, as one side
 * is another tool's: each inlined one is a step, as tools differ in whether
 * they show it as one; what lies outside of main() some leave out.
 */
static uint32_t
follow_names(struct matching *m, int s, uint32_t node, uint32_t parent)
{
	const struct site site = { .leaf = node };
	struct frame *frame;
	size_t count = symbols_whole_stack(m->side[s].symbols, &site,
	    &frame);
	size_t own = 1;

	while (own < count && frame[own - 1].inlined &&
	    frame[0].pc < NODE_NAMED)
		own++;
	for (size_t i = min_u64(own, count); i-- > 0; ) {
		struct step step = { .class = CLASS_NAMES,
			.offset = number_of_names(m, frame[i].function) };

		/* Some show it, and some who called it only. */
		if (strncmp(frame[i].function, "operator new", 12) == 0)
			continue;
		if (strcmp(frame[i].function, "main") != 0)
			step.parent = parent;
		parent = path_of(m, &step);
	}
	free(frame);
	return parent;
}

/* The path of each node of a side; to be freed. */
static uint32_t *
find_paths(struct matching *m, int s)
{
	const struct profile *p = m->side[s].profile;
	uint32_t *path = need(calloc(p->nodes + 1, sizeof(*path)));

	for (size_t i = 1; i < p->nodes; i++) {
		uint32_t parent = p->node[i].parent;
		struct step step;

		/* A parent that lies is none, as in profile_stack(). */
		parent = parent < i ? path[parent] : 0;
		if (m->by_name) {
			path[i] = follow_names(m, s, (uint32_t)i, parent);
			continue;
		}
		step = step_of(m, s, (uint32_t)i);
		step.parent = parent;
		path[i] = path_of(m, &step);
	}
	return path;
}

/* --- sites ---------------------------------------------------------------- */

static struct match_row *
row_of(struct matching *m, uint32_t path, const struct site *site)
{
	const struct entry_key key = { path, site->flags & SITE_APART };
	struct entry *e;

	HASH_FIND(hh, m->entries, &key, sizeof(key), e);
	if (e == NULL) {
		e = need(calloc(1, sizeof(*e)));
		e->key = key;
		e->row.mapping = key.flags == SITE_MAPPING;
		HASH_ADD(hh, m->entries, key, sizeof(key), e);
	}
	return &e->row;
}

static void
add_holding(struct holding *to, const struct holding *from)
{
	to->bytes += from->bytes;
	to->variance += from->variance;
	to->estimated |= from->estimated;
	to->freed |= from->freed;
}

static void
add_sites(struct matching *m, int s)
{
	const struct match_side *side = &m->side[s];
	const struct profile *p = side->profile;
	uint32_t *path = find_paths(m, s);

	for (size_t i = 1; i < p->sites; i++) {
		const struct site *site = &p->site[i];
		struct match_row *row;

		if (site->leaf >= p->nodes)
			continue;
		row = row_of(m, path[site->leaf], site);
		if (row->site[s] == NULL)
			row->site[s] = site;
		add_holding(&row->held[s], &side->held[i]);
	}
	free(path);
}

/* --- the whole ------------------------------------------------------------ */

/* In bulk, with a word about how far it is. */
static void
resolve_all(const struct match_side *side)
{
	const struct profile *p = side->profile;
	const struct site **sites = need(calloc(p->sites + 1,
	    sizeof(*sites)));
	size_t count = 0;

	for (size_t i = 1; i < p->sites; i++)
		if (p->site[i].leaf < p->nodes)
			sites[count++] = &p->site[i];
	symbols_resolve(side->symbols, sites, count);
	free(sites);
}

static void
list_rows(const struct matching *m, struct match *match)
{
	struct entry *e, *next;

	match->row = need(calloc(HASH_COUNT(m->entries) + 1,
	    sizeof(*match->row)));
	HASH_ITER(hh, m->entries, e, next)
		if (e->row.held[0].bytes != 0 || e->row.held[1].bytes != 0)
			match->row[match->rows++] = e->row;
}

/* Of one of the tables, all. */
#define FORGET(table, type, last_words) do { \
		struct type *it, *next_; \
		HASH_ITER(hh, table, it, next_) { \
			HASH_DEL(table, it); \
			last_words; \
			free(it); \
		} \
	} while (0)

static void
forget(struct matching *m)
{
	FORGET(m->paths, path, (void)0);
	FORGET(m->names, names, free(it->text));
	FORGET(m->entries, entry, (void)0);
}

void
match_open(struct match *match, const struct match_side side[2])
{
	struct matching m = { .side = side };

	*match = (struct match){ 0 };
	builds_open(&m.builds, side[0].profile, side[1].profile);
	match->rebuilt = builds_list(&m.builds, &match->rebuilts);
	m.by_name = side[0].profile->segment->identity.origin.bytes != 0 ||
	    side[1].profile->segment->identity.origin.bytes != 0;
	for (int s = 0; s < 2; s++) {
		if (match->rebuilts != 0 || m.by_name)
			resolve_all(&side[s]);
		add_sites(&m, s);
	}
	match->unnamed = m.unnamed;
	match->by_name = m.by_name;
	list_rows(&m, match);
	forget(&m);
	builds_close(&m.builds);
}

void
match_close(struct match *match)
{
	for (size_t i = 0; i < match->rebuilts; i++)
		free(match->rebuilt[i]);
	free(match->rebuilt);
	free(match->row);
}
