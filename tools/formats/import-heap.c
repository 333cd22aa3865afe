/*
 * import-heap.c - the text that gperftools (HEAPPROFILE) and jemalloc write
 *
 *	heap profile: BLOCKS: BYTES [CALLS: ALLOCATED] @ heap_v2/PERIOD
 *	 BLOCKS: BYTES [CALLS: ALLOCATED] @ 0xPC 0xPC ...
 *	MAPPED_LIBRARIES:
 *	/proc/PID/maps
 *
 * jemalloc has the stack on a line of its own, which begins with @, and the
 * figures behind it, `t*:` for all threads.  With a PERIOD the figures are a
 * sample's, not scaled; a block of n bytes was in it with the chance that
 * 1 - exp(-n / PERIOD) is, so that is what they are divided by.
 */
#include <elf.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "formats/import.h"
#include "say/need.h"

#define DEPTH_MOST 1024

struct heap {
	struct import *in;
	double period;   /* 0: everything is in it */
	bool threads;    /* jemalloc's form */
	uint64_t pc[DEPTH_MOST];
	size_t depth;
	bool allocations; /* it counts what has been freed, too */
	struct module module; /* being put together of its ranges */
	char *path;
};

/* --- figures -------------------------------------------------------------- */

struct sums {
	uint64_t blocks, bytes, calls, allocated;
};

/* BLOCKS: BYTES [CALLS: ALLOCATED]; @*at goes behind. */
static bool
read_sums(const char **at, struct sums *s)
{
	if (!import_number(at, 10, &s->blocks) || *(*at)++ != ':' ||
	    !import_number(at, 10, &s->bytes))
		return false;
	while (**at == ' ')
		++*at;
	if (*(*at)++ != '[' || !import_number(at, 10, &s->calls) ||
	    *(*at)++ != ':' || !import_number(at, 10, &s->allocated))
		return false;
	while (**at == ' ')
		++*at;
	return *(*at)++ == ']';
}

static void
scale(const struct heap *h, uint64_t *blocks, uint64_t *bytes)
{
	double factor;

	if (h->period <= 1 || *blocks == 0 || *bytes == 0)
		return;
	factor = 1 / -expm1(-((double)*bytes / (double)*blocks) / h->period);
	*blocks = whole_u64((double)*blocks * factor + 0.5);
	*bytes = whole_u64((double)*bytes * factor + 0.5);
}

static void
put_sums(struct heap *h, struct sums s)
{
	struct figures *f;
	uint32_t node = 0;

	for (size_t i = h->depth; i-- > 0; )
		node = forge_address(h->in->forge, node, h->pc[i]);
	if (node == 0)
		node = forge_address(h->in->forge, 0, NODE_NO_STACK);
	h->allocations |= s.calls != 0;
	scale(h, &s.blocks, &s.bytes);
	scale(h, &s.calls, &s.allocated);
	f = forge_site(h->in->forge, node, 0);
	f->live_blocks += s.blocks;
	f->live_bytes += s.bytes;
	f->allocations += max_u64(s.calls, s.blocks);
	f->allocated_bytes += max_u64(s.allocated, s.bytes);
	f->drawn += h->period > 1 ? 1 : 0;
}

/* --- stacks --------------------------------------------------------------- */

static void
read_stack(struct heap *h, const char *at)
{
	uint64_t pc;

	h->depth = 0;
	while (h->depth < DEPTH_MOST && import_number(&at, 16, &pc))
		if (pc != 0 && pc < NODE_NAMED)
			h->pc[h->depth++] = pc;
}

static bool
read_site(struct heap *h)
{
	const char *at = h->in->text;
	struct sums s = { 0 };

	if (h->threads && at[0] == '@') {
		read_stack(h, at + 1);
		return true;
	}
	while (*at == ' ')
		at++;
	if (*at == '\0')
		return true;
	if (*at == 't') {
		/* Those of each thread are part of all. */
		if (strncmp(at, "t*:", 3) != 0 || h->depth == 0)
			return true;
		at += 3;
	}
	if (!read_sums(&at, &s))
		return import_refuse(h->in, "'%.40s' has no figures of a site",
		    h->in->text);
	while (*at == ' ')
		at++;
	if (!h->threads && *at++ == '@')
		read_stack(h, at);
	put_sums(h, s);
	return true;
}

/* heap profile: SUMS @ heapprofile, or heap_v2/524288 */
static bool
read_head(struct heap *h)
{
	const char *at = h->in->text, *slash;
	struct sums s;
	uint64_t period;

	h->threads = strncmp(at, IMPORT_HEAP_V2, strlen(IMPORT_HEAP_V2)) == 0;
	if (!h->threads)
		at += strlen(IMPORT_HEAP);
	if (!h->threads && !read_sums(&at, &s))
		return import_refuse(h->in, "its first line has no figures");
	slash = strchr(at, '/');
	if (slash == NULL)
		return true;
	slash++;
	if (!import_number(&slash, 10, &period))
		return import_refuse(h->in, "its first line has no period");
	h->period = (double)period;
	return true;
}

/* --- modules -------------------------------------------------------------- */

/* A program that is not relocated has its addresses from its file. */
static bool
is_fixed(const char *path)
{
	Elf64_Ehdr head;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool fixed = fd >= 0 &&
	    read(fd, &head, sizeof(head)) == (ssize_t)sizeof(head) &&
	    memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
	    head.e_type == ET_EXEC;

	if (fd >= 0)
		close(fd);
	return fixed;
}

static void
put_module(struct heap *h)
{
	if (h->path == NULL)
		return;
	if (is_fixed(h->path))
		h->module.base = 0;
	h->module.path = forge_text(h->in->forge, h->path);
	forge_module(h->in->forge, &h->module);
	free(h->path);
	h->path = NULL;
}

/* START-END PERMISSIONS OFFSET DEVICE INODE PATH */
static void
read_range(struct heap *h)
{
	const char *at = h->in->text, *path = strchr(at, '/');
	uint64_t start, end, offset;

	if (path == NULL || !import_number(&at, 16, &start) ||
	    *at++ != '-' || !import_number(&at, 16, &end) || start >= end)
		return;
	at += strspn(at, " ");
	at += strcspn(at, " ");
	if (!import_number(&at, 16, &offset))
		return;
	if (h->path != NULL && strcmp(h->path, path) == 0) {
		h->module.end = end;
		return;
	}
	put_module(h);
	h->path = need_text("%s", path);
	h->module = (struct module){
		.start = start, .end = end, .base = start - offset,
	};
}

/* --- the whole ------------------------------------------------------------ */

static void
finish(struct heap *h)
{
	struct segment *s = forge_segment(h->in->forge);
	uint32_t unknown = UNKNOWN_PEAK | UNKNOWN_AT_PEAK | UNKNOWN_STARTED |
	    UNKNOWN_TEMPORARY | UNKNOWN_REQUESTED | UNKNOWN_TIME;

	if (!h->allocations)
		unknown |= UNKNOWN_ALLOCATIONS;
	if (h->period > 1) {
		s->config.stacks = STACKS_SAMPLED;
		s->config.sample_bytes = whole_u64(h->period);
	}
	import_command(h->in, "?");
	import_origin(h->in, h->threads ? "jemalloc, heap profile" :
	    "gperftools, heap profile", unknown);
	import_end(h->in, 0, 0, 0);
}

bool
import_heap(struct import *in)
{
	struct heap *h = need(calloc(1, sizeof(*h)));
	bool good = true, maps = false;

	h->in = in;
	while (good && import_line(in)) {
		if (in->line == 1)
			good = read_head(h);
		else if (strncmp(in->text, "MAPPED_LIBRARIES:", 17) == 0)
			maps = true;
		else if (maps)
			read_range(h);
		else
			good = read_site(h);
	}
	put_module(h);
	good = good && in->why[0] == '\0';
	if (good)
		finish(h);
	free(h);
	return good;
}
