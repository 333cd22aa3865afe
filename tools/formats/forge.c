/*
 * forge.c - a profile made by a tool: of another tool's, or of many
 */
#include "formats/forge.h"

#include <elf.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/base.h"
#include "say/need.h"

#define PEAK_STAMP 1 /* every row was last changed at the only peak */

/* Rows of a table. */
struct rows {
	char *row;
	uint64_t count, room;
	uint32_t bytes; /* of one */
};

struct text_entry {
	struct segment_text text;
	UT_hash_handle hh;
	char key[];
};

struct name_entry {
	struct named key;
	uint32_t row;
	UT_hash_handle hh;
};

struct node_entry {
	struct node_key { uint64_t pc, parent; } key;
	uint32_t node;
	UT_hash_handle hh;
};

struct site_entry {
	struct site_key { uint32_t leaf, flags; } key;
	uint32_t site;
	UT_hash_handle hh;
};

struct forge {
	struct segment segment;
	struct rows rows[TABLE_ROOM];
	struct rows figures; /* by site */
	struct text_entry *texts;
	struct name_entry *names;
	struct node_entry *nodes;
	struct site_entry *sites;
};

static const struct {
	enum segment_table_id id;
	uint32_t bytes;
	bool skips; /* row 0 means "none" */
} tables[] = {
	{ TABLE_TALLIES, sizeof(struct tally), false },
	{ TABLE_SITES, sizeof(struct site), true },
	{ TABLE_FIRST, sizeof(struct count), true },
	{ TABLE_COUNTS, sizeof(struct count), false },
	{ TABLE_ESTIMATES, sizeof(struct estimate), true },
	{ TABLE_NODES, sizeof(struct node), true },
	{ TABLE_MODULES, sizeof(struct module), false },
	{ TABLE_MAPPINGS, sizeof(struct mapping), false },
	{ TABLE_TEXT, 1, false },
	{ TABLE_SECONDS, sizeof(struct point), false },
	{ TABLE_POOLS, sizeof(struct pool), false },
	{ TABLE_NAMES, sizeof(struct named), false },
	{ TABLE_BUDGET, sizeof(struct tide_room), false },
};

static void *
put_row(struct rows *rows)
{
	void *row;

	if (rows->count == rows->room) {
		rows->room = max_u64(64, rows->room * 2);
		rows->row = need(realloc(rows->row,
		    rows->room * rows->bytes));
	}
	row = rows->row + rows->count++ * rows->bytes;
	return memset(row, 0, rows->bytes);
}

struct forge *
forge_open(void)
{
	struct forge *f = need(calloc(1, sizeof(*f)));
	struct segment_head *head = &f->segment.head;

	memcpy(head->magic, SEGMENT_MAGIC, sizeof(head->magic));
	memcpy(head->version, PACKAGE_VERSION,
	    min_u64(sizeof(PACKAGE_VERSION), sizeof(head->version) - 1));
	head->layout = SEGMENT_LAYOUT;
	head->byte_order = SEGMENT_BYTE_ORDER;
	head->header_bytes = SEGMENT_HEADER_BYTES;
	head->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	head->compact = 1;
	head->ready = 1;
	f->segment.config.stacks = STACKS_ALL;
	f->segment.live.stamp = PEAK_STAMP;
	f->segment.identity.clock_ns = NS_PER_S; /* 0 means "never" */
	f->figures.bytes = sizeof(struct figures);
	put_row(&f->figures);
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
		f->rows[tables[i].id].bytes = tables[i].bytes;
		if (tables[i].skips)
			put_row(&f->rows[tables[i].id]);
	}
	return f;
}

/* Of one of the tables, all. */
#define FORGET(table, type) do { \
		struct type *it, *next_; \
		HASH_ITER(hh, table, it, next_) { \
			HASH_DEL(table, it); \
			free(it); \
		} \
	} while (0)

void
forge_close(struct forge *f)
{
	FORGET(f->texts, text_entry);
	FORGET(f->names, name_entry);
	FORGET(f->nodes, node_entry);
	FORGET(f->sites, site_entry);
	for (size_t i = 0; i < TABLE_ROOM; i++)
		free(f->rows[i].row);
	free(f->figures.row);
	free(f);
}

struct segment *
forge_segment(struct forge *f)
{
	return &f->segment;
}

/* --- texts ---------------------------------------------------------------- */

struct segment_text
forge_bytes(struct forge *f, const char *text, size_t bytes)
{
	struct rows *all = &f->rows[TABLE_TEXT];
	struct text_entry *e;

	if (bytes == 0)
		return (struct segment_text){ 0 };
	HASH_FIND(hh, f->texts, text, bytes, e);
	if (e != NULL)
		return e->text;
	e = need(calloc(1, sizeof(*e) + bytes));
	memcpy(e->key, text, bytes);
	e->text = (struct segment_text){
		(uint32_t)all->count, (uint32_t)bytes,
	};
	HASH_ADD(hh, f->texts, key, bytes, e);
	if (all->room - all->count < bytes) {
		all->room = max_u64(all->room * 2, all->count + bytes);
		all->row = need(realloc(all->row, all->room));
	}
	memcpy(all->row + all->count, text, bytes);
	all->count += bytes;
	return e->text;
}

struct segment_text
forge_text(struct forge *f, const char *text)
{
	return forge_bytes(f, text != NULL ? text : "",
	    text != NULL ? strlen(text) : 0);
}

/* --- stacks --------------------------------------------------------------- */

uint32_t
forge_address(struct forge *f, uint32_t parent, uint64_t pc)
{
	const struct node_key key = { pc, parent };
	struct node_entry *e;
	struct node *node;

	HASH_FIND(hh, f->nodes, &key, sizeof(key), e);
	if (e != NULL)
		return e->node;
	e = need(calloc(1, sizeof(*e)));
	e->key = key;
	e->node = (uint32_t)f->rows[TABLE_NODES].count;
	HASH_ADD(hh, f->nodes, key, sizeof(key), e);
	node = put_row(&f->rows[TABLE_NODES]);
	node->pc = pc;
	node->parent = parent;
	return e->node;
}

uint32_t
forge_node(struct forge *f, uint32_t parent, const struct forge_frame *frame)
{
	const struct named name = {
		.function = forge_text(f, frame->function),
		.file = forge_text(f, frame->file),
		.module = forge_text(f, frame->module),
		.line = frame->line,
		.inlined = frame->inlined,
	};
	struct name_entry *e;

	HASH_FIND(hh, f->names, &name, sizeof(name), e);
	if (e == NULL) {
		e = need(calloc(1, sizeof(*e)));
		e->key = name;
		e->row = (uint32_t)f->rows[TABLE_NAMES].count;
		HASH_ADD(hh, f->names, key, sizeof(name), e);
		memcpy(put_row(&f->rows[TABLE_NAMES]), &name, sizeof(name));
	}
	return forge_address(f, parent, NODE_NAMED + e->row);
}

void
forge_module(struct forge *f, const struct module *module)
{
	memcpy(put_row(&f->rows[TABLE_MODULES]), module, sizeof(*module));
}

uint32_t
forge_pool(struct forge *f, const struct pool *pool)
{
	struct rows *rows = &f->rows[TABLE_POOLS];
	struct pool *row;
	uint32_t i;

	for (i = 0; i < rows->count; i++) {
		row = (struct pool *)(void *)rows->row + i;
		if (memcmp(row->name, pool->name, sizeof(row->name)) == 0)
			break;
	}
	if (i == rows->count) {
		row = put_row(rows);
		memcpy(row->name, pool->name, sizeof(row->name));
	}
	row = (struct pool *)(void *)rows->row + i;
	row->pools += pool->pools;
	row->live_bytes += pool->live_bytes;
	row->peak_bytes += pool->peak_bytes;
	row->lost += pool->lost;
	return i;
}

/* --- figures -------------------------------------------------------------- */

struct figures *
forge_site(struct forge *f, uint32_t leaf, uint32_t flags)
{
	const struct site_key key = { leaf, flags };
	struct site_entry *e;
	struct site *site;

	HASH_FIND(hh, f->sites, &key, sizeof(key), e);
	if (e == NULL) {
		e = need(calloc(1, sizeof(*e)));
		e->key = key;
		e->site = (uint32_t)f->rows[TABLE_SITES].count;
		HASH_ADD(hh, f->sites, key, sizeof(key), e);
		site = put_row(&f->rows[TABLE_SITES]);
		*site = (struct site){ .leaf = leaf, .flags = flags };
		put_row(&f->figures);
	}
	return (struct figures *)(void *)f->figures.row + e->site;
}

size_t
forge_number(const struct forge *f, const struct figures *figures)
{
	return (size_t)(figures -
	    (const struct figures *)(const void *)f->figures.row);
}

void
forge_add_error(struct figures *to, uint64_t error_bytes)
{
	to->error_bytes = whole_u64(hypot((double)to->error_bytes,
	    (double)error_bytes) + 0.5);
}

static void
put_estimate(struct estimate *e, const struct figures *g)
{
	double variance = (double)g->error_bytes * (double)g->error_bytes;
	uint64_t bits;

	memcpy(&bits, &variance, sizeof(bits));
	e->allocations = g->allocations * ESTIMATE_BLOCKS;
	e->frees = above_u64(g->allocations, g->live_blocks) *
	    ESTIMATE_BLOCKS;
	e->allocated_bytes = g->allocated_bytes * ESTIMATE_BYTES;
	e->freed_bytes = (g->allocated_bytes - g->live_bytes) *
	    ESTIMATE_BYTES;
	e->temporary = g->temporary * ESTIMATE_BLOCKS;
	e->at_peak_bytes = (int64_t)(g->at_peak_bytes * ESTIMATE_BYTES);
	e->peak = PEAK_STAMP;
	e->variance = bits;
	e->drawn = (uint32_t)min_u64(g->drawn, UINT32_MAX);
}

static void
put_count(struct count *c, const struct figures *g)
{
	c->allocations = g->allocations;
	c->frees = above_u64(g->allocations, g->live_blocks);
	c->allocated_bytes = g->allocated_bytes;
	c->freed_bytes = g->allocated_bytes - g->live_bytes;
	c->slack_bytes = above_u64(g->live_bytes, g->live_requested_bytes);
	c->temporary = g->temporary;
	c->at_peak_bytes = (int64_t)g->at_peak_bytes;
}

/* What is live has been allocated, also where that was not counted. */
static void
complete(struct figures *g)
{
	g->allocated_bytes = max_u64(g->allocated_bytes, g->live_bytes);
	g->allocations = max_u64(g->allocations, g->live_blocks);
}

static void
put_figures(struct forge *f)
{
	struct figures *g = (void *)f->figures.row;

	for (uint32_t i = 1; i < f->figures.count; i++) {
		struct count *c = put_row(&f->rows[TABLE_FIRST]);
		struct estimate *e = put_row(&f->rows[TABLE_ESTIMATES]);

		complete(&g[i]);
		c->stamp = stamp_of(i, PEAK_STAMP);
		if (g[i].drawn != 0)
			put_estimate(e, &g[i]);
		else
			put_count(c, &g[i]);
	}
}

void
forge_tally(struct forge *f, const struct forge_tally *t)
{
	struct tally *row = put_row(&f->rows[TABLE_TALLIES]);

	row->allocations = t->allocations;
	row->frees = t->frees;
	row->allocated = t->allocated_bytes;
	row->freed = t->freed_bytes;
	row->requested = t->requested_bytes;
	row->requested_freed = t->requested_freed_bytes;
	row->temporary = t->temporary;
	row->tid = t->tid;
	row->state = TALLY_OWNED;
	row->born_ns = f->segment.identity.clock_ns;
	/* Their difference lifts no peak. */
	row->high = INT64_MIN / 4;
	row->requested_high = INT64_MIN / 4;
	if (t->name != NULL)
		memcpy(row->name, t->name, min_u64(strlen(t->name),
		    sizeof(row->name) - 1));
}

void
forge_tally_sites(struct forge *f)
{
	struct figures *g = (void *)f->figures.row;
	const struct site *site = (const void *)f->rows[TABLE_SITES].row;
	struct forge_tally t = { .tid = 1 };

	for (uint64_t i = 1; i < f->figures.count; i++) {
		complete(&g[i]);
		if (site[i].flags & SITE_APART)
			continue;
		t.allocations += g[i].allocations;
		t.frees += above_u64(g[i].allocations, g[i].live_blocks);
		t.allocated_bytes += g[i].allocated_bytes;
		t.freed_bytes += g[i].allocated_bytes - g[i].live_bytes;
		t.temporary += g[i].temporary;
	}
	t.requested_bytes = t.allocated_bytes;
	t.requested_freed_bytes = t.freed_bytes;
	forge_tally(f, &t);
}

void
forge_point(struct forge *f, uint64_t at_ns, uint64_t live_bytes,
    uint64_t resident)
{
	struct point *p = put_row(&f->rows[TABLE_SECONDS]);

	p->at_ns = f->segment.identity.clock_ns + at_ns;
	p->live_bytes = (int64_t)live_bytes;
	p->resident = resident;
}

/* --- the whole ------------------------------------------------------------ */

static char *
make_image(struct forge *f, uint64_t *bytes)
{
	struct segment *s = &f->segment;
	uint64_t at = SEGMENT_HEADER_BYTES;
	char *image;

	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
		const struct rows *r = &f->rows[tables[i].id];

		s->table[tables[i].id] = (struct segment_table){
			.offset = at, .capacity = r->count, .used = r->count,
			.entry_bytes = r->bytes,
		};
		at += round_up(r->count * r->bytes, 64);
	}
	s->head.bytes = *bytes = at;
	image = need(calloc(1, at));
	memcpy(image, s, sizeof(*s));
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
		const struct rows *r = &f->rows[tables[i].id];

		if (r->count != 0)
			memcpy(image + s->table[tables[i].id].offset, r->row,
			    r->count * r->bytes);
	}
	return image;
}

int
forge_profile(struct forge *f, const char *name, struct profile *profile,
    char why[512])
{
	uint64_t bytes;
	char *image;
	int r;

	put_figures(f);
	image = make_image(f, &bytes);
	r = profile_open_bytes(image, bytes, name, profile, why);
	free(image);
	return r;
}
