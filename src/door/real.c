#include "door/real.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "base/base.h"

struct real real;

static void *
next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* Which file an address is from, and its range; NULL: none. */
static const char *
object_of(void *address, uint64_t *start, uint64_t *end)
{
	struct dl_find_object found;
	Dl_info info;

	if (dladdr(address, &info) == 0)
		return NULL;
	*start = (uintptr_t)info.dli_fbase;
	*end = *start;
	if (_dl_find_object(address, &found) == 0)
		*end = (uintptr_t)found.dlfo_map_end;
	return info.dli_fname;
}

/*
 * tcmalloc makes an object of its own, by operator new, when it is first
 * asked for a block's size.  Let it do so while nothing is counted.
 */
static void
warm_allocator(void)
{
	void *p = real.malloc(1);

	if (p != NULL)
		(void)real.usable_size(p);
	real.free(p);
}

/*
 * Does the word before a block of libc's tell its size?  Small blocks are
 * tried, which leave no trace but that the heap is there.
 */
static bool
has_chunks(void)
{
	static const size_t sizes[] = { 1, 24, 25, 40, 100, 500, 1000 };
	const char *slash = strrchr(real.allocator, '/');
	bool agrees = true;
	size_t i;

	if (slash == NULL || strcmp(slash, "/libc.so.6") != 0)
		return false;
	for (i = 0; agrees && i < ARRAY_LENGTH(sizes); i++) {
		size_t *block = real.malloc(sizes[i]);

		agrees = block != NULL && (block[-1] & 2) == 0 &&
		    (block[-1] & ~(size_t)7) - sizeof(*block) ==
		    real.usable_size(block);
		real.free(block);
	}
	return agrees;
}

void
real_resolve(void)
{
	const struct {
		void *to;
		const char *name;
	} table[] = {
		{ &real.malloc, "malloc" },
		{ &real.calloc, "calloc" },
		{ &real.realloc, "realloc" },
		{ &real.free, "free" },
		{ &real.posix_memalign, "posix_memalign" },
		{ &real.aligned_alloc, "aligned_alloc" },
		{ &real.memalign, "memalign" },
		{ &real.valloc, "valloc" },
		{ &real.pvalloc, "pvalloc" },
		{ &real.usable_size, "malloc_usable_size" },
		{ &real.free_sized, "free_sized" },
		{ &real.free_aligned_sized, "free_aligned_sized" },
		{ &real.mmap, "mmap" },
		{ &real.munmap, "munmap" },
		{ &real.mremap, "mremap" },
		{ &real.brk, "brk" },
		{ &real.sbrk, "sbrk" },
	};
	uint64_t start;
	uint64_t end;
	const char *path;
	void *new_operator;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(table); i++)
		*(void **)table[i].to = next(table[i].name);
	/* Now and not later: a forked child may not ask the loader. */
	path = object_of((void *)real.malloc, &real.allocator_start,
	    &real.allocator_end);
	real.allocator = path != NULL ? path : "";
	/* Another's answer would be about blocks of another. */
	if (real.usable_size != NULL && (object_of((void *)real.usable_size,
	    &start, &end) == NULL || start != real.allocator_start))
		real.usable_size = NULL;
	new_operator = next("_Znwm");
	real.owns_new = new_operator != NULL &&
	    object_of(new_operator, &start, &end) != NULL &&
	    start == real.allocator_start;
	if (real.owns_new && real.usable_size != NULL)
		warm_allocator();
	real.chunks = real.usable_size != NULL && has_chunks();
	(void)dlerror(); /* what is missing is nobody's error but ours */
}

uint64_t
real_stack_end(void)
{
	void *const *end = next("__libc_stack_end");

	return end != NULL ? (uintptr_t)*end : 0;
}

/* Behind argc: the arguments, NULL, and then the environment. */
char *const *
real_environment(void)
{
	const intptr_t *argc = (const void *)(uintptr_t)real_stack_end();

	return argc != NULL ? (char *const *)(argc + 1 + *argc + 1) : NULL;
}
