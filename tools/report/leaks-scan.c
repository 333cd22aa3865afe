#include "report/leaks-scan.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "base/text.h"
#include "control/control.h"
#include "report/report.h"
#include "say/command.h"
#include "say/need.h"
#include "symbols/json.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define TOP_DEFAULT 10
#define FRAMES_MOST 8
#define THROUGH_ROOM 512
/* A program that does nothing does not come by to begin. */
#define BEGIN_MOST_NS (5 * NS_PER_S)
#define END_MOST_NS   (150 * NS_PER_S)
#define NAP_NS        (5 * NS_PER_MS)

/* --- asking --------------------------------------------------------------- */

static uint64_t
number_of(const json_t *answer, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(answer, name));
}

static bool
state_is(const json_t *answer, const char *state)
{
	const char *is = json_string_value(json_object_get(answer, "state"));

	return is != NULL && strcmp(is, state) == 0;
}

static void
nap(void)
{
	const struct timespec time = { .tv_nsec = NAP_NS };

	nanosleep(&time, NULL);
}

/* 1: it is done; 0: not yet; -1: there will be none. */
static int
see(int pid, uint64_t number, bool *begun, char why[ASK_WHY_ROOM])
{
	json_t *answer = ask(pid, "scan last", why);
	const char *reason;
	int r = 0;

	if (answer == NULL)
		return -1;
	*begun = number_of(answer, "number") >= number;
	if (*begun && state_is(answer, "done")) {
		r = 1;
	} else if (*begun && state_is(answer, "failed")) {
		reason = json_string_value(json_object_get(answer, "why"));
		snprintf(why, ASK_WHY_ROOM, "process %d cannot be scanned: %s",
		    pid, reason != NULL ? reason : "?");
		r = -1;
	}
	json_decref(answer);
	return r;
}

/* What a process has allocated so far; 0: it does not tell. */
static uint64_t
allocations_of(int pid)
{
	char why[ASK_WHY_ROOM];
	json_t *answer = ask(pid, "status", why);
	uint64_t n = number_of(answer, "allocations");

	json_decref(answer);
	return n;
}

/*
 * On a busy machine a program that allocates may be long in coming by, and the
 * child of the scan before, which is the last to get the CPU, long in ending.
 */
static int
wait_for(int pid, uint64_t number, char why[ASK_WHY_ROOM])
{
	uint64_t start = sys_clock(), silent = start;
	uint64_t before = allocations_of(pid), now;
	bool begun = false;
	int r;

	while ((r = see(pid, number, &begun, why)) == 0) {
		if (sys_clock() - start > END_MOST_NS) {
			snprintf(why, ASK_WHY_ROOM, "the scan of process %d "
			    "takes too long", pid);
			return -1;
		}
		if (!begun && sys_clock() - silent > BEGIN_MOST_NS) {
			now = allocations_of(pid);
			if (now == before) {
				snprintf(why, ASK_WHY_ROOM, "process %d has "
				    "not allocated anything for 5 s, and only "
				    "then does it hear of what is asked; "
				    "started with --keeper on it hears at "
				    "once", pid);
				return -1;
			}
			before = now;
			silent = sys_clock();
		}
		nap();
	}
	return r < 0 ? -1 : 0;
}

int
leaks_scan_ask(int pid, bool starts, char why[ASK_WHY_ROOM])
{
	json_t *answer = ask(pid, starts ? "scan starts" : "scan", why);
	uint64_t number;

	if (answer == NULL)
		return -1;
	if (ask_refusal(answer) != NULL) {
		snprintf(why, ASK_WHY_ROOM, "%s", ask_refusal(answer));
		json_decref(answer);
		return -1;
	}
	number = number_of(answer, "scans_wanted");
	json_decref(answer);
	return wait_for(pid, number, why);
}

/* --- what is there -------------------------------------------------------- */

static const struct segment_scan *
result(const struct profile *p)
{
	return &p->segment->scan;
}

bool
leaks_scan_has(const struct profile *p)
{
	return p->segment->head.header_bytes >= sizeof(struct segment) &&
	    atomic_load(&result(p)->state) == SCAN_DONE;
}

const struct reach *
leaks_scan_of(const struct profile *p, uint32_t site)
{
	const struct reach *r = &p->reach[site];

	return leaks_scan_has(p) && site < p->reaches && site < p->sites &&
	    r->number == atomic_load(&result(p)->number) ? r : NULL;
}

static uint64_t
lost_bytes(const struct reach *r)
{
	return r->direct_bytes + r->indirect_bytes;
}

static uint64_t
lost_blocks(const struct reach *r)
{
	return r->direct_blocks + r->indirect_blocks;
}

/* Sites by a value of theirs, largest first; those of 0 are left out. */
static uint32_t *
sorted(const struct profile *p, uint64_t (*value)(const struct reach *r),
    size_t *count)
{
	uint32_t *site = need(calloc(p->reaches + 1, sizeof(*site)));
	size_t n = 0, at;

	for (uint32_t i = 1; i < p->reaches; i++) {
		const struct reach *r = leaks_scan_of(p, i);

		if (r == NULL || value(r) == 0)
			continue;
		for (at = n++; at > 0 && value(r) >
		    value(&p->reach[site[at - 1]]); at--)
			site[at] = site[at - 1];
		site[at] = i;
	}
	*count = n;
	return site;
}

uint32_t *
leaks_scan_sites(const struct profile *p, size_t *count)
{
	return sorted(p, lost_bytes, count);
}

static uint64_t
held_bytes(const struct reach *r)
{
	return r->kind == THROUGH_NONE || r->kind == THROUGH_MANY ? 0 :
	    r->bytes;
}

static void
resolve(const struct profile *p, struct symbols *s, const uint32_t *sites,
    size_t count)
{
	const struct site **site = need(calloc(count + 1, sizeof(*site)));

	for (size_t i = 0; i < count; i++)
		site[i] = &p->site[sites[i]];
	symbols_resolve(s, site, count);
	free(site);
}

/* --- through what --------------------------------------------------------- */

static const char *const kinds[] = {
	[THROUGH_NONE] = "nothing",
	[THROUGH_WORD] = "variable",
	[THROUGH_MODULE] = "module",
	[THROUGH_STACK] = "thread",
	[THROUGH_MAPPING] = "mapping",
	[THROUGH_MANY] = "many",
};

static const char *
kind_of(const struct reach *r)
{
	return r->kind < ARRAY_LENGTH(kinds) ? kinds[r->kind] : "unknown";
}

static void
thread_name(const struct profile *p, uint64_t tid, char *words, size_t room)
{
	for (size_t i = 0; i < p->tallies; i++)
		if (p->tally[i].tid == tid && p->tally[i].name[0] != '\0') {
			snprintf(words, room, "thread %" PRIu64 " (%.16s)",
			    tid, p->tally[i].name);
			return;
		}
	snprintf(words, room, "thread %" PRIu64, tid);
}

/* "variable 'table' of prog", in words. */
static void
describe(const struct profile *p, struct symbols *s, const struct reach *r,
    char words[THROUGH_ROOM])
{
	char name[256];

	switch (r->kind) {
	case THROUGH_WORD:
		symbols_variable(s, r->through, name, sizeof(name));
		snprintf(words, THROUGH_ROOM, "%s", name);
		break;
	case THROUGH_MODULE:
		symbols_module(s, r->through, name, sizeof(name));
		snprintf(words, THROUGH_ROOM, "variables of %s", name);
		break;
	case THROUGH_STACK:
		thread_name(p, r->through, words, THROUGH_ROOM);
		break;
	case THROUGH_MAPPING:
		snprintf(words, THROUGH_ROOM, "the mapping at 0x%" PRIx64,
		    r->through);
		break;
	default:
		snprintf(words, THROUGH_ROOM, "%s", kind_of(r));
	}
}

/* --- JSON ----------------------------------------------------------------- */

json_t *
leaks_scan_json_summary(const struct profile *p)
{
	const struct segment_scan *s = result(p);
	const struct json_member members[] = {
		{ "at", json_real(profile_seconds(p, s->at_ns)) },
		{ "pause", json_real((double)s->pause_ns / 1e9) },
		{ "seconds", json_real((double)s->took_ns / 1e9) },
		{ "cpu_seconds", json_real((double)s->busy_ns / 1e9) },
		{ "scanned_bytes", json_number(s->scanned) },
		{ "live_blocks", json_number(s->blocks) },
		{ "live_bytes", json_number(s->bytes) },
		{ "interior", json_boolean(s->starts == 0) },
		{ "complete", json_boolean(s->complete == 1) },
		{ "threads", json_number(s->threads) },
		{ "threads_unseen", json_number(s->unseen) },
		{ "unknown_bytes", json_number(s->unknown_bytes) },
		{ "memory_bytes", json_number(s->memory_bytes) },
		{ "blocks", json_number(s->direct_blocks +
		    s->indirect_blocks) },
		{ "bytes", json_number(s->direct_bytes + s->indirect_bytes) },
		{ "direct_blocks", json_number(s->direct_blocks) },
		{ "direct_bytes", json_number(s->direct_bytes) },
		{ "indirect_blocks", json_number(s->indirect_blocks) },
		{ "indirect_bytes", json_number(s->indirect_bytes) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

json_t *
leaks_scan_json_site(const struct profile *p, struct symbols *s,
    uint32_t site)
{
	const struct reach *r = &p->reach[site];
	const struct json_member members[] = {
		{ "verdict", json_string("unreachable") },
		{ "site", json_number(site) },
		{ "live_bytes", json_number(r->bytes + lost_bytes(r)) },
		/* As all leaks have it; a scan has not judged whether it
		 * grows. */
		{ "bytes_per_epoch", json_real(0) },
		{ "bytes_per_hour", json_real(0) },
		{ "low", json_real(0) },
		{ "high", json_real(0) },
		{ "p", json_real(1) },
		{ "since", json_null() },
		{ "limit_in", json_null() },
		{ "survivors", json_array() },
		{ "blocks", json_number(lost_blocks(r)) },
		{ "bytes", json_number(lost_bytes(r)) },
		{ "direct_blocks", json_number(r->direct_blocks) },
		{ "direct_bytes", json_number(r->direct_bytes) },
		{ "indirect_blocks", json_number(r->indirect_blocks) },
		{ "indirect_bytes", json_number(r->indirect_bytes) },
		{ "estimated", json_boolean(r->drawn != 0) },
		{ "error", json_number(r->error_bytes) },
		{ "example", json_number(r->example) },
		{ "stack", json_stack(s, &p->site[site]) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_held(const struct profile *p, struct symbols *s, uint32_t site)
{
	const struct reach *r = &p->reach[site];
	char words[THROUGH_ROOM];

	describe(p, s, r, words);
	const struct json_member members[] = {
		{ "site", json_number(site) },
		{ "blocks", json_number(r->blocks) },
		{ "bytes", json_number(r->bytes) },
		{ "kind", json_string(kind_of(r)) },
		{ "through", json_text(words) },
		{ "address", r->kind == THROUGH_STACK ? NULL :
		    json_number(r->through) },
		{ "tid", r->kind == THROUGH_STACK ? json_number(r->through) :
		    NULL },
		{ "stack", json_stack(s, &p->site[site]) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

json_t *
leaks_scan_json_held(const struct profile *p, struct symbols *s)
{
	json_t *list = json_array();
	size_t count;
	uint32_t *site = sorted(p, held_bytes, &count);

	resolve(p, s, site, count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_held(p, s, site[i]));
	free(site);
	return list;
}

static int
print_json(const struct profile *p, struct symbols *s)
{
	json_t *object = json_head();
	json_t *list = json_array();
	size_t count;
	uint32_t *site = leaks_scan_sites(p, &count);

	resolve(p, s, site, count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, leaks_scan_json_site(p, s,
		    site[i]));
	free(site);
	json_object_set_new(object, "pid", json_integer(
	    p->segment->identity.pid));
	json_object_set_new(object, "command", json_command(p));
	json_object_set_new(object, "epochs",
	    json_number(p->segment->watch.epochs));
	json_object_set_new(object, "scan", leaks_scan_json_summary(p));
	json_object_set_new(object, "leaks", list);
	json_object_set_new(object, "held", leaks_scan_json_held(p, s));
	return json_print(object);
}

/* --- text ----------------------------------------------------------------- */

static void
print_stack(const struct profile *p, struct symbols *s,
    const struct print *out, uint32_t site)
{
	struct frame *frames;
	size_t count = symbols_stack(s, &p->site[site], &frames), i = 0;
	char words[4096];

	for (size_t shown = 0; i < count && shown < FRAMES_MOST; shown++) {
		i += report_fold(frames + i, count - i, words, sizeof(words));
		print_line(out, shown == 0 ? PRINT_STRONG : PRINT_PLAIN,
		    "      %s", words);
	}
	if (i < count)
		print_line(out, PRINT_FAINT, "      and %zu more callers",
		    count - i);
	free(frames);
}

static void
print_site(const struct profile *p, struct symbols *s,
    const struct print *out, uint32_t site)
{
	const struct reach *r = &p->reach[site];
	char bytes[TEXT_BYTES_ROOM], error[TEXT_BYTES_ROOM];
	char count[TEXT_COUNT_ROOM];
	char more[64] = "";

	if (r->drawn != 0)
		snprintf(more, sizeof(more), ", estimated, +- %s",
		    text_format_bytes(error, r->error_bytes));
	else if (r->direct_blocks == 0)
		snprintf(more, sizeof(more), ", held by other lost blocks");
	print_line(out, PRINT_PLAIN, "  %s in %s block%s%s",
	    text_format_bytes(bytes, lost_bytes(r)),
	    text_format_count(count, lost_blocks(r)),
	    lost_blocks(r) == 1 ? "" : "s", more);
	print_stack(p, s, out, site);
}

static void
print_lost(const struct profile *p, struct symbols *s,
    const struct print *out, uint64_t top)
{
	size_t count, n;
	uint32_t *site = leaks_scan_sites(p, &count);

	n = min_u64(count, top);
	resolve(p, s, site, n);
	for (size_t i = 0; i < n; i++)
		print_site(p, s, out, site[i]);
	if (n < count)
		print_line(out, PRINT_FAINT, "  and %zu more sites", count -
		    n);
	free(site);
}

static void
print_held(const struct profile *p, struct symbols *s,
    const struct print *out, uint64_t top)
{
	char words[THROUGH_ROOM], bytes[TEXT_BYTES_ROOM];
	struct frame *frames;
	size_t count, n, frame_count;
	uint32_t *site = sorted(p, held_bytes, &count);

	n = min_u64(count, top);
	resolve(p, s, site, n);
	if (n != 0)
		report_heading(out, "Held by one thing alone", "");
	for (size_t i = 0; i < n; i++) {
		const struct reach *r = &p->reach[site[i]];

		describe(p, s, r, words);
		frame_count = symbols_stack(s, &p->site[site[i]], &frames);
		print_line(out, PRINT_PLAIN, "  %10s  %s, from %s",
		    text_format_bytes(bytes, r->bytes), words,
		    frame_count > 0 ? frames[0].function : "?");
		free(frames);
	}
	free(site);
}

/* What is not in the figures. */
static void
print_doubts(const struct profile *p, const struct print *out)
{
	const struct segment_scan *s = result(p);
	char bytes[TEXT_BYTES_ROOM];

	if (s->unseen != 0)
		print_line(out, PRINT_WARN, "%u of %u threads could not be "
		    "held: what only a register of theirs points to may be "
		    "among the lost", s->unseen, s->threads);
	if (s->unknown_bytes != 0)
		print_line(out, PRINT_WARN, "%s of the heap could not be read "
		    "as blocks; what it points to is taken for held",
		    text_format_bytes(bytes, s->unknown_bytes));
	if (s->complete != 1)
		print_line(out, PRINT_FAINT, "of few blocks it is known where "
		    "they come from: the sums are exact, the sites estimates; "
		    "--stacks all knows all");
}

void
leaks_scan_print(const struct profile *p, struct symbols *s,
    const struct print *out, uint64_t top)
{
	const struct segment_scan *r = result(p);
	char bytes[TEXT_BYTES_ROOM], live[TEXT_BYTES_ROOM];
	char blocks[TEXT_COUNT_ROOM], all[TEXT_COUNT_ROOM];
	uint64_t lost = r->direct_blocks + r->indirect_blocks;

	if (top == 0)
		top = TOP_DEFAULT;
	if (lost == 0)
		print_line(out, PRINT_GOOD, "every block can be reached");
	else
		print_line(out, PRINT_BAD, "%s in %s block%s can be reached by "
		    "nobody", text_format_bytes(bytes, r->direct_bytes +
		    r->indirect_bytes), text_format_count(blocks, lost),
		    lost == 1 ? "" : "s");
	print_line(out, PRINT_FAINT, "of %s in %s blocks; the program was held "
	    "for %.1f ms, the search took %.2f s beside it",
	    text_format_bytes(live, r->bytes),
	    text_format_count(all, r->blocks), (double)r->pause_ns / 1e6,
	    (double)r->took_ns / 1e9);
	print_doubts(p, out);
	print_lost(p, s, out, top);
	print_held(p, s, out, top);
}

/* --- the command ---------------------------------------------------------- */

int
leaks_scan(const char *what, const struct leaks_scan_options *o)
{
	struct print out = print_open(stdout);
	char why[ASK_WHY_ROOM] = "";
	int status = COMMAND_DONE;
	struct symbols *symbols;
	struct profile p;
	uint64_t pid;

	if (text_parse_u64(what, INT_MAX, &pid) == 0 && pid != 0 &&
	    leaks_scan_ask((int)pid, o->starts, why) < 0) {
		print_error("leaks: %s", why);
		return COMMAND_FAILED;
	}
	if (profile_open(what, &p, why) < 0) {
		print_error("leaks: %s", why);
		return COMMAND_FAILED;
	}
	if (!leaks_scan_has(&p)) {
		print_error("leaks: no scan was made for '%s' while its "
		    "program ran; --scan-at-exit makes one", what);
		profile_close(&p);
		return COMMAND_FAILED;
	}
	symbols = symbols_open(&p, o->debuginfod);
	if (o->json)
		status = print_json(&p, symbols);
	else
		leaks_scan_print(&p, symbols, &out, o->top);
	symbols_close(symbols);
	profile_close(&p);
	return status;
}
