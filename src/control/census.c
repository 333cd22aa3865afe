/*
 * census.c - every resident byte to one class
 *
 * What a range is, its line in smaps does not always tell: the kernel merges
 * anonymous mappings that lie side by side, so one range may belong to several
 * owners.  So first everything that is known about addresses is collected as
 * claims, sorted; then each range is cut where the claims say so, and only of
 * ranges that were cut the pages are counted one by one, in pagemap.
 */
#include "control/census.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/text.h"
#include "control/census-state.h"
#include "control/control.h"
#include "sys/sys.h"

/* glibc: an arena lies at a multiple of this (HEAP_MAX_SIZE), closed pages
 * follow up to the next; and what it adds to each block (SIZE_SZ). */
#define ARENA_BYTES     (64 * MIB)
#define LIBC_OVERHEAD   8

/* A thread's stack, as glibc makes it when RLIMIT_STACK is the usual one. */
#define STACK_BYTES     (8 * MIB)
/* What may lie above the address that we know: frames, and the thread's own
 * data at the top. */
#define STACK_ABOVE     (64 * KIB)

/* Zero pages behind the file pages of a module that nobody told us about. */
#define BSS_MOST        MIB

/* Beyond so much a range is not counted by page but cut by length. */
#define PAGEMAP_MOST    (64 * GIB)

/* What a range may be by itself, below all claims. */
#define HINTS 3

/* --- the segment's tables ------------------------------------------------- */

static const uint32_t row_bytes[TABLE_ROOM] = {
	[TABLE_TALLIES] = sizeof(struct tally),
	[TABLE_MODULES] = sizeof(struct module),
	[TABLE_MAPPINGS] = sizeof(struct mapping),
	[TABLE_TEXT] = 1,
};

static bool
table_fits(const struct segment *s, enum segment_table_id id, uint64_t bytes)
{
	const struct segment_table *t = &s->table[id];

	return t->entry_bytes == row_bytes[id] && t->offset <= bytes &&
	    t->capacity <= (bytes - t->offset) / row_bytes[id];
}

bool
census_may(const struct segment *segment, uint64_t bytes)
{
	int id;

	for (id = 0; id < TABLE_ROOM; id++)
		if (row_bytes[id] != 0 && !table_fits(segment, id, bytes))
			return false;
	return true;
}

static uint64_t
positive(uint64_t n)
{
	return (int64_t)n > 0 ? n : 0;
}

static void
take_counts(const struct census *c, struct reconcile_counts *counts)
{
	const struct segment *s = c->segment;
	const struct segment_live *live = &s->live;
	const struct tally *t = census_rows(s, TABLE_TALLIES);
	const struct tally *end = t + census_count(s, TABLE_TALLIES);
	uint64_t bytes = 0, requested = 0, blocks = 0;

	/* A row alone may be negative: it wraps, and the sum is right. */
	for (; t < end; t++) {
		bytes += t->allocated - t->freed;
		requested += t->requested - t->requested_freed;
		blocks += t->allocations - t->frees;
	}
	if (s->identity.inherits) {
		bytes += (uint64_t)live->inherited_bytes -
		    live->inherited_freed_bytes;
		requested += (uint64_t)live->inherited_requested_bytes -
		    live->inherited_freed_requested_bytes;
		blocks += live->inherited_blocks - live->inherited_frees;
	}
	*counts = (struct reconcile_counts){
		.live_bytes = positive(bytes),
		.live_requested = positive(requested),
		.live_blocks = positive(blocks),
		.requested_known = control_knows_requested(s),
		.block_overhead = c->libc_allocates ? LIBC_OVERHEAD : 0,
	};
}

/* Does the file name of the module that allocates begin like libc's? */
static bool
is_libc(const struct segment *s)
{
	static const char *const names[] = { "libc.so", "libc-" };
	struct segment_text path = s->identity.allocator;
	const char *start, *p;
	size_t i, length;

	if ((uint64_t)path.offset + path.bytes > census_count(s, TABLE_TEXT))
		return false;
	start = (const char *)census_rows(s, TABLE_TEXT) + path.offset;
	for (p = start + path.bytes; p > start && p[-1] != '/'; p--)
		;
	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		length = strlen(names[i]);
		if ((size_t)(start + path.bytes - p) >= length &&
		    memcmp(p, names[i], length) == 0)
			return true;
	}
	return false;
}

/* --- what a range may be by itself ---------------------------------------- */

/* The highest stack address in a range; 0: none that counts. */
static uint64_t
highest_footing(struct census *c, const struct range *r)
{
	const struct claim *f;
	uint64_t highest = 0;

	for (; c->next_footing < c->footings; c->next_footing++) {
		f = &c->footing[c->next_footing];
		if (f->start >= r->end)
			break;
		/* A stack that its thread has left is kept by libc, guard and
		 * all; without a guard it is something else by now. */
		if (f->start >= r->start &&
		    (f->class == RANGE_STACK || r->behind_guard))
			highest = f->start;
	}
	return highest;
}

/*
 * The arena that ends @r: from a multiple of ARENA_BYTES in it up to its end,
 * with closed pages behind that reach the next multiple.  What lies below in
 * the same range was merged with it.
 */
static uint64_t
arena_start(const struct range *r, const struct range *behind)
{
	uint64_t start = round_down(r->end, ARENA_BYTES);

	if (start == r->end) /* full to the last page: only if it is alone */
		return round_down(r->start, ARENA_BYTES) == r->start ?
		    r->start : r->end;
	if (start < r->start || behind == NULL || behind->is_accessible ||
	    behind->start != r->end || behind->end < start + ARENA_BYTES)
		return r->end;
	return start;
}

/* The end of the module whose data pages end where @r starts; 0: unknown. */
static uint64_t
module_end(const struct census *c, const struct range *r)
{
	const struct module *m = census_rows(c->segment, TABLE_MODULES);
	const struct module *end = m + census_count(c->segment, TABLE_MODULES);

	for (; m < end; m++)
		if (!m->unloaded && m->start < r->start && r->start < m->end)
			return round_up(m->end, c->page_bytes);
	return 0;
}

/* Where the zero pages of a module end, if @r begins with such. */
static uint64_t
zero_pages_end(const struct census *c, const struct range *r)
{
	uint64_t end;

	if (!r->behind_module)
		return r->start;
	end = module_end(c, r);
	if (end != 0 || r->class != RANGE_UNKNOWN)
		return end;
	return r->behind_program ? r->end : r->start + BSS_MOST;
}

static void
find_hints(struct census *c, const struct range *r,
    const struct range *behind, struct claim hint[HINTS])
{
	uint64_t footing = highest_footing(c, r);
	uint64_t start = r->start, end = zero_pages_end(c, r);

	hint[0] = (struct claim){ start, min_u64(end, r->end), RANGE_FILE };

	end = footing == 0 ? start :
	    max_u64(start + STACK_BYTES, footing + STACK_ABOVE);
	hint[1] = (struct claim){ start, min_u64(end, r->end), RANGE_STACK };

	start = c->libc_allocates ? arena_start(r, behind) : r->end;
	hint[2] = (struct claim){ start, r->end, RANGE_ALLOCATOR };
}

/* --- cutting and counting ------------------------------------------------- */

/* Is @at in @claim?  @until: lowered to where the answer may change. */
static bool
holds(const struct claim *claim, uint64_t at, uint64_t *until)
{
	if (at < claim->start) {
		if (claim->start < claim->end)
			*until = min_u64(*until, claim->start);
		return false;
	}
	if (at >= claim->end)
		return false;
	*until = min_u64(*until, claim->end);
	return true;
}

/* The class of the memory at @at, and the address up to which it is so. */
static enum range_class
class_at(struct census *c, const struct range *r,
    const struct claim hint[HINTS], uint64_t at, uint64_t *until)
{
	int i;

	*until = r->end;
	while (c->next_claim < c->claims &&
	    c->claim[c->next_claim].end <= at)
		c->next_claim++;
	if (c->next_claim < c->claims &&
	    holds(&c->claim[c->next_claim], at, until))
		return c->claim[c->next_claim].class;
	for (i = 0; i < HINTS; i++)
		if (holds(&hint[i], at, until))
			return hint[i].class;
	return r->class;
}

/* Bytes present between two addresses, by page; negative: not to be known. */
static int64_t
count_present(const struct census *c, uint64_t start, uint64_t end)
{
	uint64_t entry[256];
	uint64_t page = start / c->page_bytes, last = end / c->page_bytes;
	uint64_t present = 0;
	ssize_t got;
	size_t i;

	if (c->pagemap < 0 || end - start > PAGEMAP_MOST)
		return -EOPNOTSUPP;
	while (page < last) {
		got = sys_pread(c->pagemap, entry,
		    min_u64(last - page, ARRAY_LENGTH(entry)) *
		    sizeof(entry[0]), page * sizeof(entry[0]));
		if (got < (ssize_t)sizeof(entry[0]))
			return got < 0 ? got : -EIO;
		for (i = 0; i < (size_t)got / sizeof(entry[0]); i++)
			present += entry[i] >> 63; /* in memory */
		page += i;
	}
	return (int64_t)(present * c->page_bytes);
}

/* What of the range's resident memory lies between two addresses. */
static uint64_t
resident_between(const struct census *c, const struct range *r,
    uint64_t start, uint64_t end)
{
	int64_t present = count_present(c, start, end);

	if (present >= 0)
		return (uint64_t)present;
	return (uint64_t)((__uint128_t)r->resident * (end - start) /
	    (r->end - r->start));
}

static void
settle(struct census *c, const struct range *r, const struct range *behind)
{
	struct claim hint[HINTS];
	enum range_class class = r->class;
	uint64_t at, until, bytes, left = r->resident;

	if (r->is_open && left > 0)
		find_hints(c, r, behind, hint);
	for (at = r->start; r->is_open && left > 0 && at < r->end;
	    at = until) {
		class = class_at(c, r, hint, at, &until);
		if (until == r->end) /* what is left, without counting */
			break;
		bytes = min_u64(left, resident_between(c, r, at, until));
		c->resident[class] += bytes;
		left -= bytes;
	}
	c->resident[class] += left;
}

static void
each_vma(void *context, const struct proc_vma *vma)
{
	struct census *c = context;
	struct range r = census_classify(c, vma);

	if (c->holds)
		settle(c, &c->held, &r);
	c->held = r;
	c->holds = true;
}

/* --- the whole ------------------------------------------------------------ */

static void
prepare(struct census *c, const struct segment *segment, int pid)
{
	char path[64];
	struct text t;

	*c = (struct census){ .segment = segment, .page_bytes = 4096 };
	/* A power of two, or a lie. */
	if (segment->head.page_bytes > 4096 &&
	    (segment->head.page_bytes & (segment->head.page_bytes - 1)) == 0)
		c->page_bytes = segment->head.page_bytes;
	c->libc_allocates = is_libc(segment);
	text_open(&t, c->own_file, sizeof(c->own_file));
	text_put(&t, "/");
	text_put_i64(&t, segment->identity.pid);
	text_put(&t, ".");
	c->pagemap = proc_path(path, sizeof(path), "", pid, "pagemap");
	if (c->pagemap == 0)
		c->pagemap = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
}

static void
finish(struct census *c)
{
	if (c->pagemap >= 0)
		sys_close(c->pagemap);
	census_drop(c);
}

static int
count_ranges(struct census *c, int pid)
{
	int r;

	r = census_collect(c, pid == 0 || pid == sys_pid());
	if (r < 0)
		return r;
	r = proc_vmas_read(pid, each_vma, c);
	if (r < 0)
		return r;
	if (!c->holds) /* it has ended, and nobody waited for it yet */
		return -ESRCH;
	settle(c, &c->held, NULL);
	return 0;
}

int
census_look(const struct segment *segment, int pid, struct segment_rss *rss)
{
	struct reconcile_counts counts;
	struct proc_status status;
	struct census c;
	uint64_t started = sys_clock();
	int i, r;

	if (!census_may(segment, segment->head.bytes))
		return -EINVAL;
	prepare(&c, segment, pid);
	r = count_ranges(&c, pid);
	if (r < 0)
		goto out;
	take_counts(&c, &counts);
	r = proc_status_read(pid, &status);
	if (r < 0)
		goto out;
	memset(rss, 0, sizeof(*rss));
	reconcile(c.resident, &counts, rss->terms);
	for (i = 0; i < RANGE_CLASSES; i++)
		rss->resident += c.resident[i];
	rss->peak = max_u64(status.peak, rss->resident);
	rss->requested_known = counts.requested_known;
	rss->at_ns = started;
	rss->cost_ns = sys_clock() - started;
out:
	finish(&c);
	return r;
}

/* From here to rss_close() the row is ours, and readers look away. */
static bool
rss_open(struct segment_rss *rss)
{
	uint32_t version = atomic_load_explicit(&rss->version,
	    memory_order_relaxed);

	return (version & 1) == 0 &&
	    atomic_compare_exchange_strong_explicit(&rss->version, &version,
		version + 1, memory_order_seq_cst, memory_order_relaxed);
}

static void
rss_close(struct segment_rss *rss)
{
	/* Pairs with the acquiring load of a reader's second look. */
	atomic_fetch_add_explicit(&rss->version, 1, memory_order_release);
}

static void
rss_copy(struct segment_rss *to, const struct segment_rss *from)
{
	const size_t first = offsetof(struct segment_rss, requested_known);

	memcpy((char *)to + first, (const char *)from + first,
	    sizeof(*to) - first);
}

/*
 * The rows are taken only once there is something to store: who is killed
 * while it counts leaves none of them locked behind.
 */
int
census_take(struct segment *segment, int pid)
{
	struct segment_rss *last = &segment->rss[RSS_LAST];
	struct segment_rss *peak = &segment->rss[RSS_PEAK];
	struct segment_rss now;
	int r = census_look(segment, pid, &now);

	if (r < 0)
		return r;
	if (!rss_open(last))
		return -EBUSY;
	rss_copy(last, &now);
	if (now.resident > peak->resident && rss_open(peak)) {
		rss_copy(peak, &now);
		rss_close(peak);
	}
	rss_close(last);
	return 0;
}
