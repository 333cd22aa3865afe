/*
 * cmd-report.c - `heaptide report`: who holds the memory
 *
 * Two forms of the same: text for a person, what is wanted first first; and
 * JSON, where nothing is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "command.h"
#include "control/census.h"
#include "option.h"
#include "print.h"
#include "reader.h"
#include "symbol.h"
#include "sys/proc.h"

#define TOP_DEFAULT     10 /* sites in text */
#define TOP_MINOR       5  /* in the lists behind the first */
#define CALLERS_DEFAULT 8  /* of a site, in text */
#define CALLERS_MINOR   3
#define THREADS_DEFAULT 8
#define CHILDREN_MOST   8  /* that are named */

struct report_options {
	bool json;
	bool threads;
	bool full;
	bool debuginfod;
	int sort;         /* enum site_key */
	uint64_t top;     /* 0: the default */
	uint64_t callers;
};

/* What all parts of a report are made of. */
struct report {
	const struct report_options *options;
	const struct profile *profile;
	struct totals totals;
	struct symbols *symbols;
	struct segment_rss rss; /* at_ns 0: never taken */
	struct site_row *site;  /* heap sites, sorted */
	size_t sites;
	struct site_row *map;   /* sites of the mmap family, sorted */
	size_t maps;
};

/* --- sites, by what one looks for ----------------------------------------- */

enum site_key {
	KEY_LIVE,
	KEY_PEAK,
	KEY_ALLOCATED,
	KEY_ALLOCATIONS,
	KEY_TEMPORARY,
	KEYS
};

struct site_row {
	const struct site *site;
	uint32_t id;
	uint64_t value[KEYS];
	uint64_t live_blocks;
	uint64_t live_requested;
};

static const char *const key_names[] = {
	[KEY_LIVE] = "live",
	[KEY_PEAK] = "peak",
	[KEY_ALLOCATED] = "allocated",
	[KEY_ALLOCATIONS] = "allocations",
	[KEY_TEMPORARY] = "temporary",
	[KEYS] = NULL
};

static const struct {
	const char *title; /* "%s" is "now", "at its end" */
	bool bytes;        /* the value is a size, else a count */
} keys[KEYS] = {
	[KEY_LIVE] = { "Who holds the memory %s", true },
	[KEY_PEAK] = { "Who held the memory at the peak", true },
	[KEY_ALLOCATED] = { "Who allocated most bytes", true },
	[KEY_ALLOCATIONS] = { "Who allocated most often", false },
	[KEY_TEMPORARY] = { "Who freed at once what was allocated", false },
};

static uint64_t
difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static struct site_row
make_row(const struct profile *p, size_t id)
{
	const struct site *s = &p->site[id];

	return (struct site_row){
		.site = s,
		.id = (uint32_t)id,
		.value = {
			[KEY_LIVE] = difference(s->allocated_bytes,
			    s->freed_bytes),
			[KEY_PEAK] = profile_site_at_peak(p, s),
			[KEY_ALLOCATED] = s->allocated_bytes,
			[KEY_ALLOCATIONS] = s->allocations,
			[KEY_TEMPORARY] = s->temporary,
		},
		.live_blocks = difference(s->allocations, s->frees),
		.live_requested = difference(s->requested_bytes,
		    s->requested_freed_bytes),
	};
}

static enum site_key sort_key; /* qsort() hands nothing through */

static int
compare_rows(const void *a, const void *b)
{
	const struct site_row *x = a, *y = b;
	uint64_t vx = x->value[sort_key], vy = y->value[sort_key];

	if (vx != vy)
		return vx > vy ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
sort_rows(struct site_row *rows, size_t count, enum site_key key)
{
	sort_key = key;
	if (count != 0)
		qsort(rows, count, sizeof(*rows), compare_rows);
}

static void *
need(void *memory)
{
	if (memory == NULL) {
		print_error("report: no memory");
		exit(COMMAND_FAILED);
	}
	return memory;
}

/* Rows of damaged sites are left out; the reader has counted them. */
static void
collect_sites(struct report *r)
{
	const struct profile *p = r->profile;

	r->site = need(calloc(p->sites + 1, sizeof(*r->site)));
	r->map = need(calloc(p->sites + 1, sizeof(*r->map)));
	for (size_t i = 1; i < p->sites; i++) {
		const struct site *s = &p->site[i];

		if (s->leaf >= p->nodes || s->allocations == 0)
			continue;
		if (s->flags & SITE_MAPPING)
			r->map[r->maps++] = make_row(p, i);
		else
			r->site[r->sites++] = make_row(p, i);
	}
	sort_rows(r->site, r->sites, (enum site_key)r->options->sort);
	sort_rows(r->map, r->maps, (enum site_key)r->options->sort);
}

/* --- resident memory ------------------------------------------------------ */

static const char *const rss_names[RSS_TERMS] = {
	[RSS_LIVE] = "live",
	[RSS_SLACK] = "slack",
	[RSS_RETAINED] = "retained",
	[RSS_MAPPED] = "mapped",
	[RSS_STACKS] = "stacks",
	[RSS_FILES] = "files",
	[RSS_SHARED] = "shared",
	[RSS_HEAPTIDE] = "heaptide",
	[RSS_UNATTRIBUTED] = "unattributed",
};

static const char *const rss_meanings[RSS_TERMS] = {
	[RSS_LIVE] = "blocks of the program",
	[RSS_SLACK] = "the allocator's rounding and headers",
	[RSS_RETAINED] = "freed, kept by the allocator",
	[RSS_MAPPED] = "mapped by the program itself",
	[RSS_STACKS] = "stacks of all threads",
	[RSS_FILES] = "code and data of files",
	[RSS_SHARED] = "shared with other processes",
	[RSS_HEAPTIDE] = "heaptide itself",
	[RSS_UNATTRIBUTED] = "explained by none of these",
};

/* A look that was not finished does not add up. */
static bool
rss_is_good(const struct segment_rss *rss)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < RSS_TERMS; i++)
		sum += rss->terms[i];
	return rss->at_ns != 0 && rss->version % 2 == 0 &&
	    sum == rss->resident;
}

static void
take_rss(struct report *r)
{
	const struct segment *s = r->profile->segment;
	static const enum segment_rss_id order[] = { RSS_LAST, RSS_PEAK };

	if (r->profile->live &&
	    census_look(s, s->identity.pid, &r->rss) == 0)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(order); i++)
		if (rss_is_good(&s->rss[order[i]])) {
			r->rss = s->rss[order[i]];
			return;
		}
	r->rss = (struct segment_rss){ 0 };
}

/* --- how it ended --------------------------------------------------------- */

static const char *
end_name(const struct profile *p)
{
	const struct segment *s = p->segment;
	uint32_t how = s->end.how;

	switch (how) {
	case END_EXITED:
		return "exited";
	case END_SIGNALLED:
		return "signalled";
	case END_EXEC:
		return "exec";
	}
	/* A copy of a process that still runs is not `live`. */
	if (p->live || proc_is_alive(s->identity.pid,
	    s->identity.start_ticks))
		return "running";
	return "lost";
}

static const char *
stacks_name(const struct profile *p)
{
	static const char *const names[] = {
		[STACKS_NONE] = "none",
		[STACKS_SAMPLED] = "sampled",
		[STACKS_ALL] = "all",
	};
	uint32_t stacks = p->segment->config.stacks;

	return stacks < ARRAY_LENGTH(names) ? names[stacks] : "unknown";
}

static double
seconds_between(uint64_t from, uint64_t to)
{
	return (double)difference(to, from) / (double)NS_PER_S;
}

/* --- JSON ----------------------------------------------------------------- */

/* jansson's integers end at 2^63 - 1, and so do ours unless damaged. */
static json_t *
json_number(uint64_t n)
{
	return json_integer((json_int_t)min_u64(n, INT64_MAX));
}

static json_t *
json_requested(const struct report *r, uint64_t n)
{
	return r->totals.requested_known ? json_number(n) : json_null();
}

static json_t *
json_command(const struct profile *p)
{
	char **arguments = profile_arguments(p);
	json_t *list = json_array();

	for (size_t i = 0; arguments[i] != NULL; i++)
		json_array_append_new(list, json_text(arguments[i]));
	free(arguments);
	return list;
}

static json_t *
json_string_of(const struct profile *p, struct segment_text text)
{
	char *s = profile_text(p, text);
	json_t *json = json_text(s);

	free(s);
	return json;
}

static json_t *
json_end(const struct profile *p)
{
	const struct segment_end *end = &p->segment->end;

	return json_pack("{s:s, s:i, s:i, s:b}", "how", end_name(p),
	    "status", (int)end->status, "signal", (int)end->signal,
	    "oom", end->out_of_memory == 1);
}

static json_t *
json_lost(const struct profile *p)
{
	json_t *lost = json_object();

	for (size_t i = 0; i < PROFILE_LOSSES; i++)
		json_object_set_new(lost, profile_losses[i].name,
		    json_number(profile_lost(p, &profile_losses[i])));
	json_object_set_new(lost, "damaged", json_number(p->damaged));
	return lost;
}

static json_t *
json_totals(const struct report *r)
{
	const struct totals *t = &r->totals;
	const struct {
		const char *name;
		json_t *value;
	} members[] = {
		{ "allocations", json_number(t->allocations) },
		{ "frees", json_number(t->frees) },
		{ "allocated_bytes", json_number(t->allocated_bytes) },
		{ "requested_bytes", json_requested(r, t->requested_bytes) },
		{ "live_blocks", json_number(t->live_blocks) },
		{ "live_bytes", json_number(t->live_bytes) },
		{ "live_requested_bytes",
		    json_requested(r, t->live_requested_bytes) },
		{ "peak_bytes", json_number(t->peak_bytes) },
		{ "peak_requested_bytes",
		    json_requested(r, t->peak_requested_bytes) },
		{ "peak_error_bytes", json_number(t->peak_error_bytes) },
		{ "peak_at", json_real(t->peak_at) },
		{ "temporary", json_number(t->temporary) },
		{ "inherited_bytes", json_number(t->inherited_bytes) },
	};
	json_t *totals = json_object();

	for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
		json_object_set_new(totals, members[i].name,
		    members[i].value);
	return totals;
}

static json_t *
json_rss(const struct report *r)
{
	json_t *terms = json_object();

	if (r->rss.at_ns == 0) {
		json_decref(terms);
		return json_null();
	}
	for (size_t i = 0; i < RSS_TERMS; i++)
		json_object_set_new(terms, rss_names[i],
		    json_number(r->rss.terms[i]));
	return json_pack("{s:o, s:o, s:f, s:o}", "resident",
	    json_number(r->rss.resident), "peak", json_number(r->rss.peak),
	    "at", seconds_between(r->profile->segment->identity.clock_ns,
	    r->rss.at_ns), "terms", terms);
}

static json_t *
json_stack(const struct report *r, const struct site *site)
{
	json_t *stack = json_array();
	struct frame *frames;
	size_t count = symbols_stack(r->symbols, site, &frames);

	for (size_t i = 0; i < count; i++) {
		const struct frame *f = &frames[i];

		json_array_append_new(stack, json_pack(
		    "{s:o, s:o, s:o, s:o, s:b}",
		    "function", json_text(f->function),
		    "file", f->file[0] != '\0' ? json_text(f->file) :
		    json_null(),
		    "line", f->line != 0 ? json_number(f->line) : json_null(),
		    "module", f->module[0] != '\0' ? json_text(f->module) :
		    json_null(), "inlined", (int)f->inlined));
	}
	free(frames);
	return stack;
}

static json_t *
json_site(const struct report *r, const struct site_row *row)
{
	const struct site *s = row->site;
	bool sampled =
	    r->profile->segment->config.stacks == STACKS_SAMPLED;
	const struct {
		const char *name;
		json_t *value;
	} members[] = {
		{ "id", json_number(row->id) },
		{ "allocations", json_number(s->allocations) },
		{ "frees", json_number(s->frees) },
		{ "allocated_bytes", json_number(s->allocated_bytes) },
		{ "live_blocks", json_number(row->live_blocks) },
		{ "live_bytes", json_number(row->value[KEY_LIVE]) },
		{ "live_requested_bytes",
		    json_requested(r, row->live_requested) },
		{ "at_peak_bytes", json_number(row->value[KEY_PEAK]) },
		{ "temporary", json_number(s->temporary) },
		{ "estimated", json_boolean(sampled) },
		{ "error", json_number(0) },
		{ "stack", json_stack(r, s) },
	};
	json_t *site = json_object();

	for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
		json_object_set_new(site, members[i].name, members[i].value);
	return site;
}

static size_t
rows_wanted(const struct report *r, size_t count, uint64_t standard)
{
	uint64_t top = r->options->top != 0 ? r->options->top : standard;

	return (size_t)min_u64(count, top);
}

static json_t *
json_sites(const struct report *r, const struct site_row *rows, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rows_wanted(r, count, UINT64_MAX); i++)
		json_array_append_new(list, json_site(r, &rows[i]));
	return list;
}

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
		    "path", json_string_of(p, m->path), "build_id", id,
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
			bytes[p->mapping[i].kind] += difference(
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

/* --- threads -------------------------------------------------------------- */

/* A thread's own counts; those of earlier owners of its row taken off. */
struct thread_row {
	char name[sizeof(((struct tally *)NULL)->name) + 1];
	uint32_t tid;
	const char *state;
	uint64_t allocations, frees, allocated, freed;
};

static const char *
thread_state(const struct profile *p, const struct tally *t)
{
	if (t->state == TALLY_SHARED)
		return "shared";
	return p->live && t->state == TALLY_OWNED ? "running" : "ended";
}

static void
add_base(struct thread_row *earlier, const struct tally *t)
{
	earlier->allocations += t->base_allocations;
	earlier->frees += t->base_frees;
	earlier->allocated += t->base_allocated;
	earlier->freed += t->base_freed;
}

static struct thread_row
make_thread(const struct profile *p, const struct tally *t)
{
	struct thread_row row = {
		.tid = t->tid,
		.state = thread_state(p, t),
		.allocations = t->allocations - t->base_allocations,
		.frees = t->frees - t->base_frees,
		.allocated = t->allocated - t->base_allocated,
		.freed = t->freed - t->base_freed,
	};

	memcpy(row.name, t->name, sizeof(t->name));
	if (t->state == TALLY_SHARED)
		strcpy(row.name, "(shared)");
	print_clean(row.name);
	return row;
}

static int
compare_threads(const void *a, const void *b)
{
	const struct thread_row *x = a, *y = b;

	if (x->allocated != y->allocated)
		return x->allocated > y->allocated ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* Their sums are the totals; to be freed. */
static struct thread_row *
collect_threads(const struct profile *p, size_t *count)
{
	struct thread_row earlier = {
		.name = "(earlier)", .state = "ended",
	};
	struct thread_row *rows;

	rows = need(calloc(p->tallies + 1, sizeof(*rows)));
	*count = 0;
	for (size_t i = 0; i < p->tallies; i++) {
		const struct tally *t = &p->tally[i];

		if (t->tid == 0 && t->allocations == 0 && t->frees == 0)
			continue;
		add_base(&earlier, t);
		rows[(*count)++] = make_thread(p, t);
	}
	if (earlier.allocations != 0 || earlier.frees != 0)
		rows[(*count)++] = earlier;
	if (*count != 0)
		qsort(rows, *count, sizeof(*rows), compare_threads);
	return rows;
}

static json_t *
json_threads(const struct profile *p)
{
	json_t *list = json_array();
	size_t count;
	struct thread_row *rows = collect_threads(p, &count);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack(
		    "{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:I}",
		    "tid", (json_int_t)rows[i].tid,
		    "name", json_text(rows[i].name),
		    "state", rows[i].state,
		    "allocations", json_number(rows[i].allocations),
		    "frees", json_number(rows[i].frees),
		    "allocated_bytes", json_number(rows[i].allocated),
		    "freed_bytes", json_number(rows[i].freed),
		    /* may be negative: it freed what others had allocated */
		    "net_bytes", (json_int_t)(rows[i].allocated -
		    rows[i].freed)));
	free(rows);
	return list;
}

static int
report_json(const struct report *r)
{
	const struct profile *p = r->profile;
	const struct segment_identity *id = &p->segment->identity;
	const struct {
		const char *name;
		json_t *value;
	} members[] = {
		{ "pid", json_integer(id->pid) },
		{ "parent_pid", json_integer(id->parent_pid) },
		{ "command", json_command(p) },
		{ "executable", json_string_of(p, id->executable) },
		{ "host", json_string_of(p, id->host) },
		{ "allocator", json_string_of(p, id->allocator) },
		{ "started", json_real((double)id->started_ns /
		    (double)NS_PER_S) },
		{ "duration", json_real(seconds_between(id->clock_ns,
		    p->now_ns)) },
		{ "end", json_end(p) },
		{ "stacks", json_string(stacks_name(p)) },
		{ "exact", json_boolean(profile_is_exact(p)) },
		{ "lost", json_lost(p) },
		{ "totals", json_totals(r) },
		{ "rss", json_rss(r) },
		{ "sites", json_sites(r, r->site, r->sites) },
		{ "mappings", json_sites(r, r->map, r->maps) },
		{ "mapped", json_mapped(p) },
		{ "threads", json_threads(p) },
		{ "series", json_array() },
		{ "marks", json_array() },
		{ "modules", json_modules(p) },
	};
	json_t *report = json_head();

	for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
		json_object_set_new(report, members[i].name,
		    members[i].value);
	return json_print(report);
}

/* --- text: who, when, how ------------------------------------------------- */

static void
text_heading(const struct print *p, const char *title, const char *when)
{
	fputc('\n', p->to);
	print_line(p, PRINT_STRONG, "%s%s", title, when);
}

static char *
join_command(const struct profile *p)
{
	char **arguments = profile_arguments(p), *text = NULL;
	size_t bytes = 0;
	FILE *to = need(open_memstream(&text, &bytes));

	for (size_t i = 0; arguments[i] != NULL; i++)
		fprintf(to, "%s%s", i == 0 ? "" : " ", arguments[i]);
	free(arguments);
	if (fclose(to) != 0)
		need(NULL);
	return text;
}

static void
format_end(const struct profile *p, char *words, size_t room)
{
	const struct segment_end *end = &p->segment->end;
	uint32_t how = end->how;

	switch (how) {
	case END_EXITED:
		snprintf(words, room, "exited with status %" PRId32,
		    end->status);
		return;
	case END_SIGNALLED:
		snprintf(words, room, "killed by signal %" PRId32 " (%s)%s",
		    end->signal, strsignal(end->signal),
		    end->out_of_memory == 1 ? ", out of memory" : "");
		return;
	case END_EXEC:
		snprintf(words, room, "went on as another program (exec)");
		return;
	}
	snprintf(words, room, "%s", strcmp(end_name(p), "running") == 0 ?
	    "still running" : "how it ended is not known");
}

static void
text_identity(const struct report *r, const struct print *out)
{
	const struct profile *p = r->profile;
	const struct segment_identity *id = &p->segment->identity;
	char duration[TEXT_DURATION_ROOM], date[64] = "?", end[128];
	time_t started = (time_t)(id->started_ns / (int64_t)NS_PER_S);
	char *command = join_command(p);
	struct tm local;

	if (localtime_r(&started, &local) != NULL)
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
	format_end(p, end, sizeof(end));
	print_line(out, PRINT_STRONG, "%s", command);
	print_line(out, PRINT_PLAIN, "  process     %" PRId32 ", %s",
	    id->pid, end);
	print_line(out, PRINT_PLAIN, "  started     %s, %s %s", date,
	    p->live || p->segment->end.at_ns != 0 ? "ran" :
	    "last seen after", text_format_duration(duration,
	    difference(p->now_ns, id->clock_ns)));
	free(command);
}

static void
text_losses(const struct report *r, const struct print *out)
{
	const struct profile *p = r->profile;
	char count[TEXT_COUNT_ROOM];

	for (size_t i = 0; i < PROFILE_LOSSES; i++) {
		uint64_t n = profile_lost(p, &profile_losses[i]);

		if (n != 0 && profile_losses[i].withdraws)
			print_line(out, PRINT_WARN, "  not exact   %s %s",
			    text_format_count(count, n),
			    profile_losses[i].means);
	}
	if (p->damaged != 0)
		print_line(out, PRINT_WARN, "  damaged     %s rows of the "
		    "file contradict the rest and are left out",
		    text_format_count(count, p->damaged));
}

static void
text_stacks(const struct report *r, const struct print *out)
{
	const struct segment_config *config = &r->profile->segment->config;
	bool exact = profile_is_exact(r->profile);
	char bytes[TEXT_BYTES_ROOM];

	switch (config->stacks) {
	case STACKS_NONE:
		print_line(out, PRINT_PLAIN, "  counted     %s; without "
		    "stacks, so not who holds the memory (--stacks all does)",
		    exact ? "exactly" : "not exactly");
		break;
	case STACKS_SAMPLED:
		print_line(out, PRINT_PLAIN, "  counted     totals; sites "
		    "are estimates from one block in %s",
		    text_format_bytes(bytes, config->sample_bytes));
		break;
	default:
		print_line(out, PRINT_PLAIN, "  counted     %s, every "
		    "allocation with its stack",
		    exact ? "exactly" : "not exactly");
	}
	text_losses(r, out);
}

/* --- text: totals --------------------------------------------------------- */

static const char *
when_words(const struct report *r)
{
	return r->profile->live ? "now" : "at the end";
}

/* A damaged profile may have any time; thirty years are enough for all. */
static uint64_t
ns_of(double seconds)
{
	return seconds < 1e9 ? (uint64_t)(seconds * (double)NS_PER_S) :
	    1000000000 * NS_PER_S;
}

static void
text_totals(const struct report *r, const struct print *out)
{
	const struct totals *t = &r->totals;
	char a[TEXT_BYTES_ROOM], b[TEXT_BYTES_ROOM];
	char n[TEXT_COUNT_ROOM], m[TEXT_COUNT_ROOM];
	char at[TEXT_DURATION_ROOM], within[TEXT_BYTES_ROOM + 16] = "";

	if (t->peak_error_bytes != 0)
		snprintf(within, sizeof(within), " (+- %s)",
		    text_format_bytes(b, t->peak_error_bytes));
	print_line(out, PRINT_STRONG, "  peak        %s%s after %s",
	    text_format_bytes(a, t->peak_bytes), within,
	    text_format_duration(at, ns_of(t->peak_at)));
	print_line(out, PRINT_STRONG, "  held        %s in %s blocks %s",
	    text_format_bytes(a, t->live_bytes),
	    text_format_count(n, t->live_blocks), when_words(r));
	if (t->requested_known)
		print_line(out, PRINT_PLAIN, "              %s of it asked "
		    "for, the rest is rounding",
		    text_format_bytes(a, t->live_requested_bytes));
	if (t->inherited_bytes != 0)
		print_line(out, PRINT_PLAIN, "              %s of it "
		    "inherited from the parent",
		    text_format_bytes(a, t->inherited_bytes));
	print_line(out, PRINT_PLAIN, "  allocated   %s in %s blocks, %s of "
	    "them temporary", text_format_bytes(a, t->allocated_bytes),
	    text_format_count(n, t->allocations),
	    text_format_count(m, t->temporary));
}

static void
percent_of(uint64_t part, uint64_t whole, char words[16])
{
	double share = whole != 0 ? 100 * (double)part / (double)whole : 0;

	snprintf(words, 16, "%.1f %%", share);
}

/* When the look at resident memory was taken, if that was not at the end. */
static void
text_rss_heading(const struct report *r, const struct print *out)
{
	uint64_t before = difference(r->profile->now_ns, r->rss.at_ns);
	char duration[TEXT_DURATION_ROOM], when[64];

	if (r->profile->live || before < NS_PER_S)
		snprintf(when, sizeof(when), "%s", when_words(r));
	else
		snprintf(when, sizeof(when), "%s before the end",
		    text_format_duration(duration, before));
	text_heading(out, "Resident memory ", when);
}

static void
text_rss(const struct report *r, const struct print *out)
{
	static const struct print_column columns[] = {
		{ NULL, false }, { NULL, true }, { NULL, true },
		{ NULL, false }, { NULL, false },
	};
	const struct segment_rss *rss = &r->rss;
	char bytes[TEXT_BYTES_ROOM], peak[TEXT_BYTES_ROOM], share[16];
	char bar[PRINT_BAR_ROOM];
	struct print_table *t;

	if (rss->at_ns == 0) {
		text_heading(out, "Resident memory: nobody has looked", "");
		return;
	}
	text_rss_heading(r, out);
	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < RSS_TERMS; i++) {
		percent_of(rss->terms[i], rss->resident, share);
		print_cell(t, "%s", rss_names[i]);
		print_cell(t, "%s", text_format_bytes(bytes, rss->terms[i]));
		print_cell(t, "%s", share);
		print_cell(t, "%s", print_bar(bar, 20, rss->terms[i],
		    rss->resident));
		print_cell(t, "%s", rss_meanings[i]);
	}
	print_cell(t, "resident");
	print_cell(t, "%s", text_format_bytes(bytes, rss->resident));
	print_cell(t, "100 %%");
	print_cell(t, "%s", "");
	print_cell(t, "peak %s", text_format_bytes(peak, rss->peak));
	print_row_style(t, PRINT_STRONG);
	print_table_close(t, out, 2);
}

/* --- text: sites ---------------------------------------------------------- */

static void
put_value(char *words, size_t room, enum site_key key, uint64_t value)
{
	char text[TEXT_COUNT_ROOM];

	if (keys[key].bytes)
		snprintf(words, room, "%s", text_format_bytes(text, value));
	else
		snprintf(words, room, "%s x", text_format_count(text, value));
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* "function  file.c:12", or the module where the file is not known. */
static void
put_frame(char *words, size_t room, const struct frame *f)
{
	char place[SYMBOL_PLACE_ROOM];

	symbols_place(f, place);
	if (place[0] == '\0' && f->named)
		snprintf(place, sizeof(place), "%.100s",
		    last_part(f->module));
	snprintf(words, room, "%s%s%s%s", f->function,
	    place[0] != '\0' ? "  " : "", place,
	    f->inlined ? " (inlined)" : "");
}

static bool
is_same_frame(const struct frame *a, const struct frame *b)
{
	return a->line == b->line && strcmp(a->file, b->file) == 0 &&
	    strcmp(a->function, b->function) == 0;
}

/* A line of a site behind its first; @left is under its figure. */
static void
text_under(const struct print *out, const char *left, const char *words)
{
	if (words[0] == '\0')
		print_line(out, PRINT_FAINT, "  %12s", left);
	else
		print_line(out, PRINT_FAINT, "  %12s  %7s    %s", left, "",
		    words);
}

/* Where the standard libraries of C++ and Rust have their sources. */
static const char *const library_parts[] = {
	"/include/c++/", "library/alloc/src/", "library/core/src/",
	"library/std/src/", "/rust/deps/", "/rustc/",
};

static bool
is_library_frame(const struct frame *f)
{
	for (size_t i = 0; i < ARRAY_LENGTH(library_parts); i++)
		if (strstr(f->file, library_parts[i]) != NULL)
			return true;
	return false;
}

/*
 * One line for several frames where the rest tells little: a recursion, or
 * what goes on inside of a container between the allocation and the code that
 * uses it; there the outermost is shown.  Returns how many are taken.
 */
static size_t
fold_frames(const struct frame *frames, size_t count, char *words,
    size_t room)
{
	char line[3900], note[48];
	size_t n = 1;

	if (is_library_frame(&frames[0])) {
		while (n < count && is_library_frame(&frames[n]))
			n++;
		put_frame(line, sizeof(line), &frames[n - 1]);
		snprintf(note, sizeof(note), " (and %zu inside)", n - 1);
	} else {
		while (n < count && is_same_frame(&frames[0], &frames[n]))
			n++;
		put_frame(line, sizeof(line), &frames[0]);
		snprintf(note, sizeof(note), " (%zu times)", n);
	}
	snprintf(words, room, "%s%s", line, n > 1 ? note : "");
	return n;
}

/*
 * The callers of a site, @left beside the first.  When not all are shown the
 * last line says how many are left.
 */
static void
text_callers(const struct report *r, const struct print *out,
    const struct frame *frames, size_t count, uint64_t most,
    const char *left)
{
	char words[4096];
	size_t i = 1;

	if (r->options->full)
		most = UINT64_MAX;
	for (uint64_t shown = 0; i < count && shown < most; shown++) {
		if (r->options->full)
			put_frame(words, sizeof(words), &frames[i++]);
		else
			i += fold_frames(&frames[i], count - i, words,
			    sizeof(words));
		text_under(out, shown == 0 ? left : "", words);
	}
	if (i == 1 && left[0] != '\0')
		text_under(out, left, "");
	if (i < count && most != 0)
		print_line(out, PRINT_FAINT, "%27s... %zu more", "",
		    count - i);
}

static void
text_site(const struct report *r, const struct print *out,
    const struct site_row *row, enum site_key key, uint64_t whole,
    uint64_t callers)
{
	char value[32], share[16], count[TEXT_COUNT_ROOM], left[40] = "";
	char words[4096];
	struct frame *frames;
	size_t depth = symbols_stack(r->symbols, row->site, &frames);

	put_value(value, sizeof(value), key, row->value[key]);
	percent_of(row->value[key], whole, share);
	if (depth == 0)
		snprintf(words, sizeof(words), "[no stack]");
	else
		put_frame(words, sizeof(words), &frames[0]);
	print_line(out, PRINT_STRONG, "  %12s  %7s  %s", value, share, words);
	if (key == KEY_LIVE)
		snprintf(left, sizeof(left), "%s block%s",
		    text_format_count(count, row->live_blocks),
		    row->live_blocks == 1 ? "" : "s");
	text_callers(r, out, frames, depth, callers, left);
	free(frames);
}

/*
 * What the shares of a list are shares of.  The heap's totals may be more than
 * its sites have: blocks inherited, or without a stack.
 */
static uint64_t
whole_of(const struct report *r, const struct site_row *rows, size_t count,
    enum site_key key)
{
	const struct totals *t = &r->totals;
	const uint64_t heap[KEYS] = {
		[KEY_LIVE] = t->live_bytes,
		[KEY_PEAK] = t->peak_bytes,
		[KEY_ALLOCATED] = t->allocated_bytes,
		[KEY_ALLOCATIONS] = t->allocations,
		[KEY_TEMPORARY] = t->temporary,
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += rows[i].value[key];
	return rows == r->site ? max_u64(sum, heap[key]) : sum;
}

static void
resolve_rows(const struct report *r, const struct site_row *rows,
    size_t count)
{
	const struct site **wanted = need(calloc(count + 1, sizeof(*wanted)));

	for (size_t i = 0; i < count; i++)
		wanted[i] = rows[i].site;
	symbols_resolve(r->symbols, wanted, count);
	free(wanted);
}

static void
text_sites(const struct report *r, const struct print *out,
    const char *title, struct site_row *rows, size_t count,
    enum site_key key, size_t top, uint64_t callers)
{
	uint64_t whole = whole_of(r, rows, count, key);
	char title_words[128];
	size_t some = 0, shown;

	sort_rows(rows, count, key);
	while (some < count && rows[some].value[key] != 0)
		some++;
	shown = min_u64(some, top);
	if (some == 0)
		return;
	snprintf(title_words, sizeof(title_words), "%s (%zu of %zu sites)",
	    title, shown, some);
	text_heading(out, title_words, "");
	resolve_rows(r, rows, shown);
	for (size_t i = 0; i < shown; i++)
		text_site(r, out, &rows[i], key, whole, callers);
}

static void
text_all_sites(const struct report *r, const struct print *out)
{
	enum site_key key = (enum site_key)r->options->sort;
	uint64_t callers = r->options->callers;
	size_t top = rows_wanted(r, SIZE_MAX, TOP_DEFAULT);
	size_t minor = rows_wanted(r, SIZE_MAX, TOP_MINOR);
	static const enum site_key others[] = {
		KEY_TEMPORARY, KEY_ALLOCATIONS,
	};
	char title[96] = "";

	snprintf(title, sizeof(title), "%s", keys[key].title);
	if (key == KEY_LIVE)
		snprintf(title, sizeof(title), "Who holds the memory %s",
		    when_words(r));
	text_sites(r, out, title, r->site, r->sites, key, top, callers);
	text_sites(r, out, "Who mapped memory besides", r->map, r->maps,
	    KEY_LIVE, minor, CALLERS_MINOR);
	if (key != KEY_LIVE)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
		text_sites(r, out, keys[others[i]].title, r->site, r->sites,
		    others[i], minor, min_u64(callers, CALLERS_MINOR));
}

/* --- text: the rest ------------------------------------------------------- */

static void
put_signed(char *words, size_t room, uint64_t from, uint64_t to)
{
	char bytes[TEXT_BYTES_ROOM];

	snprintf(words, room, "%s%s", to < from ? "-" : "",
	    text_format_bytes(bytes, to < from ? from - to : to - from));
}

static void
text_threads(const struct report *r, const struct print *out)
{
	static const struct print_column columns[] = {
		{ "thread", true }, { "allocated", true }, { "blocks", true },
		{ "freed", true }, { "net", true }, { "state", false },
		{ "name", false },
	};
	char a[TEXT_BYTES_ROOM], b[TEXT_BYTES_ROOM], n[TEXT_COUNT_ROOM];
	char net[TEXT_BYTES_ROOM + 1];
	struct print_table *t;
	size_t count, shown;
	struct thread_row *rows = collect_threads(r->profile, &count);

	shown = r->options->threads ? count :
	    (size_t)min_u64(count, THREADS_DEFAULT);
	if (count > 1 || r->options->threads) {
		text_heading(out, "Threads", shown < count ?
		    ", the busiest (--threads shows all)" : "");
		t = print_table_open(columns, ARRAY_LENGTH(columns));
		for (size_t i = 0; i < shown; i++) {
			put_signed(net, sizeof(net), rows[i].freed,
			    rows[i].allocated);
			print_cell(t, "%" PRIu32, rows[i].tid);
			print_cell(t, "%s", text_format_bytes(a,
			    rows[i].allocated));
			print_cell(t, "%s", text_format_count(n,
			    rows[i].allocations));
			print_cell(t, "%s", text_format_bytes(b,
			    rows[i].freed));
			print_cell(t, "%s", net);
			print_cell(t, "%s", rows[i].state);
			print_cell(t, "%s", rows[i].name);
		}
		print_table_close(t, out, 2);
	}
	free(rows);
}

/* True if the file is the profile of a child of ours; @pid is written. */
static bool
is_child(const struct profile *p, int directory, const char *name,
    int32_t *pid)
{
	const struct segment_identity *own = &p->segment->identity;
	struct segment s = { 0 };
	ssize_t got;
	int fd;

	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	got = pread(fd, &s, sizeof(s), 0);
	close(fd);
	if (got != (ssize_t)sizeof(s) || s.head.layout != SEGMENT_LAYOUT ||
	    memcmp(s.head.magic, SEGMENT_MAGIC, sizeof(s.head.magic)) != 0)
		return false;
	*pid = s.identity.pid;
	return s.identity.parent_pid == own->pid &&
	    s.identity.parent_ticks == own->start_ticks &&
	    s.identity.pid != own->pid;
}

/* Children have profiles of their own, beside this one. */
static void
text_children(const struct report *r, const struct print *out)
{
	char *directory = need(strdup(r->profile->path));
	char *slash = strrchr(directory, '/');
	char pids[CHILDREN_MOST * 12 + 1] = "";
	size_t count = 0, used = 0;
	struct dirent *entry;
	int32_t pid;
	DIR *dir;

	if (slash != NULL)
		slash[slash == directory] = '\0';
	dir = opendir(slash != NULL ? directory : ".");
	free(directory);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, SEGMENT_SUFFIX) == NULL ||
		    !is_child(r->profile, dirfd(dir), entry->d_name, &pid))
			continue;
		if (count++ < CHILDREN_MOST)
			used += (size_t)snprintf(pids + used,
			    sizeof(pids) - used, " %" PRId32, pid);
	}
	closedir(dir);
	if (count == 0)
		return;
	fputc('\n', out->to);
	print_line(out, PRINT_PLAIN, "%zu child process%s with a profile of "
	    "%s own:%s%s", count, count == 1 ? "" : "es",
	    count == 1 ? "its" : "their", pids,
	    count > CHILDREN_MOST ? " ..." : "");
}

static void
text_troubles(const struct report *r, const struct print *out)
{
	for (size_t i = 0; i < r->profile->modules; i++) {
		const char *trouble = symbols_trouble(r->symbols, i);
		char *path = profile_text(r->profile,
		    r->profile->module[i].path);

		/* The kernel's own module has no file, and no path. */
		if (trouble != NULL && path[0] == '/')
			print_line(out, PRINT_WARN, "no names from %s: %s",
			    path, trouble);
		free(path);
	}
}

static int
report_text(const struct report *r)
{
	struct print out = print_open(stdout);

	text_identity(r, &out);
	text_stacks(r, &out);
	text_totals(r, &out);
	text_rss(r, &out);
	text_all_sites(r, &out);
	text_threads(r, &out);
	text_children(r, &out);
	text_troubles(r, &out);
	return COMMAND_DONE;
}

/* --- the command ---------------------------------------------------------- */

static int
report_run(const void *options, int operands, char **operand)
{
	struct report r = { .options = options };
	struct profile profile;
	char why[512];
	int status;

	(void)operands;
	if (profile_open(operand[0], &profile, why) < 0) {
		print_error("report: %s", why);
		return COMMAND_FAILED;
	}
	r.profile = &profile;
	profile_totals(&profile, &r.totals);
	r.symbols = symbols_open(&profile, r.options->debuginfod);
	take_rss(&r);
	collect_sites(&r);
	if (r.options->json) {
		resolve_rows(&r, r.site, rows_wanted(&r, r.sites,
		    UINT64_MAX));
		resolve_rows(&r, r.map, rows_wanted(&r, r.maps, UINT64_MAX));
		status = report_json(&r);
	} else {
		status = report_text(&r);
	}
	free(r.site);
	free(r.map);
	symbols_close(r.symbols);
	profile_close(&profile);
	return status;
}

static const struct option_row report_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, json),
	  .help = "print JSON, all of it" },
	{ .name = "top", .letter = 'n', .kind = OPTION_COUNT, .word = "N",
	  .at = offsetof(struct report_options, top),
	  .least = 1, .most = 1000000,
	  .help = "show N sites (10; in JSON all)" },
	{ .name = "sort", .letter = 's', .kind = OPTION_CHOICE,
	  .choices = key_names,
	  .at = offsetof(struct report_options, sort),
	  .help = "which sites come first (live)" },
	{ .name = "callers", .letter = 'c', .kind = OPTION_COUNT, .word = "N",
	  .at = offsetof(struct report_options, callers), .most = 1000000,
	  .help = "show N callers of a site in text (8)" },
	{ .name = "full", .letter = 'f', .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, full),
	  .help = "show every frame of a site in text" },
	{ .name = "threads", .letter = 't', .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, threads),
	  .help = "show all threads" },
	{ .name = "debuginfod", .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, debuginfod),
	  .help = "ask DEBUGINFOD_URLS for debug files" },
	{ .name = NULL }
};

static const struct report_options report_defaults = {
	.sort = KEY_LIVE,
	.callers = CALLERS_DEFAULT,
};

const struct command command_report = {
	.name = "report",
	.args = "FILE|PID",
	.help = "print who holds the memory, largest first",
	.rows = report_rows,
	.defaults = &report_defaults,
	.options_bytes = sizeof(struct report_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = report_run,
};
