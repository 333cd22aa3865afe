#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/sys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define PAGE_BYTES UINT64_C(4096)

static const uint32_t row_bytes[TABLE_KNOWN] = {
	[TABLE_TALLIES] = sizeof(struct tally),
	[TABLE_SITES] = sizeof(struct site),
	[TABLE_FIRST] = sizeof(struct count),
	[TABLE_COUNTS] = sizeof(struct count),
	[TABLE_ESTIMATES] = sizeof(struct estimate),
	[TABLE_NODES] = sizeof(struct node),
	[TABLE_MODULES] = sizeof(struct module),
	[TABLE_MAPPINGS] = sizeof(struct mapping),
	[TABLE_TEXT] = 1,
	[TABLE_SECONDS] = sizeof(struct point),
	[TABLE_MINUTES] = sizeof(struct point),
	[TABLE_MARKS] = sizeof(struct mark),
	[TABLE_MOMENTS] = sizeof(struct moment),
	[TABLE_TRENDS] = sizeof(struct trend),
	[TABLE_AGES] = sizeof(struct ages),
	[TABLE_FIRST_PASSED] = sizeof(struct passed),
	[TABLE_COUNTS_PASSED] = sizeof(struct passed),
	[TABLE_TIMED] = sizeof(struct timed),
	[TABLE_LIVES] = sizeof(struct life),
	[TABLE_REACH] = sizeof(struct reach),
	[TABLE_FINDINGS] = sizeof(struct finding),
	[TABLE_POOLS] = sizeof(struct pool),
	[TABLE_BUDGET] = sizeof(struct tide_room),
	[TABLE_PASTS] = sizeof(struct past),
};

const char *const control_stacks_words[] = {
	[STACKS_NONE] = "none",
	[STACKS_SAMPLED] = "sampled",
	[STACKS_ALL] = "all",
	NULL
};

const char *
control_stacks(uint32_t stacks)
{
	return stacks <= STACKS_ALL ? control_stacks_words[stacks] : "unknown";
}

const char *
control_scan_why(uint32_t why)
{
	static const char *const words[SCAN_WHYS] = {
		[SCAN_WHY_CONFINED] = "the program has forbidden itself "
		    "system calls, and a child takes one",
		[SCAN_WHY_CLONE] = "the kernel has refused a child process",
		[SCAN_WHY_ALLOCATOR] = "its malloc is not glibc's, whose heaps "
		    "alone are known",
		[SCAN_WHY_SHAPE] = "its glibc has heaps of a shape that is not "
		    "known",
		[SCAN_WHY_MEMORY] = "there is not as much memory as it takes",
		[SCAN_WHY_TIME] = "it took longer than two minutes",
		[SCAN_WHY_DIED] = "the child that made it was killed",
		[SCAN_WHY_TABLE] = "there is no room for what it found",
	};

	return why < SCAN_WHYS && words[why] != NULL ? words[why] :
	    "for a reason that is not known";
}

/* A segment may be anybody's file: nothing of it is believed. */
static bool
is_good(const struct segment_table *t, uint32_t row, uint64_t bytes)
{
	return t->entry_bytes == row && t->capacity != 0 &&
	    t->offset % PAGE_BYTES == 0 && t->offset <= bytes &&
	    t->capacity <= (bytes - t->offset) / row;
}

static bool
may_control(const struct segment *s, uint64_t bytes)
{
	int i;

	if (memcmp(s->head.magic, SEGMENT_MAGIC, sizeof(s->head.magic)) != 0 ||
	    s->head.layout != SEGMENT_LAYOUT ||
	    s->head.byte_order != SEGMENT_BYTE_ORDER ||
	    s->head.compact != 0 || atomic_load(&s->head.ready) != 1)
		return false;
	for (i = 0; i < TABLE_KNOWN; i++)
		if (!is_good(&s->table[i], row_bytes[i], bytes))
			return false;
	return s->table[TABLE_NAMES].entry_bytes == 0 ||
	    is_good(&s->table[TABLE_NAMES], sizeof(struct named), bytes);
}

/*
 * A page of a full file system must be had before it is stored into, or the
 * store is our end.
 */
static int
back_beside(struct control *c, enum segment_table_id table, uint64_t from,
    uint64_t rows)
{
	struct segment_table *t = &c->segment->table[table];
	uint64_t start, end;
	int r;

	if (from >= rows || rows > t->capacity)
		return -ENOSPC;
	start = round_down(t->offset + from * t->entry_bytes, PAGE_BYTES);
	end = round_up(t->offset + rows * t->entry_bytes, PAGE_BYTES);
	r = sys_madvise((char *)c->segment + start, end - start,
	    MADV_POPULATE_WRITE);
	if (r == -EINVAL)
		r = sys_fallocate(c->fd, start, end - start);
	return r == -EFAULT ? -ENOSPC : r;
}

int
control_open(struct control *c, const char *path, int pid)
{
	struct stat st;
	void *map;
	int r;

	*c = (struct control){ .pid = pid, .back = back_beside };
	c->fd = sys_open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	if (c->fd < 0)
		return c->fd;
	r = sys_fstat(c->fd, &st);
	if (r == 0 && (!S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)SEGMENT_HEADER_BYTES))
		r = -EINVAL;
	if (r < 0)
		goto out;
	c->bytes = (uint64_t)st.st_size;
	map = sys_mmap(NULL, c->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
	    c->fd, 0);
	r = sys_error_of(map);
	if (r < 0)
		goto out;
	(void)sys_madvise(map, c->bytes, MADV_RANDOM); /* mostly holes */
	c->segment = map;
	if (may_control(c->segment, c->bytes))
		return 0;
	r = -EINVAL;
	sys_munmap(map, c->bytes);
out:
	sys_close(c->fd);
	c->segment = NULL;
	return r;
}

void
control_close(struct control *c)
{
	if (c->segment == NULL)
		return;
	sys_munmap(c->segment, c->bytes);
	sys_close(c->fd);
	c->segment = NULL;
}

int
control_parse_least(const char *value, struct control_least *least)
{
	uint64_t an_hour = 0, millionths = 0;
	int r = strchr(value, '%') != NULL ?
	    text_parse_share(value, &millionths) :
	    text_parse_times(value, MIB, &an_hour);

	if (r < 0)
		return -EINVAL;
	least->per_second = (double)an_hour / 3600;
	least->share = (double)millionths / 1e6;
	return 0;
}

const struct tide_room *
control_room(const struct control *c)
{
	const struct tide_room *room = control_rows(c, TABLE_BUDGET);

	return control_count(c, TABLE_BUDGET) > 0 && room->version ==
	    TIDE_ROOM_VERSION && __atomic_load_n(&room->magic,
	    __ATOMIC_ACQUIRE) == TIDE_ROOM_MAGIC ? room : NULL;
}

int64_t
control_take(struct control *c, enum segment_table_id table)
{
	struct segment_table *t = &c->segment->table[table];
	uint64_t row = atomic_load(&t->used);

	/* Backed first, taken then. */
	do {
		if (c->back(c, table, row, row + 1) < 0)
			return -ENOSPC;
	} while (!atomic_compare_exchange_weak(&t->used, &row, row + 1));
	return (int64_t)row;
}

int
control_reach(struct control *c, enum segment_table_id table, uint64_t rows)
{
	struct segment_table *t = &c->segment->table[table];
	uint64_t now = atomic_load(&t->used);
	int r = now >= rows ? 0 : c->back(c, table, now, rows);

	while (r == 0 && now < rows &&
	    !atomic_compare_exchange_weak(&t->used, &now, rows))
		;
	return r;
}

static uint64_t
positive(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

void
control_sum(const struct control *c, struct control_sums *sums)
{
	const struct segment_live *live = &c->segment->live;
	const struct tally *t = control_rows(c, TABLE_TALLIES);
	uint64_t n = control_count(c, TABLE_TALLIES);
	int64_t bytes = 0;
	int64_t blocks = 0;

	memset(sums, 0, sizeof(*sums));
	for (; n > 0; n--, t++) {
		sums->allocated += t->allocated;
		sums->freed += t->freed;
		sums->allocations += t->allocations;
		sums->frees += t->frees;
		sums->temporary += t->temporary;
	}
	if (c->segment->identity.inherits == 1) {
		bytes = live->inherited_bytes -
		    (int64_t)live->inherited_freed_bytes;
		blocks = (int64_t)(live->inherited_blocks -
		    live->inherited_frees);
	}
	bytes += (int64_t)(sums->allocated - sums->freed);
	blocks += (int64_t)(sums->allocations - sums->frees);
	sums->live_bytes = positive(bytes);
	sums->live_blocks = positive(blocks);
	sums->peak_bytes = max_u64(positive(live->peak_bytes),
	    sums->live_bytes);
}

static struct control_part
part_of_count(const struct count *c)
{
	return (struct control_part){
		.bytes = (int64_t)(c->allocated_bytes - c->freed_bytes),
		.blocks = (int64_t)(c->allocations - c->frees),
		.allocations = c->allocations,
		.allocated = c->allocated_bytes,
	};
}

/* Each figure is rounded by itself: one alone only grows. */
static struct control_part
part_of_estimate(const struct estimate *e)
{
	return (struct control_part){
		.bytes = (int64_t)(e->allocated_bytes / ESTIMATE_BYTES -
		    e->freed_bytes / ESTIMATE_BYTES),
		.blocks = (int64_t)(e->allocations / ESTIMATE_BLOCKS -
		    e->frees / ESTIMATE_BLOCKS),
		.allocations = e->allocations / ESTIMATE_BLOCKS,
		.allocated = e->allocated_bytes / ESTIMATE_BYTES,
	};
}

void
control_each_part(const struct control *c, uint64_t sites,
    void (*each)(void *context, uint32_t site, const struct control_part *p),
    void *context)
{
	const struct count *first = control_rows(c, TABLE_FIRST);
	const struct count *count = control_rows(c, TABLE_COUNTS);
	const struct estimate *estimate = control_rows(c, TABLE_ESTIMATES);
	struct control_part part;
	uint64_t i, n;

	n = min_u64(sites, control_count(c, TABLE_FIRST));
	for (i = 0; i < n; i++) {
		part = part_of_count(&first[i]);
		each(context, (uint32_t)i, &part);
	}
	n = control_count(c, TABLE_COUNTS);
	for (i = 0; i < n; i++) {
		if (stamp_site(count[i].stamp) >= sites)
			continue;
		part = part_of_count(&count[i]);
		each(context, stamp_site(count[i].stamp), &part);
	}
	n = min_u64(sites, control_count(c, TABLE_ESTIMATES));
	for (i = 0; i < n; i++) {
		part = part_of_estimate(&estimate[i]);
		each(context, (uint32_t)i, &part);
	}
}

void
control_nudge(struct control *c)
{
	struct tally *t = control_rows(c, TABLE_TALLIES);
	uint64_t n = control_count(c, TABLE_TALLIES);

	for (; n > 0; n--, t++)
		if (atomic_load(&t->state) == TALLY_OWNED)
			atomic_store_explicit(&t->until_look, 0,
			    memory_order_relaxed);
}
