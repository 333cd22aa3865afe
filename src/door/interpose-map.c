/*
 * interpose-map.c - mmap and its family, as the program calls them
 *
 * Floor 8 (door).  libc's own mappings (arenas, thread stacks, the loader's)
 * do not come this way; the report gets them from the kernel.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/real.h"
#include "door/record.h"
#include "heap/mapping.h"
#include "mem/segment.h"
#include "sys/arch.h"
#include "sys/sys.h"

/*
 * Is this call counted?  In a thread without a row it is, too, but where it
 * came from is not known.
 */
static bool
counts(void)
{
	if (LIKELY(boot_counts()))
		return true;
	return boot_enter() <= ENTRY_SHARED;
}

static bool
is_allocator(uint64_t caller)
{
	return caller >= real.allocator_start && caller < real.allocator_end;
}

static enum mapping_kind
kind_of(int protection, int flags, struct arch_frame caller)
{
	if (is_allocator(caller.pc))
		return MAPPING_ALLOCATOR;
	if ((flags & MAP_ANONYMOUS) == 0)
		return MAPPING_FILE;
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		return MAPPING_SHARED;
	if (protection == PROT_NONE || (flags & MAP_NORESERVE) != 0)
		return MAPPING_RESERVED;
	return MAPPING_ANONYMOUS;
}

static void
mapped(void *start, size_t bytes, enum mapping_kind kind,
    struct arch_frame caller)
{
	int error = errno;
	uint32_t site = self.tally != NULL && kind != MAPPING_ALLOCATOR ?
	    record_mapping_site(caller) : 0;

	mapping_add((uintptr_t)start, bytes, kind, site);
	errno = error;
}

/* Before real.mmap is known, and for who calls before the loader is done. */
static void *
map_directly(void *at, size_t bytes, int protection, int flags, int fd,
    off_t offset)
{
	void *p = sys_mmap(at, bytes, protection, flags, fd, (uint64_t)offset);

	if (sys_error_of(p) == 0)
		return p;
	errno = -sys_error_of(p);
	return MAP_FAILED;
}

static inline void *
map(void *at, size_t bytes, int protection, int flags, int fd, off_t offset,
    struct arch_frame caller)
{
	bool counting = counts();
	void *p;

	p = real.mmap == NULL ?
	    map_directly(at, bytes, protection, flags, fd, offset) :
	    real.mmap(at, bytes, protection, flags, fd, offset);
	if (counting && p != MAP_FAILED)
		mapped(p, bytes, kind_of(protection, flags, caller), caller);
	return p;
}

EXPORT void *
mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return map(at, bytes, protection, flags, fd, offset, arch_frame_of(ARCH_CALLER()));
}

EXPORT void *
mmap64(void *at, size_t bytes, int protection, int flags, int fd,
    off64_t offset)
{
	return map(at, bytes, protection, flags, fd, offset, arch_frame_of(ARCH_CALLER()));
}

/* Would the kernel refuse these arguments out of hand? */
static bool
is_unmappable(const void *at, size_t bytes)
{
	return bytes == 0 || ((uintptr_t)at & 4095) != 0;
}

EXPORT int
munmap(void *at, size_t bytes)
{
	bool counting = counts() && !is_unmappable(at, bytes);
	int error = errno;
	int r;

	/* First out of the table: another thread may get the range at once. */
	if (counting)
		mapping_remove((uintptr_t)at, bytes);
	errno = error;
	if (real.munmap != NULL) {
		r = real.munmap(at, bytes);
	} else {
		r = sys_munmap(at, bytes);
		if (r < 0)
			errno = -r;
		r = r < 0 ? -1 : 0;
	}
	/* Out of memory for the split of a range: it is still there. */
	if (counting && r < 0)
		atomic_fetch_add(&segment_mine()->lost.mappings, 1);
	return r;
}

EXPORT void *
mremap(void *old, size_t old_bytes, size_t new_bytes, int flags, ...)
{
	struct mapping was = { .kind = MAPPING_ANONYMOUS };
	bool counting = counts();
	bool known = false;
	void *where = NULL;
	void *p;

	if (flags & MREMAP_FIXED) {
		va_list arguments;

		va_start(arguments, flags);
		where = va_arg(arguments, void *);
		va_end(arguments);
	}
	if (counting) {
		known = mapping_find((uintptr_t)old, &was);
		if (old_bytes != 0 && (flags & MREMAP_DONTUNMAP) == 0 && known)
			mapping_remove((uintptr_t)old, old_bytes);
	}
	p = real.mremap(old, old_bytes, new_bytes, flags, where);
	if (!counting)
		return p;
	if (p != MAP_FAILED)
		mapping_add((uintptr_t)p, new_bytes, was.kind, was.site);
	else if (known && old_bytes != 0)
		mapping_add((uintptr_t)old, old_bytes, was.kind, was.site);
	return p;
}

static void
moved(intptr_t bytes, uint64_t caller)
{
	if (bytes != 0 && !is_allocator(caller) && counts())
		atomic_fetch_add(&segment_mine()->live.break_bytes, bytes);
}

EXPORT int
brk(void *end)
{
	uintptr_t before;
	int r;

	(void)counts(); /* real.brk is there from now on */
	before = (uintptr_t)real.sbrk(0);
	r = real.brk(end);
	if (r == 0)
		moved((intptr_t)((uintptr_t)end - before), ARCH_RETURNS_TO());
	return r;
}

EXPORT void *
sbrk(intptr_t bytes)
{
	void *before;

	(void)counts();
	before = real.sbrk(bytes);
	if (before != (void *)-1)
		moved(bytes, ARCH_RETURNS_TO());
	return before;
}
