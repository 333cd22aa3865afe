/*
 * disabled.c - a program that was compiled without heaptide
 *
 * Part of heaptide.h only, in place of all of plan, with HEAPTIDE_DISABLE: no
 * limit and no state, batches of DISABLED_BATCH items, all of it constants.
 */
#include <errno.h>
#include <string.h>

#include "plan/client.h"

#define DISABLED_BATCH 64

static inline int
disabled_init(const char *conf)
{
	(void)conf;
	return 0;
}

static inline int
disabled_status(tide_info *out)
{
	if (out == NULL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->budget = out->available = out->live = out->blocks = TIDE_NONE;
	return 0;
}

static inline int
disabled_json(char *buf, size_t cap)
{
	if (buf == NULL && cap != 0)
		return -EINVAL;
	if (cap > 2)
		memcpy(buf, "{}", 3);
	else if (cap > 0)
		buf[0] = '\0';
	return 2;
}

static inline int
disabled_budget_set(uint64_t bytes)
{
	(void)bytes;
	return 0;
}

static inline int
disabled_safe(uint64_t need, uint64_t max_used, tide_info *out)
{
	(void)need;
	(void)max_used;
	if (out != NULL)
		(void)disabled_status(out);
	return 1;
}

static inline int
disabled_poll(unsigned flags)
{
	(void)flags;
	return TIDE_OK;
}

static inline tide_op *
disabled_op_open(const char *name, const tide_op_conf *conf)
{
	(void)conf;
	return (tide_op *)(uintptr_t)(name != NULL ? name : "");
}

static inline uint32_t
disabled_batch_size(tide_op *op, uint64_t remaining)
{
	return op == NULL ? 0 : remaining < DISABLED_BATCH ?
	    (uint32_t)remaining : DISABLED_BATCH;
}

static inline int
disabled_batch_begin(tide_op *op, tide_batch *b, uint64_t first,
    uint64_t remaining, int64_t wait_ns)
{
	(void)wait_ns;
	if (op == NULL || b == NULL)
		return -EINVAL;
	b->first = first;
	b->n = disabled_batch_size(op, remaining);
	b->line_ = b->n;
	return (int)b->n;
}

static inline int
disabled_batch_more(tide_batch *b)
{
	return b != NULL && b->line_ != 0;
}

static inline int
disabled_item(tide_batch *b, uint64_t weight)
{
	(void)weight;
	return disabled_batch_more(b);
}

static inline void
disabled_item_done(tide_batch *b)
{
	(void)b;
}

static inline void
disabled_item_fail(tide_batch *b, uint64_t index, const char *why)
{
	(void)b;
	(void)index;
	(void)why;
}

static inline int
disabled_batch_end(tide_batch *b, uint64_t done)
{
	(void)done;
	if (b != NULL)
		b->line_ = 0;
	return TIDE_OK;
}

static inline void
disabled_batch_abort(tide_batch *b, int why)
{
	(void)disabled_batch_end(b, (uint64_t)why);
}

static inline int
disabled_op_stats(tide_op *op, struct tide_op_stats *out)
{
	if (op == NULL || out == NULL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	return 0;
}

static inline int
disabled_guard_begin(const char *op, uint64_t need)
{
	(void)op;
	(void)need;
	return 1;
}

static inline void
disabled_guard_end(int guard)
{
	(void)guard;
}

static inline int
disabled_component(const char *name, uint64_t max, unsigned weight)
{
	(void)max;
	(void)weight;
	return name == NULL || *name == '\0' ? -EINVAL : 1;
}

static inline void
disabled_component_enter(int id)
{
	(void)id;
}

static inline void
disabled_component_leave(int id)
{
	(void)id;
}

static inline uint64_t
disabled_component_used(int id)
{
	(void)id;
	return TIDE_NONE;
}

static inline uint64_t
disabled_component_budget(int id)
{
	(void)id;
	return TIDE_NONE;
}

static inline int
disabled_reserve(uint64_t least, uint64_t most, int64_t wait_ns, uint64_t *got)
{
	(void)wait_ns;
	if (got == NULL || most == 0 || least > most)
		return -EINVAL;
	*got = most;
	return 0;
}

static inline void
disabled_unreserve(uint64_t bytes)
{
	(void)bytes;
}

static inline int
disabled_on_pressure(tide_clean_fn fn, void *ctx, int cls, int prio,
    unsigned flags, const char *name)
{
	(void)ctx;
	(void)cls;
	(void)prio;
	(void)flags;
	(void)name;
	return fn == NULL ? -EINVAL : 1;
}

static inline int
disabled_off_pressure(int id)
{
	(void)id;
	return 0;
}

static inline int
disabled_reclaim(unsigned flags, uint64_t want, tide_reclaim_result *out)
{
	(void)flags;
	(void)want;
	if (out != NULL)
		memset(out, 0, sizeof(*out));
	return 0;
}

static inline int
disabled_pressure_fd(void)
{
	return -ENODEV;
}

static inline double
disabled_knob(const char *name, double best, double cheapest)
{
	(void)name;
	(void)cheapest;
	return best;
}

static inline void
disabled_release(void *p, size_t bytes)
{
	(void)p;
	(void)bytes;
}

static inline int
disabled_mark(const char *name)
{
	(void)name;
	return -ENODEV;
}

static inline int
disabled_leak_scan(uint64_t *blocks, uint64_t *bytes)
{
	(void)blocks;
	(void)bytes;
	return -ENODEV;
}

static inline struct tide_pool *
disabled_pool_create(const char *name)
{
	(void)name;
	return NULL;
}

static inline const char *
disabled_version_text(void)
{
	return NULL;
}

static inline int
disabled_run_begin(const char *name, uint64_t total, const char *unit,
    char *id)
{
	(void)total;
	(void)unit;
	if (name == NULL || *name == '\0')
		return -EINVAL;
	if (id != NULL)
		id[0] = '\0';
	return 0;
}

static inline int
disabled_input(const char *path)
{
	return path == NULL || *path == '\0' ? -EINVAL : 0;
}

static inline int
disabled_resume(uint64_t *cursor, void *blob, size_t *len)
{
	(void)blob;
	if (cursor != NULL)
		*cursor = 0;
	if (len != NULL)
		*len = 0;
	return 0;
}

static inline int
disabled_checkpoint(uint64_t cursor, const void *blob, size_t len)
{
	(void)cursor;
	return blob == NULL && len > 0 ? -EINVAL : 0;
}

static inline int
disabled_on_checkpoint(tide_checkpoint_fn fn, void *ctx)
{
	(void)fn;
	(void)ctx;
	return 0;
}

static inline int
disabled_run_finish(int ok)
{
	(void)ok;
	return 0;
}

static inline void
disabled_recycle(void)
{
}

static inline int
disabled_progress(tide_op *op, struct tide_progress *out)
{
	(void)op;
	if (out == NULL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->total = out->batches_total = out->left_ns = TIDE_NONE;
	out->share = -1;
	return 0;
}

static inline int
disabled_trend(struct tide_trend *out)
{
	if (out == NULL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->p = 1;
	out->left_ns = TIDE_NONE;
	return -ENODATA;
}

static inline int
disabled_run_report(struct tide_run_report *out)
{
	if (out == NULL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->budget = TIDE_NONE;
	(void)disabled_trend(&out->trend);
	return 0;
}

static inline int
disabled_analyze(tide_advice_fn fn, void *ctx)
{
	(void)ctx;
	return fn == NULL ? -EINVAL : -ENODEV;
}

static inline void
disabled_log(int level, const char *line)
{
	(void)level;
	(void)line;
}

#define DISABLED_PAGE  20
#define DISABLED_PAGES 3

/* Pages under way; of one walk at a time, as nothing is kept of operations. */
static inline uint32_t *
disabled_pages(void)
{
	static uint32_t pages = 0;

	return &pages;
}

static inline int
disabled_page(tide_op *op, uint64_t *offset, uint32_t *limit)
{
	uint32_t *pages = disabled_pages();

	if (op == NULL || offset == NULL || limit == NULL)
		return 0;
	if (*pages > 0) {
		*offset += *limit < DISABLED_PAGE ? *limit : DISABLED_PAGE;
		if (*limit < DISABLED_PAGE || *pages == DISABLED_PAGES) {
			*pages = 0;
			*limit = 0;
			return 0;
		}
	}
	++*pages;
	*limit = DISABLED_PAGE;
	return 1;
}

static inline void
disabled_page_end(tide_op *op)
{
	(void)op;
	*disabled_pages() = 0;
}

/* All zero but what it has to say. */
static inline const struct tide_room *
disabled_room(void)
{
	static const struct tide_room room = {
		TIDE_ROOM_MAGIC, TIDE_ROOM_VERSION, sizeof(struct tide_room),
		0, TIDE_STANDALONE, 0, { 0, 0, 0 },
		0, 0, TIDE_NONE, TIDE_NONE, TIDE_OK, 0, 0, 0, TIDE_NONE
	};

	return &room;
}

#define TIDE_CALL_(name) tide__disabled_##name
#define TIDE_ROOM_NOW_   disabled_room()
#define TIDE_FRESH_()    disabled_room()
