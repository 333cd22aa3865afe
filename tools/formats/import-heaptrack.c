/*
 * import-heaptrack.c - what heaptrack recorded, replayed
 *
 * Interpreted records, of file version 1 to 3: all that heaptrack has left
 * behind since 1.1.  All calls are there, in their order, so nearly everything
 * is known of it; sizes are those asked for.  How much each trace held at the
 * peak is kept as the library does it: with each new peak the epoch goes up,
 * and who changes in a later one notes what it held.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "formats/import.h"
#include "say/need.h"

#define VERSION_LEAST 1
#define VERSION_MOST  3

struct call {
	uint64_t module, first, frames; /* first: of @frame */
	uint64_t address;
};

struct frame_row {
	uint64_t function, file, line;
};

struct trace {
	uint64_t call, parent;
	uint64_t epoch, at_peak, live; /* bytes */
	uint64_t allocations, blocks, bytes, temporary;
};

struct size {
	uint64_t bytes, trace;
};

struct list {
	char *row;
	size_t count, room, bytes;
};

struct record {
	struct import *in;
	struct list texts, calls, frames, traces, sizes;
	uint64_t version, page, now_ms, resident;
	uint64_t live, peak, peak_ms, epoch;
	uint64_t last;    /* size allocated last, 1 added */
	char *command;
};

static void *
put(struct list *l)
{
	if (l->count == l->room) {
		l->room = max_u64(256, l->room * 2);
		l->row = need(realloc(l->row, l->room * l->bytes));
	}
	return memset(l->row + l->count++ * l->bytes, 0, l->bytes);
}

static void *
row_of(const struct list *l, uint64_t i)
{
	return l->row + i * l->bytes;
}

static bool
damaged(struct record *r)
{
	return import_refuse(r->in, "'%.40s' is no line of a heaptrack record",
	    r->in->text);
}

/* --- lines ---------------------------------------------------------------- */

/* v VERSION [FILEVERSION] */
static bool
read_version(struct record *r, const char *at)
{
	uint64_t heaptrack;

	if (!import_number(&at, 16, &heaptrack))
		return damaged(r);
	if (!import_number(&at, 16, &r->version) ||
	    r->version < VERSION_LEAST || r->version > VERSION_MOST)
		return import_refuse(r->in, "it is of a file version that is "
		    "not read; %d to %d are", VERSION_LEAST, VERSION_MOST);
	return true;
}

/* s TEXT; from version 3 on its length stands before it. */
static bool
read_text(struct record *r, const char *at)
{
	uint64_t bytes = strlen(at);

	if (r->version >= 3) {
		if (!import_number(&at, 16, &bytes) || *at != ' ')
			return damaged(r);
		at++;
	}
	*(char **)put(&r->texts) = need_text("%.*s", (int)min_u64(bytes,
	    INT32_MAX), at);
	return true;
}

/* i ADDRESS MODULE [FUNCTION FILE LINE]..., the innermost first */
static bool
read_call(struct record *r, const char *at)
{
	struct call *call = put(&r->calls);
	struct frame_row f;

	call->first = r->frames.count;
	if (!import_number(&at, 16, &call->address) ||
	    !import_number(&at, 16, &call->module) ||
	    call->module > r->texts.count)
		return damaged(r);
	while (import_number(&at, 16, &f.function)) {
		f.file = f.line = 0;
		if (import_number(&at, 16, &f.file))
			(void)import_number(&at, 16, &f.line);
		if (f.function > r->texts.count || f.file > r->texts.count)
			return damaged(r);
		memcpy(put(&r->frames), &f, sizeof(f));
		call->frames++;
	}
	return true;
}

/* t CALL PARENT */
static bool
read_trace(struct record *r, const char *at)
{
	uint64_t call, parent;
	struct trace *t;

	if (!import_number(&at, 16, &call) ||
	    !import_number(&at, 16, &parent) || call == 0 ||
	    call > r->calls.count || parent > r->traces.count)
		return damaged(r);
	t = put(&r->traces);
	t->call = call;
	t->parent = parent;
	return true;
}

/* a BYTES TRACE */
static bool
read_size(struct record *r, const char *at)
{
	struct size s;

	if (!import_number(&at, 16, &s.bytes) ||
	    !import_number(&at, 16, &s.trace) || s.trace > r->traces.count ||
	    s.bytes > INT64_MAX)
		return damaged(r);
	memcpy(put(&r->sizes), &s, sizeof(s));
	return true;
}

/* --- calls ---------------------------------------------------------------- */

/* What a trace held at the last peak is lost now, unless it is noted. */
static struct trace *
touch(struct record *r, const struct size *s)
{
	static struct trace none;
	struct trace *t = s->trace == 0 ? &none : row_of(&r->traces,
	    s->trace - 1);

	if (t->epoch != r->epoch) {
		t->epoch = r->epoch;
		t->at_peak = t->live;
	}
	return t;
}

static bool
read_allocation(struct record *r, const char *at)
{
	const struct size *s;
	struct trace *t;
	uint64_t i;

	if (!import_number(&at, 16, &i) || i >= r->sizes.count)
		return damaged(r);
	s = row_of(&r->sizes, i);
	t = touch(r, s);
	t->allocations++;
	t->blocks++;
	t->bytes += s->bytes;
	t->live += s->bytes;
	r->live += s->bytes;
	r->last = i + 1;
	if (r->live > r->peak) {
		r->peak = r->live;
		r->peak_ms = r->now_ms;
		r->epoch++;
	}
	return true;
}

static bool
read_free(struct record *r, const char *at)
{
	const struct size *s;
	struct trace *t;
	uint64_t i;

	if (!import_number(&at, 16, &i) || i >= r->sizes.count)
		return damaged(r);
	s = row_of(&r->sizes, i);
	t = touch(r, s);
	if (t->blocks == 0 || t->live < s->bytes)
		return import_refuse(r->in, "more is freed than was "
		    "allocated");
	t->blocks--;
	t->live -= s->bytes;
	r->live -= s->bytes;
	t->temporary += r->last == i + 1;
	r->last = 0;
	return true;
}

static bool
read_time(struct record *r, const char *at)
{
	if (!import_number(&at, 16, &r->now_ms) ||
	    r->now_ms > UINT64_MAX / 2 / NS_PER_MS)
		return damaged(r);
	import_point(r->in, r->now_ms * NS_PER_MS, r->live, r->resident);
	return true;
}

static bool
read_resident(struct record *r, const char *at)
{
	if (!import_number(&at, 16, &r->resident))
		return damaged(r);
	r->resident *= r->page;
	return true;
}

static bool
read_machine(struct record *r, const char *at)
{
	return import_number(&at, 16, &r->page) || damaged(r);
}

static bool
read_command(struct record *r, const char *at)
{
	free(r->command);
	r->command = need_text("%s", at);
	return true;
}

static const struct {
	char letter;
	bool (*read)(struct record *r, const char *at);
} readers[] = {
	{ 'v', read_version }, { 'X', read_command }, { 'I', read_machine },
	{ 's', read_text }, { 'i', read_call }, { 't', read_trace },
	{ 'a', read_size }, { '+', read_allocation }, { '-', read_free },
	{ 'c', read_time }, { 'R', read_resident },
};

/* Lines of other letters are not for us: suppressions, remarks. */
static bool
read_line(struct record *r)
{
	const char *text = r->in->text;

	for (size_t i = 0; i < ARRAY_LENGTH(readers); i++)
		if (text[0] == readers[i].letter && text[1] == ' ')
			return readers[i].read(r, text + 2);
	if ((text[0] == 'm' || text[0] == 'x') && text[1] == ' ')
		return import_refuse(r->in, "it is a raw record; 'heaptrack "
		    "--interpret FILE' makes one that can be read");
	return true;
}

/* --- stacks --------------------------------------------------------------- */

static const char *
text_at(const struct record *r, uint64_t number)
{
	return number == 0 ? "" : *(char **)row_of(&r->texts, number - 1);
}

static uint32_t
put_call(struct record *r, const struct call *call, uint32_t parent)
{
	char address[24];

	for (uint64_t i = call->frames; i-- > 0; ) {
		const struct frame_row *f = row_of(&r->frames,
		    call->first + i);
		const struct forge_frame frame = {
			.function = text_at(r, f->function),
			.file = text_at(r, f->file),
			.module = text_at(r, call->module),
			.line = (uint32_t)min_u64(f->line, UINT32_MAX),
			.inlined = i + 1 < call->frames,
		};

		if (frame.function[0] != '\0')
			parent = forge_node(r->in->forge, parent, &frame);
	}
	if (call->frames == 0) {
		const struct forge_frame frame = {
			.function = address,
			.module = text_at(r, call->module),
		};

		snprintf(address, sizeof(address), "0x%llx",
		    (unsigned long long)call->address);
		parent = forge_node(r->in->forge, parent, &frame);
	}
	return parent;
}

static bool
allocates(const struct record *r, const struct call *call)
{
	const struct frame_row *f;

	if (call->frames == 0)
		return false;
	f = row_of(&r->frames, call->first + call->frames - 1);
	return import_allocates(text_at(r, f->function));
}

/* The node of each trace, whose parents come before it; to be freed. */
static uint32_t *
put_stacks(struct record *r)
{
	uint32_t *node = need(calloc(r->traces.count + 1, sizeof(*node)));

	for (uint64_t i = 1; i <= r->traces.count; i++) {
		const struct trace *t = row_of(&r->traces, i - 1);
		const struct call *call = row_of(&r->calls, t->call - 1);
		uint32_t parent = node[t->parent];

		node[i] = parent != 0 && allocates(r, call) ? parent :
		    put_call(r, call, parent);
	}
	return node;
}

static void
put_sites(struct record *r)
{
	uint32_t *node = put_stacks(r);

	for (uint64_t i = 0; i < r->traces.count; i++) {
		struct trace *t = row_of(&r->traces, i);
		struct figures *f;

		if (t->allocations == 0)
			continue;
		f = forge_site(r->in->forge, node[i + 1], 0);
		f->allocations += t->allocations;
		f->allocated_bytes += t->bytes;
		f->live_blocks += t->blocks;
		f->live_bytes += t->live;
		f->live_requested_bytes += t->live;
		f->at_peak_bytes += t->epoch == r->epoch ? t->at_peak :
		    t->live;
		f->temporary += t->temporary;
	}
	free(node);
}

/* --- the whole ------------------------------------------------------------ */

static void
finish(struct record *r)
{
	put_sites(r);
	import_origin(r->in, "heaptrack: sizes are those asked for",
	    UNKNOWN_STARTED);
	import_command(r->in, r->command != NULL ? r->command : "?");
	import_end(r->in, r->peak, r->peak_ms * NS_PER_MS,
	    r->now_ms * NS_PER_MS);
}

static void
forget(struct record *r)
{
	for (size_t i = 0; i < r->texts.count; i++)
		free(*(char **)row_of(&r->texts, i));
	free(r->texts.row);
	free(r->calls.row);
	free(r->frames.row);
	free(r->traces.row);
	free(r->sizes.row);
	free(r->command);
}

bool
import_heaptrack(struct import *in)
{
	struct record r = {
		.in = in, .page = 4096,
		.texts = { .bytes = sizeof(char *) },
		.calls = { .bytes = sizeof(struct call) },
		.frames = { .bytes = sizeof(struct frame_row) },
		.traces = { .bytes = sizeof(struct trace) },
		.sizes = { .bytes = sizeof(struct size) },
	};
	bool good = true;

	while (good && import_line(in)) {
		if (in->line == 1 && strncmp(in->text, "v ", 2) != 0)
			good = import_refuse(in, "it is no heaptrack record");
		else
			good = read_line(&r);
	}
	good = good && in->why[0] == '\0';
	if (good && in->line == 0)
		good = import_refuse(in, "it is empty");
	if (good)
		finish(&r);
	forget(&r);
	return good;
}
