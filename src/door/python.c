#include "door/python.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "base/base.h"
#include "door/boot.h"
#include "mem/segment.h"
#include "stack/intern.h"
#include "stack/pyframe.h"
#include "stack/pyname.h"

static struct {
	struct pyname_cache *sites; /* by path and Python frames: the site */
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
	if (python.found && python.sites == NULL) {
		python.sites = pyname_cache_open(PYNAME_SITES);
		python.found = python.sites != NULL && pyname_open();
	}
	return python.found;
}

void
python_in_child(void)
{
	if (python.sites != NULL)
		pyname_cache_clear(python.sites);
	pyname_reset();
}

/* --- a site --------------------------------------------------------------- */

uint32_t
python_site(uint32_t site, uint64_t *key)
{
	uint32_t calls;
	uint64_t sum = pyframe_sum(boot_now.depth, &calls);

	*key = 0;
	if (sum == 0)
		return 0;
	*key = mix_u64(sum + ((uint64_t)intern_generation() << 32 | site));
	return (uint32_t)pyname_cache_find(python.sites, *key);
}

void
python_put(uint64_t key, uint32_t site)
{
	pyname_cache_put(python.sites, key, site);
}

/* --- a path --------------------------------------------------------------- */

/* A path as it is put together. */
struct mixed {
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
put_frames(struct mixed *m, struct pyframe_walk *w, bool all)
{
	struct pyframe f = { .last = false };
	uint64_t name;
	bool any = false;

	while ((all || !f.last) && !m->cut && pyframe_next(w, &f)) {
		any = true;
		name = f.code != 0 ? pyname_of(&f) : 0;
		if (name != 0)
			put(m, name);
	}
	return any;
}

/* How many frames of the path run Python; and does it end where it begins? */
static uint32_t
count_calls(const struct node *nodes, uint32_t node, bool *cut)
{
	uint32_t calls = 0;

	*cut = false;
	for (; node != 0; node = nodes[node].parent) {
		calls += pyframe_runs(nodes[node].pc);
		*cut = nodes[node].pc == NODE_CUT;
	}
	return calls;
}

/*
 * By number from the innermost on, as each call has frames of its own.  Where
 * there are other numbers of them (a part of that function lies elsewhere),
 * nobody knows which belong to which, and all stand at the first.
 */
size_t
python_path(uint32_t site, uint64_t *buffer, size_t room, bool *cut)
{
	const struct node *nodes = segment_rows(TABLE_NODES);
	uint32_t node = ((struct site *)segment_rows(TABLE_SITES))[site].leaf;
	struct mixed m = { .to = buffer, .room = room };
	struct pyframe_walk w;
	uint32_t calls, there;
	bool all;

	(void)pyframe_sum(boot_now.depth, &calls);
	there = count_calls(nodes, node, cut);
	if (there == 0 && !*cut)
		return 0;
	all = there == 0 || (calls != there && !*cut);
	pyframe_begin(&w, boot_now.depth);
	for (; node != 0 && !m.cut; node = nodes[node].parent) {
		uint64_t pc = nodes[node].pc;

		if (pc == NODE_CUT) {
			if (there == 0)
				(void)put_frames(&m, &w, true);
			m.cut = true;
		} else if (!pyframe_runs(pc) || !put_frames(&m, &w, all)) {
			put(&m, pc);
		}
	}
	*cut = m.cut;
	return m.count;
}
