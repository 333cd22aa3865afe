#include "door/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <sys/auxv.h>
#include <string.h>

#include "base/base.h"
#include "plan/giveback.h"
#include "sys/sys.h"

#define NO_SMALL_BYTES 2000 /* more than libc keeps of, for a thread */

struct real real;
long (*real_syscall)(long, ...);

static void *
next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/*
 * Which file an address is from, and its range; NULL: none.  dladdr() would go
 * through all of its symbols to find the nearest: of libc's 80,000 instructions,
 * thirty times at the start of each program.
 */
static const char *
object_of(void *address, uint64_t *start, uint64_t *end)
{
	struct dl_find_object found;

	if (_dl_find_object(address, &found) != 0)
		return NULL;
	*start = (uintptr_t)found.dlfo_map_start;
	*end = (uintptr_t)found.dlfo_map_end;
	return found.dlfo_link_map->l_name;
}

/*
 * The same as the program's own reference would be bound, by the version that
 * it was linked with: libc_malloc_debug.so has its functions under no other,
 * so dlsym() passes it over and finds libc's.
 */
static void *
next_bound(const char *name)
{
	static const char *const versions[] = {
		"GLIBC_2.2.5", "GLIBC_2.16", "GLIBC_2.17"
	};
	void *found = next(name);
	void *bound = NULL;
	uint64_t libc = 0;
	uint64_t start = 0;
	uint64_t end;
	size_t i;

	(void)object_of(next("__libc_start_main"), &libc, &end);
	if (found != NULL && object_of(found, &start, &end) != NULL &&
	    start != libc)
		return found;
	for (i = 0; bound == NULL && i < ARRAY_LENGTH(versions); i++)
		bound = dlvsym(RTLD_NEXT, name, versions[i]);
	return bound != NULL ? bound : found;
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
 * A block that has just been freed: libc keeps it for this thread, and has
 * marked it by a word that is the same in all of them (2.34 and later).  0: it
 * does not.
 */
static void
note_key(uintptr_t freed, bool first, size_t *key)
{
	const volatile size_t *word = (const volatile size_t *)freed;

	if (first)
		*key = word[1];
	else if (*key != word[1])
		*key = 0;
}

/*
 * What libc keeps for this thread of a block of @size, it would hand out in
 * place of a new one: with other neighbours, and past M_PERTURB.  It is the
 * last of the heap, so as a larger one it ends where it came from.
 */
static void
leave_no_block(size_t size)
{
	void *kept = real.malloc(size);
	void *larger = real.realloc(kept, NO_SMALL_BYTES);

	real.free(larger != NULL ? larger : kept);
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
	size_t key = 0;
	size_t i;

	if (slash == NULL || strcmp(slash, "/libc.so.6") != 0)
		return false;
	for (i = 0; agrees && i < ARRAY_LENGTH(sizes); i++) {
		size_t *block = real.malloc(sizes[i]);

		/* Under valgrind it is not libc that answers, but by the
		 * byte; and it minds who reads in front of a block. */
		agrees = block != NULL &&
		    real.usable_size(block) % 16 == sizeof(*block) &&
		    (block[-1] & 2) == 0 &&
		    (block[-1] & ~(size_t)7) - sizeof(*block) ==
		    real.usable_size(block);
		real.free(block);
		if (agrees)
			note_key((uintptr_t)block, i == 0, &key);
		leave_no_block(sizes[i]);
	}
	real.cached = agrees ? key : 0;
	return agrees;
}

/*
 * The next malloc is not libc's, but tells no size: does it hand out libc's
 * blocks, as one that only counts or logs does?  Then libc knows their size.
 * In front of another's blocks there may be nothing that can be read.
 */
static bool
wraps_libc(void)
{
	static const size_t sizes[] = { 24, 40, 100, 1000 };
	uintptr_t top = (uintptr_t)real.sbrk(0);
	bool agrees = real.usable_size != NULL;
	size_t i;

	for (i = 0; agrees && i < ARRAY_LENGTH(sizes); i++) {
		uintptr_t block = (uintptr_t)real.malloc(sizes[i]);

		top = max_u64(top, (uintptr_t)real.sbrk(0));
		/* A small block is below the break; 6: not mapped by itself,
		 * and of the main arena. */
		agrees = block < top && block > top - 64 * MIB &&
		    sys_is_readable((const size_t *)block - 1) &&
		    (real_head((void *)block) & 6) == 0 &&
		    real_size(real_head((void *)block)) - sizes[i] < 32;
		real.free((void *)block);
	}
	return agrees;
}

/* Is @function there, and from the allocator's module? */
static bool
is_allocators(void *function)
{
	uint64_t start;
	uint64_t end;

	return function != NULL && object_of(function, &start, &end) != NULL &&
	    start == real.allocator_start;
}

static void *
valloc_by_memalign(size_t size)
{
	return real.memalign(getauxval(AT_PAGESZ), size);
}

static void *
pvalloc_by_memalign(size_t size)
{
	size_t page = getauxval(AT_PAGESZ);

	return real.memalign(page, size > SIZE_MAX - page ? SIZE_MAX :
	    round_up(size, page));
}

/*
 * What the allocator lacks would come from libc, and it would be asked about
 * blocks that are none of its own.  The two old ones are made of what it has.
 */
static void
fill_family(void)
{
	if (!is_allocators((void *)real.usable_size))
		return;
	if (!is_allocators((void *)real.posix_memalign) ||
	    !is_allocators((void *)real.aligned_alloc) ||
	    !is_allocators((void *)real.memalign)) {
		real.usable_size = NULL;
		return;
	}
	if (!is_allocators((void *)real.valloc))
		real.valloc = valloc_by_memalign;
	if (!is_allocators((void *)real.pvalloc))
		real.pvalloc = pvalloc_by_memalign;
}

/*
 * jemalloc promises that nallocx() tells what malloc() will make usable.
 * Others have functions of its name, and other ideas.
 */
static void
ask_jemalloc(void)
{
	size_t (*size_of)(size_t, int);
	size_t i;

	*(void **)&size_of = next("nallocx");
	if (real.usable_size == NULL || !is_allocators(next("mallctl")) ||
	    !is_allocators((void *)size_of))
		return;
	for (i = 1; i < REAL_SIZES; i++)
		real.sizes[i] = (uint16_t)size_of(8 * i, 0);
	real.sizes[0] = real.sizes[1];
}

static struct {
	struct giveback by;
	void (*collect)(bool);
} ways;

static void
trim_glibc(uint64_t want)
{
	giveback_glibc(&ways.by, want);
}

static void
trim_jemalloc(uint64_t want)
{
	giveback_jemalloc(&ways.by, want);
}

static void
trim_tcmalloc(uint64_t want)
{
	giveback_tcmalloc(&ways.by, want);
}

/* It is not to be told how much. */
static void
trim_mimalloc(uint64_t want)
{
	(void)want;
	ways.collect(true);
}

bool
real_purges(void)
{
	return real.trim == trim_jemalloc && giveback_is_pending(&ways.by);
}

/*
 * How the allocator in use, and no other, gives free memory back.  What has no
 * function of its own here is what another needs to be told how much.
 */
static void
find_trim(void)
{
	const struct {
		void *to;
		const char *name;
		void (*trim)(uint64_t);
	} table[] = {
		{ &ways.by.malloc_trim, "malloc_trim", trim_glibc },
		{ &ways.by.mallinfo2, "mallinfo2", NULL },
		{ &ways.by.mallctl, "mallctl", trim_jemalloc },
		{ &ways.by.release_all, "MallocExtension_ReleaseFreeMemory",
		  trim_tcmalloc },
		{ &ways.by.release_some, "MallocExtension_ReleaseToSystem",
		  NULL },
		{ &ways.collect, "mi_collect", trim_mimalloc },
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		void *found = next(table[i].name);

		if (!is_allocators(found))
			continue;
		*(void **)table[i].to = found;
		if (real.trim == NULL)
			real.trim = table[i].trim;
	}
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
		/* FAMILY: of the others each version means something else. */
		{ &real.free_sized, "free_sized" },
		{ &real.free_aligned_sized, "free_aligned_sized" },
		{ &real.mmap, "mmap" },
		{ &real.munmap, "munmap" },
		{ &real.mremap, "mremap" },
		{ &real.brk, "brk" },
		{ &real.sbrk, "sbrk" },
		{ &real.dlclose, "dlclose" },
		{ &real.execv, "execv" },
		{ &real.execve, "execve" },
		{ &real.execvp, "execvp" },
		{ &real.execvpe, "execvpe" },
		{ &real.fexecve, "fexecve" },
		{ &real.execveat, "execveat" },
		{ &real.posix_spawn, "posix_spawn" },
		{ &real.posix_spawnp, "posix_spawnp" },
		{ &real.prctl, "prctl" },
		{ &real.mlockall, "mlockall" },
		{ &real.setrlimit, "setrlimit" },
		{ &real.prlimit, "prlimit" },
		{ &real_syscall, "syscall" },
	};
	enum { FAMILY = 10 };
	uint64_t start;
	uint64_t end;
	const char *path;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(table); i++)
		*(void **)table[i].to = i < FAMILY ?
		    next_bound(table[i].name) : next(table[i].name);
	/* Now and not later: a forked child may not ask the loader. */
	path = object_of((void *)real.malloc, &real.allocator_start,
	    &real.allocator_end);
	real.allocator = path != NULL ? path : "";
	real.self = object_of((void *)(uintptr_t)real_resolve, &start, &end);
	if (real.self == NULL)
		real.self = "";
	/* Another's answer would be about blocks of another. */
	if (!is_allocators((void *)real.usable_size) && !wraps_libc())
		real.usable_size = NULL;
	fill_family();
	/* A sanitizer's, which cannot be asked while it starts itself. */
	if (is_allocators(next("__sanitizer_get_allocated_size")))
		real.usable_size = NULL;
	real.owns_new = is_allocators(next("_Znwm"));
	if (real.owns_new && real.usable_size != NULL)
		warm_allocator();
	ask_jemalloc();
	find_trim();
	real.chunks = real.usable_size != NULL && has_chunks();
	/*
	 * What is missing is nobody's error but ours.  What succeeds takes it
	 * away; dlerror() would put it into words, and for that libc may not
	 * be ready yet.
	 */
	(void)next("malloc");
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

long
real_directly(long number, long a, long b, long c, long d, long e, long f)
{
	long r = sys_pass(number, a, b, c, d, e, f);

	if (r >= 0 || r < -4095)
		return r;
	errno = (int)-r;
	return -1;
}
