/*
 * report-json.c - a report for programs: nothing is left out
 */
#include <stdlib.h>
#include <uthash.h>

#include "base/base.h"
#include "model/reconcile.h"
#include "ops/ops.h"
#include "ops/work.h"
#include "report/bypassed.h"
#include "report/leaks.h"
#include "report/report.h"
#include "say/need.h"
#include "symbols/json.h"

/* --- figures -------------------------------------------------------------- */

static json_t *
json_requested(const struct report *r, uint64_t n)
{
	return r->totals.requested_known &&
	    !profile_lacks(r->profile, UNKNOWN_REQUESTED) ?
	    json_number(n) : json_null();
}

/* Seconds after the start. */
static json_t *
json_moment(const struct profile *p, uint32_t unknown, double at)
{
	return profile_lacks(p, unknown) ? json_null() : json_real(at);
}

/* Null where it was made of a profile that has no such figure. */
static json_t *
json_known(const struct report *r, uint32_t unknown, uint64_t n)
{
	return profile_lacks(r->profile, unknown) ? json_null() :
	    json_number(n);
}

static const struct {
	uint32_t unknown;
	const char *word;
} unknown_words[] = {
	{ UNKNOWN_ALLOCATIONS, "allocations" },
	{ UNKNOWN_BLOCKS, "live_blocks" },
	{ UNKNOWN_PEAK, "peak" },
	{ UNKNOWN_AT_PEAK, "at_peak" },
	{ UNKNOWN_TEMPORARY, "temporary" },
	{ UNKNOWN_REQUESTED, "requested" },
	{ UNKNOWN_STARTED, "started" },
	{ UNKNOWN_TIME, "time" },
	{ UNKNOWN_PEAK_TIME, "peak_at" },
};

/* Who made it, if the library did not; null: it did. */
static json_t *
json_origin(const struct profile *p)
{
	json_t *unknown;

	if (p->segment->identity.origin.bytes == 0)
		return json_null();
	unknown = json_array();
	for (size_t i = 0; i < ARRAY_LENGTH(unknown_words); i++)
		if (profile_lacks(p, unknown_words[i].unknown))
			json_array_append_new(unknown,
			    json_string(unknown_words[i].word));
	return json_pack("{s:o, s:o}", "of",
	    json_text_of(p, p->segment->identity.origin), "unknown", unknown);
}

static json_t *
json_losses(const struct profile *p)
{
	json_t *lost = json_lost(p);

	json_object_set_new(lost, "damaged", json_number(p->damaged));
	json_object_set_new(lost, "changed",
	    json_number((uint64_t)__builtin_popcountll(p->changed)));
	return lost;
}

static json_t *
json_totals(const struct report *r)
{
	const struct totals *t = &r->totals;
	const uint32_t calls = UNKNOWN_ALLOCATIONS;
	const struct json_member members[] = {
		{ "allocations", json_known(r, calls, t->allocations) },
		{ "frees", json_known(r, calls, t->frees) },
		{ "allocated_bytes", json_known(r, calls,
		    t->allocated_bytes) },
		{ "requested_bytes", profile_lacks(r->profile, calls) ?
		    json_null() : json_requested(r, t->requested_bytes) },
		{ "live_blocks", json_known(r, UNKNOWN_BLOCKS,
		    t->live_blocks) },
		{ "live_bytes", json_number(t->live_bytes) },
		{ "live_requested_bytes",
		    json_requested(r, t->live_requested_bytes) },
		{ "peak_bytes", json_known(r, UNKNOWN_PEAK, t->peak_bytes) },
		{ "peak_requested_bytes",
		    json_requested(r, t->peak_requested_bytes) },
		{ "peak_error_bytes", json_number(t->peak_error_bytes) },
		{ "peak_at", json_moment(r->profile, UNKNOWN_PEAK |
		    UNKNOWN_TIME | UNKNOWN_PEAK_TIME, t->peak_at) },
		{ "temporary", json_known(r, UNKNOWN_TEMPORARY,
		    t->temporary) },
		{ "inherited_bytes", json_number(t->inherited_bytes) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_rss(const struct report *r)
{
	json_t *terms;

	if (r->rss.at_ns == 0)
		return json_null();
	terms = json_object();
	for (size_t i = 0; i < RSS_TERMS; i++)
		json_object_set_new(terms, reconcile_names[i],
		    json_number(r->rss.terms[i]));
	return json_pack("{s:o, s:o, s:f, s:o}", "resident",
	    json_number(r->rss.resident), "peak", json_number(r->rss.peak),
	    "at", profile_seconds(r->profile, r->rss.at_ns),
	    "terms", terms);
}

/* Null where nothing is drawn. */
static json_t *
json_sample(const struct profile *p)
{
	const struct segment_config *config = &p->segment->config;

	return config->stacks == STACKS_SAMPLED ?
	    json_number(config->sample_bytes) : json_null();
}

/* --- sites ---------------------------------------------------------------- */

/* The frames written so far: what thousands of paths share is made once. */
struct frames {
	struct written *first; /* a table */
};

struct written {
	struct frame_key {
		const char *function;
		const char *file;
		const char *module;
		uint64_t line;
		uint64_t inlined;
	} key;
	json_t *json;
	UT_hash_handle hh;
};

/* A reference to what stands for @f. */
static json_t *
frames_find(struct frames *frames, const struct frame *f)
{
	const struct frame_key key = { f->function, f->file, f->module,
		f->line, f->inlined };
	struct written *w;

	HASH_FIND(hh, frames->first, &key, sizeof(key), w);
	if (w == NULL) {
		w = need(calloc(1, sizeof(*w)));
		w->key = key;
		w->json = json_frame(f);
		HASH_ADD(hh, frames->first, key, sizeof(key), w);
	}
	return json_incref(w->json);
}

static void
frames_forget(struct frames *frames)
{
	struct written *w;
	struct written *next;

	HASH_ITER(hh, frames->first, w, next) {
		HASH_DEL(frames->first, w);
		json_decref(w->json);
		free(w);
	}
}

static json_t *
find_stack(const struct report *r, const struct site *site,
    struct frames *written)
{
	json_t *stack = json_array();
	struct frame *frames;
	size_t count = symbols_stack(r->symbols, site, &frames);

	for (size_t i = 0; i < count; i++)
		if (!json_cut(stack, &frames[i]))
			json_array_append_new(stack,
			    frames_find(written, &frames[i]));
	free(frames);
	return stack;
}

static json_t *
json_site(const struct report *r, const struct site_row *row,
    struct frames *written)
{
	const struct figures *f = row->figures;
	const uint32_t calls = UNKNOWN_ALLOCATIONS;
	const struct json_member members[] = {
		{ "id", json_number(row->id) },
		{ "allocations", json_known(r, calls, f->allocations) },
		{ "frees", json_known(r, calls, f->frees) },
		{ "allocated_bytes", json_known(r, calls,
		    f->allocated_bytes) },
		{ "live_blocks", json_known(r, UNKNOWN_BLOCKS,
		    f->live_blocks) },
		{ "live_bytes", json_number(f->live_bytes) },
		{ "live_requested_bytes",
		    json_requested(r, f->live_requested_bytes) },
		{ "at_peak_bytes", json_known(r, UNKNOWN_AT_PEAK,
		    f->at_peak_bytes) },
		{ "temporary", json_known(r, UNKNOWN_TEMPORARY,
		    f->temporary) },
		{ "estimated", json_boolean(f->drawn != 0) },
		{ "error", json_number(f->error_bytes) },
		{ "pool", row->site->flags & SITE_POOL ?
		    json_pool(r->profile, row->site) : NULL },
		{ "stack", find_stack(r, row->site, written) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_sites(const struct report *r, const struct site_row *rows, size_t count)
{
	size_t wanted = report_wanted(r, count, UINT64_MAX);
	json_t *list = json_array();
	struct frames written = { NULL };

	report_resolve(r, rows, wanted);
	for (size_t i = 0; i < wanted; i++)
		json_array_append_new(list, json_site(r, &rows[i], &written));
	frames_forget(&written);
	return list;
}

/* --- the rest ------------------------------------------------------------- */

static json_t *
json_modules(const struct profile *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->modules; i++) {
		const struct module *m = &p->module[i];
		char id[2 * sizeof(m->build_id) + 1] = "";

		for (size_t k = 0; k < min_u64(m->build_id_bytes,
		    sizeof(m->build_id)); k++)
			snprintf(id + 2 * k, 3, "%02x", m->build_id[k]);
		json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o}",
		    "path", json_text_of(p, m->path), "build_id", id,
		    "start", json_number(m->start),
		    "end", json_number(m->end)));
	}
	return list;
}

static const char *const mapping_names[MAPPING_KINDS] = {
	[MAPPING_ANONYMOUS] = "anonymous",
	[MAPPING_FILE] = "file",
	[MAPPING_SHARED] = "shared",
	[MAPPING_RESERVED] = "reserved",
	[MAPPING_ALLOCATOR] = "allocator",
};

/* Address space that the program mapped itself, by kind. */
static json_t *
json_mapped(const struct profile *p)
{
	uint64_t bytes[MAPPING_KINDS] = { 0 };
	json_t *mapped = json_object();

	for (size_t i = 0; i < p->mappings; i++)
		if (p->mapping[i].kind < MAPPING_KINDS)
			bytes[p->mapping[i].kind] += above_u64(
			    p->mapping[i].end, p->mapping[i].start);
	for (size_t i = 0; i < MAPPING_KINDS; i++)
		if (mapping_names[i] != NULL)
			json_object_set_new(mapped, mapping_names[i],
			    json_number(bytes[i]));
	/* By brk and sbrk; below zero if it gave more back than it took. */
	json_object_set_new(mapped, "break",
	    json_integer(p->segment->live.break_bytes));
	return mapped;
}

static json_t *
json_threads(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->threads; i++) {
		const struct thread_row *t = &r->thread[i];

		json_array_append_new(list, json_pack(
		    "{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:I}",
		    "tid", (json_int_t)t->tid,
		    "name", json_text(t->name),
		    "state", t->state,
		    "allocations", json_number(t->allocations),
		    "frees", json_number(t->frees),
		    "allocated_bytes", json_number(t->allocated),
		    "freed_bytes", json_number(t->freed),
		    /* may be negative: it freed what others had allocated */
		    "net_bytes", (json_int_t)(t->allocated - t->freed)));
	}
	return list;
}

/* When they began to be kept so; null: from the start. */
static json_t *
json_since(const struct profile *p)
{
	const struct segment_watch *w = &p->segment->watch;

	return w->switches == 0 ? json_null() :
	    json_real(profile_seconds(p, w->switched_ns));
}

json_t *
report_json_brief(const struct report *r)
{
	const struct profile *p = r->profile;
	const struct segment_identity *id = &p->segment->identity;
	uint64_t unfollowed[UNFOLLOWED_KINDS] = { 0 };

	profile_add_unfollowed(p, unfollowed);
	const struct json_member members[] = {
		{ "pid", json_integer(id->pid) },
		{ "parent_pid", json_integer(id->parent_pid) },
		{ "command", json_command(p) },
		{ "executable", json_text_of(p, id->executable) },
		{ "host", json_text_of(p, id->host) },
		{ "allocator", json_text_of(p, id->allocator) },
		{ "origin", json_origin(p) },
		{ "bypassed", bypassed_json(p) },
		{ "started", json_moment(p, UNKNOWN_STARTED,
		    profile_started(p)) },
		{ "duration", json_moment(p, UNKNOWN_TIME,
		    profile_seconds(p, p->now_ns)) },
		{ "end", json_end(report_end(p), &p->segment->end) },
		{ "stacks", json_string(profile_stacks(p)) },
		{ "stacks_since", json_since(p) },
		{ "sample_bytes", json_sample(p) },
		{ "exact", json_boolean(profile_is_exact(p)) },
		{ "lost", json_losses(p) },
		{ "unknown_frees_by", bypassed_json_frees(p) },
		{ "totals", json_totals(r) },
		{ "rss", json_rss(r) },
		{ "not_profiled", json_unfollowed(unfollowed) },
		{ "mapped", json_mapped(p) },
		{ "pools", report_json_pools(r) },
		{ "findings", report_json_findings(r) },
		{ "threads", json_threads(r) },
		{ "leaks", leaks_json_in_brief(p) },
		{ "ops", ops_json_of(p) },
		{ "checkpoints", ops_json_checkpoints(p) },
		{ "work", work_json(p) },
		{ "marks", report_json_marks(p) },
		{ "modules", json_modules(p) },
	};

	return json_fill(json_head(), members, ARRAY_LENGTH(members));
}

json_t *
report_json(const struct report *r)
{
	const struct json_member members[] = {
		{ "sites", json_sites(r, r->site, r->sites) },
		{ "mappings", json_sites(r, r->map, r->maps) },
		{ "pool_sites", json_sites(r, r->pool, r->pools) },
		{ "series", report_json_series(r->profile) },
	};

	return json_fill(report_json_brief(r), members,
	    ARRAY_LENGTH(members));
}

int
report_print_json(const struct report *r)
{
	return json_print(report_json(r));
}
