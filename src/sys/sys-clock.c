/*
 * sys-clock.c - what time it is, without a system call where that can be; and
 * waiting by it
 */
#include "sys/sys.h"

#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "base/base.h"

/*
 * The vDSO's function, found without libc: its clock_gettime() may be somebody
 * else's by symbol (a program that fakes the time), and may then allocate.
 */
#if defined(__x86_64__)
#define VDSO_CLOCK "__vdso_clock_gettime"
#else
#define VDSO_CLOCK "__kernel_clock_gettime"
#endif

typedef int clock_function(clockid_t, struct timespec *);

/* An object's dynamic section, as far as it is wanted here. */
struct symbols {
	const ElfW(Sym) *symbol;
	const char *name;
	const uint32_t *hash; /* buckets, symbols, ... */
};

static bool
find_symbols(const ElfW(Ehdr) *header, struct symbols *s, uintptr_t *base)
{
	const ElfW(Phdr) *h = (const void *)((const char *)header +
	    header->e_phoff);
	const ElfW(Dyn) *d = NULL;
	int i;

	*base = (uintptr_t)header;
	for (i = 0; i < header->e_phnum; i++) {
		if (h[i].p_type == PT_LOAD && h[i].p_offset == 0)
			*base = (uintptr_t)header - h[i].p_vaddr;
		else if (h[i].p_type == PT_DYNAMIC)
			d = (const void *)((const char *)header +
			    h[i].p_offset);
	}
	for (; d != NULL && d->d_tag != DT_NULL; d++) {
		const void *at = (const void *)(*base + d->d_un.d_ptr);

		if (d->d_tag == DT_SYMTAB)
			s->symbol = at;
		else if (d->d_tag == DT_STRTAB)
			s->name = at;
		else if (d->d_tag == DT_HASH)
			s->hash = at;
	}
	return s->symbol != NULL && s->name != NULL && s->hash != NULL;
}

static clock_function *
find_clock(void)
{
	const ElfW(Ehdr) *header = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct symbols s = { NULL, NULL, NULL };
	uintptr_t base;
	uint32_t i;

	if (header == NULL || !find_symbols(header, &s, &base))
		return sys_clock_ask;
	for (i = 0; i < s.hash[1]; i++)
		if (s.symbol[i].st_shndx != SHN_UNDEF &&
		    strcmp(s.name + s.symbol[i].st_name, VDSO_CLOCK) == 0)
			return (clock_function *)(base + s.symbol[i].st_value);
	return sys_clock_ask;
}

static uint64_t
read_clock(clockid_t clock)
{
	/* Found by whoever comes first; who comes beside finds the same. */
	static clock_function *_Atomic function;
	clock_function *f = atomic_load_explicit(&function,
	    memory_order_relaxed);
	struct timespec now = { 0, 0 };

	/* The coarse ones never ask the kernel, whatever keeps the time. */
	if (UNLIKELY(sys_is_confined()))
		clock = clock == CLOCK_REALTIME ? CLOCK_REALTIME_COARSE :
		    CLOCK_MONOTONIC_COARSE;
	if (UNLIKELY(f == NULL)) {
		f = find_clock();
		atomic_store(&function, f);
	}
	f(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t
sys_clock_coarse(void)
{
	return read_clock(CLOCK_MONOTONIC_COARSE);
}

uint64_t
sys_clock(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
sys_clock_wall(void)
{
	return (int64_t)read_clock(CLOCK_REALTIME);
}

uint64_t
sys_clock_busy(void)
{
	struct timespec now = { 0, 0 };

	(void)sys_clock_ask(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

bool
sys_give_way(uint64_t *since)
{
	if (*since == 0)
		*since = sys_clock();
	sys_yield();
	return sys_clock() - *since < NS_PER_S;
}
