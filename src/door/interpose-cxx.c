/*
 * interpose-cxx.c - operator new and delete
 *
 * Floor 8 (door).  libstdc++'s operators call malloc and free, which are ours,
 * so here is nothing to count and the call goes straight on; where every block
 * has a record it is noted who was called (kind.h).  An allocator
 * with operators that do not (real.owns_new) would be seen half: its delete
 * through free(), its new not at all.  Then they are counted here.
 *
 * Throwing is the real operator's business; this file is compiled with
 * unwind tables, so that its exceptions pass through.
 *
 * A C program that opens a C++ library privately (RTLD_LOCAL) binds the
 * library's operators to these, but the next ones after us are not in the
 * global scope.  They are looked for in the caller's own.
 *
 * To ask the dynamic linker takes away what dlerror() had to say.  So with the
 * first operator all are looked for, which is before the program begins if it
 * has them then.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/kind.h"
#include "door/real.h"
#include "door/record.h"
#include "heap/tally.h"
#include "mem/segment.h"
#include "sys/arch.h"

/* As the C++ library lays them out: scoped enum and empty struct. */
typedef size_t align_val;
typedef const void *nothrow;

enum operator {
	NEW, NEW_ARRAY, NEW_NOTHROW, NEW_ARRAY_NOTHROW,
	NEW_ALIGNED, NEW_ARRAY_ALIGNED,
	NEW_ALIGNED_NOTHROW, NEW_ARRAY_ALIGNED_NOTHROW,
	DELETE, DELETE_ARRAY, DELETE_SIZED, DELETE_ARRAY_SIZED,
	DELETE_NOTHROW, DELETE_ARRAY_NOTHROW,
	DELETE_ALIGNED, DELETE_ARRAY_ALIGNED,
	DELETE_SIZED_ALIGNED, DELETE_ARRAY_SIZED_ALIGNED,
	DELETE_ALIGNED_NOTHROW, DELETE_ARRAY_ALIGNED_NOTHROW,
	OPERATORS
};

static const char *const names[OPERATORS] = {
	[NEW] = "_Znwm",
	[NEW_ARRAY] = "_Znam",
	[NEW_NOTHROW] = "_ZnwmRKSt9nothrow_t",
	[NEW_ARRAY_NOTHROW] = "_ZnamRKSt9nothrow_t",
	[NEW_ALIGNED] = "_ZnwmSt11align_val_t",
	[NEW_ARRAY_ALIGNED] = "_ZnamSt11align_val_t",
	[NEW_ALIGNED_NOTHROW] = "_ZnwmSt11align_val_tRKSt9nothrow_t",
	[NEW_ARRAY_ALIGNED_NOTHROW] = "_ZnamSt11align_val_tRKSt9nothrow_t",
	[DELETE] = "_ZdlPv",
	[DELETE_ARRAY] = "_ZdaPv",
	[DELETE_SIZED] = "_ZdlPvm",
	[DELETE_ARRAY_SIZED] = "_ZdaPvm",
	[DELETE_NOTHROW] = "_ZdlPvRKSt9nothrow_t",
	[DELETE_ARRAY_NOTHROW] = "_ZdaPvRKSt9nothrow_t",
	[DELETE_ALIGNED] = "_ZdlPvSt11align_val_t",
	[DELETE_ARRAY_ALIGNED] = "_ZdaPvSt11align_val_t",
	[DELETE_SIZED_ALIGNED] = "_ZdlPvmSt11align_val_t",
	[DELETE_ARRAY_SIZED_ALIGNED] = "_ZdaPvmSt11align_val_t",
	[DELETE_ALIGNED_NOTHROW] = "_ZdlPvSt11align_val_tRKSt9nothrow_t",
	[DELETE_ARRAY_ALIGNED_NOTHROW] =
	    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

static const uint8_t kinds[OPERATORS] = {
	[NEW] = KIND_NEW,
	[NEW_ARRAY] = KIND_NEW | KIND_ARRAY,
	[NEW_NOTHROW] = KIND_NEW,
	[NEW_ARRAY_NOTHROW] = KIND_NEW | KIND_ARRAY,
	[NEW_ALIGNED] = KIND_NEW | KIND_ALIGNED,
	[NEW_ARRAY_ALIGNED] = KIND_NEW | KIND_ARRAY | KIND_ALIGNED,
	[NEW_ALIGNED_NOTHROW] = KIND_NEW | KIND_ALIGNED,
	[NEW_ARRAY_ALIGNED_NOTHROW] = KIND_NEW | KIND_ARRAY | KIND_ALIGNED,
	[DELETE] = KIND_NEW,
	[DELETE_ARRAY] = KIND_NEW | KIND_ARRAY,
	[DELETE_SIZED] = KIND_NEW | KIND_SIZED,
	[DELETE_ARRAY_SIZED] = KIND_NEW | KIND_ARRAY | KIND_SIZED,
	[DELETE_NOTHROW] = KIND_NEW,
	[DELETE_ARRAY_NOTHROW] = KIND_NEW | KIND_ARRAY,
	[DELETE_ALIGNED] = KIND_NEW | KIND_ALIGNED,
	[DELETE_ARRAY_ALIGNED] = KIND_NEW | KIND_ARRAY | KIND_ALIGNED,
	[DELETE_SIZED_ALIGNED] = KIND_NEW | KIND_ALIGNED | KIND_SIZED,
	[DELETE_ARRAY_SIZED_ALIGNED] =
	    KIND_NEW | KIND_ARRAY | KIND_ALIGNED | KIND_SIZED,
	[DELETE_ALIGNED_NOTHROW] = KIND_NEW | KIND_ALIGNED,
	[DELETE_ARRAY_ALIGNED_NOTHROW] = KIND_NEW | KIND_ARRAY | KIND_ALIGNED,
};

static struct {
	void *_Atomic next[OPERATORS];
} operators;

/* Is this a C++ library by itself, and not one linked into something? */
static bool
is_runtime(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	return strncmp(name, "libstdc++", 9) == 0 ||
	    strncmp(name, "libc++", 6) == 0;
}

/* Are those that the program is given ours, and not its own? */
static bool
are_ours(const void *own)
{
	static const enum operator plain[] = {
		NEW, NEW_ARRAY, DELETE, DELETE_ARRAY
	};
	Dl_info mine, info;
	size_t i;

	if (dladdr(own, &mine) == 0)
		return false;
	for (i = 0; i < ARRAY_LENGTH(plain); i++) {
		void *found = dlsym(RTLD_DEFAULT, names[plain[i]]);

		if (found == NULL || dladdr(found, &info) == 0 ||
		    info.dli_fbase != mine.dli_fbase)
			return false;
	}
	return true;
}

/* All of one module, the C++ library's or the allocator's. */
static bool
are_of_one(struct dl_find_object *module)
{
	struct dl_find_object other;
	Dl_info info;
	size_t i;

	for (i = 0; i < OPERATORS; i++) {
		void *f = atomic_load(&operators.next[i]);

		if (f == NULL || _dl_find_object(f, &other) != 0)
			return false;
		if (i == 0)
			*module = other;
		if (other.dlfo_map_start != module->dlfo_map_start)
			return false;
	}
	return real.owns_new ||
	    (dladdr(operators.next[NEW], &info) != 0 &&
	    is_runtime(info.dli_fname));
}

static uint64_t
bytes_of(const void *function)
{
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	if (dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
	    symbol == NULL)
		return 0;
	return symbol->st_size;
}

/*
 * Replaced in part, or by who hands out what is not the start of a block, they
 * tell nothing of how a block was made.
 */
static void
tell_kinds(void)
{
	struct kind_operator op[KIND_OPERATORS];
	struct dl_find_object module;
	size_t i;

	if (!are_ours(names) || !are_of_one(&module))
		return;
	for (i = 0; i < KIND_OPERATORS; i++) {
		op[i].start = (uintptr_t)operators.next[NEW + i];
		op[i].end = op[i].start + bytes_of(operators.next[NEW + i]);
		op[i].kind = kinds[NEW + i];
	}
	kind_set_operators(op, (uintptr_t)module.dlfo_map_start,
	    (uintptr_t)module.dlfo_map_end);
}

static void
find_all(void *scope)
{
	void *found;
	size_t i;

	for (i = 0; i < OPERATORS; i++) {
		found = dlsym(scope, names[i]);
		if (found != NULL)
			atomic_store(&operators.next[i], found);
	}
	tell_kinds();
}

/*
 * The operator that the object around @caller would be given without us.  All
 * are remembered if the C++ library that has them can be kept loaded; one that
 * is linked into the caller may go away with it.
 */
static void *
find_private(const char *name, uint64_t caller)
{
	void *found = NULL;
	void *runtime;
	void *object;
	Dl_info info;

	if (dladdr((void *)(uintptr_t)caller, &info) == 0)
		return NULL;
	object = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (object == NULL)
		return NULL;
	found = dlsym(object, name);
	runtime = found != NULL && dladdr(found, &info) != 0 &&
	    is_runtime(info.dli_fname) ? dlopen(info.dli_fname,
	    RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) : NULL;
	if (runtime != NULL)
		find_all(runtime);
	dlclose(object);
	return found;
}

static COLD void *
find_next(enum operator operator, uint64_t caller)
{
	struct aside was = boot_own_begin();
	void *found = dlsym(RTLD_NEXT, names[operator]);

	if (found != NULL)
		find_all(RTLD_NEXT);
	else if (caller != 0)
		found = find_private(names[operator], caller);
	(void)dlsym(RTLD_DEFAULT, "malloc"); /* no dlerror() of ours stays */
	boot_own_end(was);
	return found;
}

__attribute__((constructor)) static void
start(void)
{
	(void)find_next(NEW, 0);
}

static inline void *
next(enum operator operator, uint64_t caller)
{
	void *f = atomic_load_explicit(&operators.next[operator],
	    memory_order_relaxed);

	return LIKELY(f != NULL) ? f : find_next(operator, caller);
}

/*
 * No operator anywhere in reach: the caller has its C++ library linked in
 * and hidden.  malloc() does what it would have done, short of throwing,
 * which without that library cannot be done.
 */
static void *
new_by_malloc(size_t size, size_t alignment)
{
	return alignment > 16 ? aligned_alloc(alignment, size) :
	    malloc(size == 0 ? 1 : size);
}

/* True: we are to count, and self.tally is there for it. */
static inline bool
counts(void)
{
	enum entry entry = ENTRY_COUNT;

	if (UNLIKELY(!boot_counts()))
		entry = boot_enter();
	if (UNLIKELY(entry == ENTRY_SHARED))
		atomic_fetch_add(&segment_mine()->lost.blocks, 1);
	return entry == ENTRY_COUNT;
}

/*
 * Some of an allocator's operators call its malloc by name, which is ours.
 * The row's `last` tells: it is emptied before, and is the block afterwards
 * if it was counted on the way.  (A flag would stay up where new throws.)
 */
static inline void
before_new(void)
{
	if (counts())
		atomic_store_explicit(&self.tally->last, 0,
		    memory_order_relaxed);
}

static inline void *
after_new(void *block, size_t size, struct arch_caller caller)
{
	if (block == NULL || self.tally == NULL ||
	    self.tally->last == (uintptr_t)block)
		return block;
	return record_new(block, size, caller);
}

/*
 * Counts the block, and gives the row to put back after the real delete, which
 * may call free() and never throws; NULL: nothing to put back.
 */
static inline struct tally *
before_delete(void *block, uint64_t pc)
{
	struct tally *t;

	if (block == NULL || !counts())
		return NULL;
	record_gone(block, pc);
	t = self.tally;
	self.tally = NULL;
	self.busy = BUSY_INSIDE;
	return t;
}

static inline void
after_delete(struct tally *t)
{
	if (t == NULL)
		return;
	self.busy = BUSY_NOT;
	self.tally = t;
}

/* Does this thread count, and has every block a record? */
static inline bool
is_long(void)
{
	return self.tally != NULL && boot_page.mode == MODE_LONG;
}

/* The same, at length; and nobody has operators of his own. */
static bool
notes(void)
{
	return (is_long() || (boot_enter() == ENTRY_COUNT &&
	    boot_now.records)) && kind_known;
}

/*
 * One operator: its name as the linker knows it, what it takes, and what of
 * that is handed on.  The short road is for most settings, the long one for all
 * stacks; each jumps to the next, so that nothing is kept for what comes there.
 */
#define DEFINE_NEW(operator, symbol, alignment, parameters, arguments)	\
	typedef void *symbol##_type parameters;				\
	static JUMPED_TO void *						\
	symbol##_aside parameters					\
	{								\
		symbol##_type *f = next(operator, ARCH_RETURNS_TO());	\
									\
		if (notes())						\
			kind_note_new(kinds[operator], ARCH_RETURNS_TO()); \
		if (UNLIKELY(f == NULL))				\
			return new_by_malloc(size, alignment);		\
		if (!real.owns_new)					\
			return f arguments; /* a jump: no frame of ours */ \
		before_new();						\
		return after_new(f arguments, size, ARCH_CALLER());	\
	}								\
									\
	static JUMPED_TO void *						\
	symbol##_long parameters					\
	{								\
		symbol##_type *f = operators.next[operator];		\
									\
		if (UNLIKELY(f == NULL || real.owns_new || !is_long()))	\
			return symbol##_aside arguments;		\
		if (LIKELY(kind_known))					\
			kind_note_new(kinds[operator], ARCH_RETURNS_TO()); \
		return f arguments;					\
	}								\
									\
	EXPORT void *symbol parameters;					\
	EXPORT void *							\
	symbol parameters						\
	{								\
		symbol##_type *f = atomic_load_explicit(		\
		    &operators.next[operator], memory_order_relaxed);	\
									\
		if (LIKELY(f != NULL) && LIKELY(boot_now.passes))	\
			return f arguments;				\
		return symbol##_long arguments;				\
	}

#define DEFINE_DELETE(operator, symbol, size, alignment, parameters,	\
    arguments)								\
	typedef void symbol##_type parameters;				\
	static JUMPED_TO void						\
	symbol##_aside parameters					\
	{								\
		symbol##_type *f = next(operator, ARCH_RETURNS_TO());	\
		struct tally *t;					\
									\
		if (UNLIKELY(f == NULL)) {				\
			free(block);					\
			return;						\
		}							\
		if (notes())						\
			kind_note_delete(block, kinds[operator], size,	\
			    alignment);					\
		if (!real.owns_new) {					\
			f arguments;					\
			return;						\
		}							\
		t = before_delete(block, ARCH_RETURNS_TO());		\
		f arguments;						\
		after_delete(t);					\
	}								\
									\
	static JUMPED_TO void						\
	symbol##_long parameters					\
	{								\
		symbol##_type *f = operators.next[operator];		\
									\
		if (UNLIKELY(f == NULL || real.owns_new || !is_long())) { \
			symbol##_aside arguments;			\
			return;						\
		}							\
		if (LIKELY(kind_known))					\
			kind_note_delete(block, kinds[operator], size,	\
			    alignment);					\
		f arguments;						\
	}								\
									\
	EXPORT void symbol parameters;					\
	EXPORT void							\
	symbol parameters						\
	{								\
		symbol##_type *f = atomic_load_explicit(		\
		    &operators.next[operator], memory_order_relaxed);	\
									\
		if (LIKELY(f != NULL) && LIKELY(boot_now.passes))	\
			f arguments;					\
		else							\
			symbol##_long arguments;			\
	}

DEFINE_NEW(NEW, _Znwm, 0, (size_t size), (size))
DEFINE_NEW(NEW_ARRAY, _Znam, 0, (size_t size), (size))
DEFINE_NEW(NEW_NOTHROW, _ZnwmRKSt9nothrow_t, 0,
    (size_t size, nothrow tag), (size, tag))
DEFINE_NEW(NEW_ARRAY_NOTHROW, _ZnamRKSt9nothrow_t, 0,
    (size_t size, nothrow tag), (size, tag))
DEFINE_NEW(NEW_ALIGNED, _ZnwmSt11align_val_t, alignment,
    (size_t size, align_val alignment), (size, alignment))
DEFINE_NEW(NEW_ARRAY_ALIGNED, _ZnamSt11align_val_t, alignment,
    (size_t size, align_val alignment), (size, alignment))
DEFINE_NEW(NEW_ALIGNED_NOTHROW, _ZnwmSt11align_val_tRKSt9nothrow_t,
    alignment, (size_t size, align_val alignment, nothrow tag),
    (size, alignment, tag))
DEFINE_NEW(NEW_ARRAY_ALIGNED_NOTHROW, _ZnamSt11align_val_tRKSt9nothrow_t,
    alignment, (size_t size, align_val alignment, nothrow tag),
    (size, alignment, tag))

DEFINE_DELETE(DELETE, _ZdlPv, 0, 1, (void *block), (block))
DEFINE_DELETE(DELETE_ARRAY, _ZdaPv, 0, 1, (void *block), (block))
DEFINE_DELETE(DELETE_SIZED, _ZdlPvm, size, 1, (void *block, size_t size),
    (block, size))
DEFINE_DELETE(DELETE_ARRAY_SIZED, _ZdaPvm, size, 1,
    (void *block, size_t size), (block, size))
DEFINE_DELETE(DELETE_NOTHROW, _ZdlPvRKSt9nothrow_t, 0, 1,
    (void *block, nothrow tag), (block, tag))
DEFINE_DELETE(DELETE_ARRAY_NOTHROW, _ZdaPvRKSt9nothrow_t, 0, 1,
    (void *block, nothrow tag), (block, tag))
DEFINE_DELETE(DELETE_ALIGNED, _ZdlPvSt11align_val_t, 0, alignment,
    (void *block, align_val alignment), (block, alignment))
DEFINE_DELETE(DELETE_ARRAY_ALIGNED, _ZdaPvSt11align_val_t, 0, alignment,
    (void *block, align_val alignment), (block, alignment))
DEFINE_DELETE(DELETE_SIZED_ALIGNED, _ZdlPvmSt11align_val_t, size, alignment,
    (void *block, size_t size, align_val alignment), (block, size, alignment))
DEFINE_DELETE(DELETE_ARRAY_SIZED_ALIGNED, _ZdaPvmSt11align_val_t, size,
    alignment, (void *block, size_t size, align_val alignment),
    (block, size, alignment))
DEFINE_DELETE(DELETE_ALIGNED_NOTHROW, _ZdlPvSt11align_val_tRKSt9nothrow_t, 0,
    alignment, (void *block, align_val alignment, nothrow tag),
    (block, alignment, tag))
DEFINE_DELETE(DELETE_ARRAY_ALIGNED_NOTHROW,
    _ZdaPvSt11align_val_tRKSt9nothrow_t, 0, alignment,
    (void *block, align_val alignment, nothrow tag), (block, alignment, tag))
