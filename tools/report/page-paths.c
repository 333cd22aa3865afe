/*
 * page-paths.c - sites and their paths as tables: what thousands share is
 * there once
 *
 * As objects, 20,000 stacks of 30 frames are 60 MB, and a browser takes
 * seconds to read them; as numbers in columns they are 2 MB.
 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/base.h"
#include "report/page.h"
#include "say/need.h"
#include "symbols/json.h"

/* --- rows that are there once --------------------------------------------- */

struct text_row {
	uint32_t index;
	UT_hash_handle hh;
	char text[];
};

struct frame_key {
	uint32_t function, file, module, line, flags;
};

struct frame_row {
	struct frame_key key;
	uint32_t index;
	UT_hash_handle hh;
};

struct path_key {
	uint32_t parent, frame;
};

struct path_row {
	struct path_key key;
	uint32_t index;
	UT_hash_handle hh;
};

struct tables {
	const struct report *report;
	struct text_row *texts;
	struct frame_row *frames;
	struct path_row *paths;
	json_t *strings;
	json_t *function, *file, *module, *line, *flags;
	json_t *parent, *frame;
};

static void
append(json_t *list, uint64_t n)
{
	json_array_append_new(list, json_number(n));
}

static uint32_t
text_index(struct tables *t, const char *text)
{
	size_t length = strlen(text);
	struct text_row *row;

	HASH_FIND(hh, t->texts, text, length, row);
	if (row != NULL)
		return row->index;
	row = need(malloc(sizeof(*row) + length + 1));
	memcpy(row->text, text, length + 1);
	row->index = (uint32_t)json_array_size(t->strings);
	HASH_ADD_KEYPTR(hh, t->texts, row->text, length, row);
	json_array_append_new(t->strings, json_text(text));
	return row->index;
}

static uint32_t
frame_index(struct tables *t, const struct frame *f)
{
	const struct frame_key key = {
		.function = text_index(t, f->function),
		.file = text_index(t, f->file),
		.module = text_index(t, f->module),
		.line = f->line,
		.flags = (f->inlined ? 1U : 0U) | (f->note ? 2U : 0U),
	};
	struct frame_row *row;

	HASH_FIND(hh, t->frames, &key, sizeof(key), row);
	if (row != NULL)
		return row->index;
	row = need(calloc(1, sizeof(*row)));
	row->key = key;
	row->index = (uint32_t)json_array_size(t->function);
	HASH_ADD(hh, t->frames, key, sizeof(key), row);
	append(t->function, key.function);
	append(t->file, key.file);
	append(t->module, key.module);
	append(t->line, key.line);
	append(t->flags, key.flags);
	return row->index;
}

static uint32_t
path_index(struct tables *t, uint32_t parent, uint32_t frame)
{
	const struct path_key key = { parent, frame };
	struct path_row *row;

	HASH_FIND(hh, t->paths, &key, sizeof(key), row);
	if (row != NULL)
		return row->index;
	row = need(calloc(1, sizeof(*row)));
	row->key = key;
	row->index = (uint32_t)json_array_size(t->parent);
	HASH_ADD(hh, t->paths, key, sizeof(key), row);
	append(t->parent, parent);
	append(t->frame, frame);
	return row->index;
}

/* The number of the leaf of a site's path. */
static uint32_t
site_path(struct tables *t, const struct site *site)
{
	struct frame *frame;
	size_t count = symbols_stack(t->report->symbols, site, &frame);
	uint32_t path = 0;

	for (size_t i = count; i-- > 0; )
		path = path_index(t, path, frame_index(t, &frame[i]));
	free(frame);
	return path;
}

/* --- the tables ----------------------------------------------------------- */

static void
tables_open(struct tables *t, const struct report *r)
{
	*t = (struct tables){ .report = r };
	t->strings = json_array();
	t->function = json_array();
	t->file = json_array();
	t->module = json_array();
	t->line = json_array();
	t->flags = json_array();
	t->parent = json_array();
	t->frame = json_array();
	text_index(t, "");
	append(t->parent, 0); /* row 0, the root, is no frame */
	append(t->frame, 0);
}

#define FORGET(type, rows) do { \
	struct type *row_, *next_; \
	HASH_ITER(hh, rows, row_, next_) { \
		HASH_DEL(rows, row_); \
		free(row_); \
	} \
} while (0)

static void
tables_close(struct tables *t, json_t *object)
{
	const struct json_member frames[] = {
		{ "function", t->function }, { "file", t->file },
		{ "line", t->line }, { "module", t->module },
		{ "flags", t->flags },
	};
	const struct json_member members[] = {
		{ "strings", t->strings },
		{ "frames", json_fill(json_object(), frames,
		    ARRAY_LENGTH(frames)) },
		{ "paths", json_pack("{s:o, s:o}", "parent", t->parent,
		    "frame", t->frame) },
	};

	json_fill(object, members, ARRAY_LENGTH(members));
	FORGET(text_row, t->texts);
	FORGET(frame_row, t->frames);
	FORGET(path_row, t->paths);
}

enum column {
	COLUMN_ID, COLUMN_KIND, COLUMN_PATH, COLUMN_ALLOCATIONS, COLUMN_FREES,
	COLUMN_ALLOCATED, COLUMN_BLOCKS, COLUMN_LIVE, COLUMN_REQUESTED,
	COLUMN_PEAK, COLUMN_TEMPORARY, COLUMN_ERROR, COLUMN_DRAWN, COLUMN_POOL,
	COLUMNS
};

static const char *const column_names[COLUMNS] = {
	[COLUMN_ID] = "id",
	[COLUMN_KIND] = "kind",
	[COLUMN_PATH] = "path",
	[COLUMN_ALLOCATIONS] = "allocations",
	[COLUMN_FREES] = "frees",
	[COLUMN_ALLOCATED] = "allocated_bytes",
	[COLUMN_BLOCKS] = "live_blocks",
	[COLUMN_LIVE] = "live_bytes",
	[COLUMN_REQUESTED] = "live_requested_bytes",
	[COLUMN_PEAK] = "at_peak_bytes",
	[COLUMN_TEMPORARY] = "temporary",
	[COLUMN_ERROR] = "error",
	[COLUMN_DRAWN] = "drawn",
	[COLUMN_POOL] = "pool",
};

static uint32_t
pool_index(struct tables *t, const struct site *site)
{
	const struct profile *p = t->report->profile;
	char name[PROFILE_POOL_ROOM];
	int row = profile_pool(p, site);

	return row < 0 ? 0 :
	    text_index(t, profile_pool_name(p, (size_t)row, name));
}

static void
add_site(struct tables *t, json_t *const column[COLUMNS],
    const struct site_row *row, unsigned kind)
{
	const struct figures *f = row->figures;
	const uint64_t value[COLUMNS] = {
		[COLUMN_ID] = row->id,
		[COLUMN_KIND] = kind,
		[COLUMN_PATH] = site_path(t, row->site),
		[COLUMN_ALLOCATIONS] = f->allocations,
		[COLUMN_FREES] = f->frees,
		[COLUMN_ALLOCATED] = f->allocated_bytes,
		[COLUMN_BLOCKS] = f->live_blocks,
		[COLUMN_LIVE] = f->live_bytes,
		[COLUMN_REQUESTED] = f->live_requested_bytes,
		[COLUMN_PEAK] = f->at_peak_bytes,
		[COLUMN_TEMPORARY] = f->temporary,
		[COLUMN_ERROR] = f->error_bytes,
		[COLUMN_DRAWN] = f->drawn,
		[COLUMN_POOL] = pool_index(t, row->site),
	};

	for (size_t i = 0; i < COLUMNS; i++)
		append(column[i], value[i]);
}

void
page_json_sites(const struct report *r, json_t *object)
{
	const struct {
		const struct site_row *row;
		size_t count;
	} kinds[] = {
		{ r->site, r->sites }, { r->map, r->maps },
		{ r->pool, r->pools },
	};
	json_t *column[COLUMNS], *sites = json_object();
	struct tables t;

	tables_open(&t, r);
	for (size_t i = 0; i < COLUMNS; i++)
		column[i] = json_array();
	for (unsigned kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
		report_resolve(r, kinds[kind].row, kinds[kind].count);
		for (size_t i = 0; i < kinds[kind].count; i++)
			add_site(&t, column, &kinds[kind].row[i], kind);
	}
	for (size_t i = 0; i < COLUMNS; i++)
		json_object_set_new(sites, column_names[i], column[i]);
	if (!r->totals.requested_known)
		json_object_set_new(sites, column_names[COLUMN_REQUESTED],
		    json_null());
	tables_close(&t, object);
	json_object_set_new(object, "sites", sites);
}

/* --- by thread ------------------------------------------------------------ */

struct by_thread {
	json_t *thread, *row, *site, *allocations, *allocated;
};

static void
add_counts(struct by_thread *b, const struct profile *p, uint64_t thread,
    const struct count *count, size_t rows)
{
	for (size_t i = 0; i < rows; i++) {
		uint32_t site = stamp_site(count[i].stamp);

		if (site == 0 || site >= p->sites ||
		    count[i].allocations == 0 ||
		    p->figures[site].allocations == 0)
			continue;
		append(b->row, thread);
		append(b->site, site);
		append(b->allocations, count[i].allocations);
		append(b->allocated, count[i].allocated_bytes);
	}
}

/* The first thread's rows are a table of their own (see heap/site.c). */
#define FIRST_TALLY 1

static void
add_thread(struct by_thread *b, const struct profile *p, size_t tally)
{
	const struct tally *t = &p->tally[tally];
	uint64_t thread = json_array_size(b->thread);
	char name[sizeof(t->name) + 1] = "";
	const struct count *first = NULL;
	size_t rows = 0;

	memcpy(name, t->name, sizeof(t->name));
	if (t->counts_bits != 0 && t->counts_bits < 32 &&
	    t->counts < p->counts) {
		first = p->count + t->counts;
		rows = (size_t)min_u64(UINT64_C(1) << t->counts_bits,
		    p->counts - t->counts);
	}
	json_array_append_new(b->thread, json_pack("{s:o, s:I, s:b}", "name",
	    json_text(print_clean(name)), "tid", (json_int_t)t->tid,
	    "several", (int)(t->base_allocations != 0)));
	if (tally == FIRST_TALLY)
		add_counts(b, p, thread, p->first_count,
		    min_u64(p->sites, p->first_counts));
	add_counts(b, p, thread, first, rows);
}

json_t *
page_json_by_thread(const struct report *r)
{
	const struct profile *p = r->profile;
	struct by_thread b;

	if (p->tallies <= FIRST_TALLY + 1 ||
	    p->segment->config.stacks != STACKS_ALL)
		return json_null();
	b = (struct by_thread){ json_array(), json_array(), json_array(),
		json_array(), json_array() };
	for (size_t i = FIRST_TALLY; i < p->tallies; i++)
		if (p->tally[i].allocations != 0)
			add_thread(&b, p, i);
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "thread", b.thread,
	    "row", b.row, "site", b.site, "allocations", b.allocations,
	    "allocated_bytes", b.allocated);
}
