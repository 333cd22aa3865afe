#include "door/python.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/real.h"
#include "heap/ledger.h"
#include "mem/segment.h"
#include "stack/intern.h"
#include "stack/pychain.h"
#include "stack/pyframe.h"
#include "stack/pyname.h"
#include "stack/pywatch.h"
#include "sys/sys.h"

/* Entries, powers of two. */
#define SITES 16384
#define BASES 4096

struct pyname_cache *python_sites;

static struct {
	struct pyname_cache *bases; /* by the same from a call on: frames, node */
	bool found;
} python;

/* --- is it here ----------------------------------------------------------- */

/* Where a function lies, by the size that its symbol says. */
static bool
find_extent(void *function, uint64_t *start, uint64_t *end)
{
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	if (dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
	    symbol == NULL || symbol->st_size == 0)
		return false;
	*start = (uintptr_t)info.dli_saddr;
	*end = *start + symbol->st_size;
	return true;
}

/* Where the module lies that something is in. */
static void
find_module(uint64_t address, uint64_t *start, uint64_t *end)
{
	struct dl_find_object found;

	if (_dl_find_object((void *)(uintptr_t)address, &found) != 0)
		return;
	*start = (uintptr_t)found.dlfo_map_start;
	*end = (uintptr_t)found.dlfo_map_end;
}

static bool
find_host(struct pyframe_host *host)
{
	const unsigned long *version = dlsym(RTLD_DEFAULT, "Py_Version");
	void *eval;

	if (version == NULL)
		return false; /* before 3.11 as well */
	host->version = *version;
	host->runtime = (uintptr_t)dlsym(RTLD_DEFAULT, "_PyRuntime");
	host->code_type = (uintptr_t)dlsym(RTLD_DEFAULT, "PyCode_Type");
	*(void **)&host->own = dlsym(RTLD_DEFAULT,
	    "PyGILState_GetThisThreadState");
	*(void **)&host->current = dlsym(RTLD_DEFAULT, *version >= 0x030d0000 ?
	    "PyThreadState_GetUnchecked" : "_PyThreadState_UncheckedGet");
	*(void **)&host->ends = dlsym(RTLD_DEFAULT, *version >= 0x030d0000 ?
	    "Py_IsFinalizing" : "_Py_IsFinalizing");
	eval = dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault");
	find_module(host->code_type, &host->start, &host->end);
	return host->runtime != 0 && host->code_type != 0 &&
	    host->own != NULL && host->current != NULL &&
	    host->ends != NULL && eval != NULL &&
	    find_extent(eval, &host->eval_start, &host->eval_end);
}

void
python_find(void)
{
	struct pyframe_host host = { .version = 0 };

	python.found = find_host(&host) && pyframe_open(&host);
	(void)dlsym(RTLD_DEFAULT, "malloc"); /* no dlerror() of ours stays */
}

bool
python_open(void)
{
	if (python.found && python_sites == NULL) {
		python_sites = pyname_cache_open(SITES);
		python.bases = pyname_cache_open(BASES);
		python.found = python_sites != NULL && python.bases != NULL &&
		    pyname_open();
	}
	return python.found;
}

void
python_in_child(void)
{
	if (python_sites != NULL)
		pyname_cache_clear(python_sites);
	if (python.bases != NULL)
		pyname_cache_clear(python.bases);
	pyname_reset();
}

/* --- a site --------------------------------------------------------------- */

/*
 * Is the code a block of its own, whose end pywatch_freed() will be told of?
 * Small ones come from Python's own pools, unless PYTHONMALLOC says otherwise.
 * By its record, and what was asked for, which has to be to the byte.
 */
static bool
is_block(const struct pycode *c)
{
	uint64_t bytes = pyframe_code_bytes(c);
	void *block = (void *)(uintptr_t)c->address;
	struct record record;
	size_t usable;

	if (!boot_now.records || boot_now.mixed || !real.chunks ||
	    (c->address % 4096 == 0 &&
	    !sys_is_readable((char *)block - sizeof(size_t))))
		return false;
	usable = real_size(real_head(block));
	return usable >= bytes && usable - bytes < 32 &&
	    ledger_look(block, usable, &record) &&
	    record.slack == usable - bytes;
}

void
python_settle(struct pychain *chain)
{
	uint32_t depth;

	chain->doubts = false;
	for (depth = chain->depth; depth > 0; depth--) {
		const struct pycode *c = &chain->seen[depth].f.code;
		bool fixed = c->address == 0 || pyframe_is_fixed(c);

		if (pychain_is_settled(chain, depth))
			continue;
		if (!fixed && is_block(c)) {
			pywatch_put(c->address);
			fixed = true;
		}
		pychain_trust(chain, depth, fixed);
	}
}

void
python_put(uint64_t key, uint32_t site)
{
	pyname_cache_put(python_sites, key, site);
}

/* --- a path --------------------------------------------------------------- */

/* A path as it is put together. */
struct mixed {
	const struct node *nodes;
	struct pyseen *seen;
	uint32_t depth; /* of the Python frame that is next; 0: none */
	uint64_t *to;
	size_t count, room;
	bool cut;
};

static void
put(struct mixed *m, uint64_t pc)
{
	if (m->count == m->room)
		m->cut = true;
	else
		m->to[m->count++] = pc;
}

/* The frames of one call, or @all.  False: there was none. */
static bool
put_frames(struct mixed *m, bool all)
{
	bool any = m->depth > 0;
	bool last = false;

	for (; m->depth > 0 && (all || !last) && !m->cut; m->depth--) {
		struct pyseen *s = &m->seen[m->depth];

		if (s->name == 0 && s->f.code.address != 0)
			s->name = pyname_of(&s->f);
		last = s->f.last;
		if (s->name != 0)
			put(m, s->name);
	}
	return any;
}

/* What there is on both sides, before it is put together. */
struct sides {
	uint32_t calls; /* frames of C that run Python */
	uint32_t end;   /* node of one from which on the path is known; 0 */
	bool cut;       /* the path of C ends where it was cut */
};

/* The call behind the one from @depth on; @frames: gets those of that. */
static uint32_t
next_call(const struct pyseen *seen, uint32_t depth, uint32_t *frames)
{
	bool last = false;

	for (*frames = 0; depth > 0 && !last; depth--) {
		*frames += seen[depth].f.code.address != 0;
		last = seen[depth].f.last;
	}
	return depth;
}

/* Of a path that ends after @room frames more, where it is cut. */
static uint64_t
cut_key(uint64_t key, uint32_t room)
{
	return mix_u64(key + room);
}

/*
 * Is the path from @node on, which runs the Python frames from @depth on and
 * has @before frames before it, known?  If not, that is remembered, to be made
 * good when it is.
 */
static bool
is_known(struct python_path *path, const struct pyseen *seen, uint32_t depth,
    uint32_t node, uint32_t before)
{
	uint64_t key = python_key(seen[depth].sum, node);
	uint64_t known = pyname_cache_find(python.bases, key);

	if (known == 0 || known >> 32 > path->room - before) {
		known = pyname_cache_find(python.bases,
		    cut_key(key, path->room - before));
		path->ends_cut = known != 0;
	}
	path->base = (uint32_t)known;
	path->outer = known >> 32;
	if (known == 0 && path->levels < PYTHON_LEVELS)
		path->level[path->levels++].key = key;
	return known != 0;
}

/* @asks: may end where the path is known. */
static void
compare_sides(const struct mixed *m, uint32_t node, bool asks,
    struct python_path *path, struct sides *sides)
{
	uint32_t depth = m->depth;
	uint32_t before = 0;
	uint32_t frames;

	*path = (struct python_path){ .room = (uint32_t)m->room };
	*sides = (struct sides){ .calls = 0 };
	for (; node != 0; node = m->nodes[node].parent) {
		uint64_t pc = m->nodes[node].pc;

		sides->cut = pc == NODE_CUT;
		if (!pyframe_runs(pc)) {
			before++;
			continue;
		}
		sides->calls++;
		if (depth == 0 || !asks || before >= m->room)
			continue;
		if (is_known(path, m->seen, depth, node, before)) {
			sides->end = node;
			return;
		}
		depth = next_call(m->seen, depth, &frames);
		before += frames;
	}
}

/* From @node up to what is known, or the root. */
static void
put_together(struct mixed *m, uint32_t node, const struct sides *sides,
    struct python_path *path)
{
	bool all = sides->calls == 0 || (sides->end == 0 && !sides->cut &&
	    sides->calls != m->seen[m->depth].ends);
	uint32_t level = 0;

	if (all)
		path->levels = 0;
	for (; node != sides->end && !m->cut; node = m->nodes[node].parent) {
		uint64_t pc = m->nodes[node].pc;

		if (pc == NODE_CUT) {
			if (sides->calls == 0)
				(void)put_frames(m, true);
			m->cut = true;
			continue;
		}
		if (pyframe_runs(pc) && level < path->levels)
			path->level[level++].count = (uint32_t)m->count;
		if (!pyframe_runs(pc) || !put_frames(m, all))
			put(m, pc);
	}
	path->levels = level;
}

/*
 * By number from the innermost on, as each call has frames of its own.  Where
 * there are other numbers of them (a part of that function lies elsewhere),
 * nobody knows which belong to which, and all stand at the first.
 *
 * False: they do not go together; or what is known leaves too little room.
 */
static bool
mix(struct mixed m, uint32_t node, bool asks, struct python_path *path)
{
	struct sides sides;

	compare_sides(&m, node, asks, path, &sides);
	if ((sides.calls == 0 && !sides.cut) || path->outer > m.room +
	    path->ends_cut)
		return false;
	m.room -= path->outer - path->ends_cut;
	put_together(&m, node, &sides, path);
	path->count = (uint32_t)m.count;
	path->cut = m.cut;
	return !m.cut || sides.end == 0;
}

enum python_answer
python_path(uint32_t site, uint64_t *buffer, size_t room, bool whole,
    struct python_path *path)
{
	uint32_t node = ((struct site *)segment_rows(TABLE_SITES))[site].leaf;
	struct pychain *chain = self.chain;
	struct mixed m = {
		.nodes = segment_rows(TABLE_NODES),
		.seen = chain->seen,
		.depth = chain->depth,
		.to = buffer,
		.room = room,
	};
	uint32_t turn = chain->turn;
	bool goes = (!whole && mix(m, node, true, path)) ||
	    mix(m, node, false, path);

	__asm__ volatile("" ::: "memory");
	if (m.depth == 0 || chain->turn != turn)
		return PYTHON_DISTURBED;
	return goes ? PYTHON_MIXED : PYTHON_APART;
}

void
python_learn(const struct python_path *path, uint32_t node)
{
	uint64_t frames = (uint64_t)path->count + path->outer;
	uint32_t passed = 0;
	uint32_t i;

	for (i = 0; i < path->levels; i++) {
		uint64_t key = path->level[i].key;

		node = intern_outer(node, path->level[i].count - passed);
		passed = path->level[i].count;
		if (path->cut || path->ends_cut)
			key = cut_key(key, path->room - passed);
		pyname_cache_put(python.bases, key,
		    (frames - passed) << 32 | node);
	}
}

/* --- for the tests -------------------------------------------------------- */

COLD bool
python_is_right(void)
{
	const struct pyseen *s = &self.chain->seen[self.chain->depth];
	uint64_t frame = pyframe_innermost(&self.chain->met);
	struct pyframe f;

	for (; s > self.chain->seen; s--, frame = f.outer)
		if (!pyframe_read(frame, &f, false) || frame !=
		    self.chain->place[s - self.chain->seen].frame ||
		    pyframe_key(&s->f) != pyframe_key(&f) ||
		    s->f.last != f.last)
			return false;
	return self.chain->depth == self.chain->room || frame == 0;
}
