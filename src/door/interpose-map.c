/*
 * interpose-map.c - mmap and its family, as the program calls them
 *
 * Floor 8 (door).  libc's own mappings (arenas, thread stacks, the loader's)
 * do not come this way; the report gets them from the kernel.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/real.h"
#include "door/record.h"
#include "heap/mapping.h"
#include "mem/segment.h"
#include "sys/arch.h"
#include "sys/sys.h"

/* libc's own, for who comes before real.sbrk is known. */
void *__sbrk(intptr_t bytes);

/*
 * Is this call counted?  In a thread without a row it is, too, but where it
 * came from is not known.
 *
 * We do not begin here: who maps before all others have begun is an allocator
 * that comes before us, and it does so inside of its own start, with its locks
 * held.  The dynamic linker, asked by us, would call it and wait for ever.
 */
static bool
counts(void)
{
	if (LIKELY(boot_counts()))
		return true;
	return boot_has_begun() && boot_enter() <= ENTRY_SHARED;
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

static inline void *
map(void *at, size_t bytes, int protection, int flags, int fd, off_t offset,
    struct arch_frame caller)
{
	bool counting = counts();
	void *p;

	p = real.mmap == NULL ?
	    (void *)real_directly(SYS_mmap, (long)at, (long)bytes, protection,
	    flags, fd, offset) :
	    real.mmap(at, bytes, protection, flags, fd, offset);
	if (counting && p != MAP_FAILED)
		mapped(p, bytes, kind_of(protection, flags, caller), caller);
	return p;
}

EXPORT void *
mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return map(at, bytes, protection, flags, fd, offset,
	    arch_frame_of(ARCH_CALLER()));
}

EXPORT void *
mmap64(void *at, size_t bytes, int protection, int flags, int fd,
    off64_t offset)
{
	return map(at, bytes, protection, flags, fd, offset,
	    arch_frame_of(ARCH_CALLER()));
}

/*
 * Would the kernel refuse this range out of hand?  No address space that there
 * is today ends above 2^56.
 */
static bool
is_unmappable(const void *at, size_t bytes)
{
	const uint64_t end = UINT64_C(1) << 56;

	return bytes == 0 || ((uintptr_t)at & 4095) != 0 || bytes > end ||
	    (uintptr_t)at > end - bytes;
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
	r = real.munmap != NULL ? real.munmap(at, bytes) :
	    (int)real_directly(SYS_munmap, (long)at, (long)bytes, 0, 0, 0, 0);
	/* Out of memory for the split of a range: it is still there. */
	if (counting && r < 0)
		atomic_fetch_add(&segment_mine()->lost.mappings, 1);
	return r;
}

EXPORT void *
mremap(void *old, size_t old_bytes, size_t new_bytes, int flags, ...)
{
	/* What the kernel refuses out of hand changes nothing. */
	bool counting = counts() && new_bytes != 0 &&
	    !is_unmappable(old, old_bytes != 0 ? old_bytes : 1);
	/* Of what is shared, a second place: of 0 bytes the first one stays. */
	bool stays = old_bytes == 0 || (flags & MREMAP_DONTUNMAP) != 0;
	void *where = NULL;
	int hand = -1;
	void *p;

	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		va_list arguments;

		va_start(arguments, flags);
		where = va_arg(arguments, void *);
		va_end(arguments);
	}
	if (counting)
		hand = mapping_lift((uintptr_t)old, old_bytes, stays);
	p = real.mremap != NULL ?
	    real.mremap(old, old_bytes, new_bytes, flags, where) :
	    (void *)real_directly(SYS_mremap, (long)old, (long)old_bytes,
	    (long)new_bytes, flags, (long)where, 0);
	if (!counting)
		return p;
	if (p != MAP_FAILED)
		mapping_lay(hand, (uintptr_t)p, new_bytes);
	else
		mapping_lay_back(hand);
	return p;
}

static void
moved(intptr_t bytes, uint64_t caller)
{
	if (bytes != 0 && !is_allocator(caller) && counts())
		atomic_fetch_add(&segment_mine()->live.break_bytes, bytes);
}

static void *
sbrk_of_libc(intptr_t bytes)
{
	return real.sbrk != NULL ? real.sbrk(bytes) : __sbrk(bytes);
}

EXPORT int
brk(void *end)
{
	uintptr_t before;
	int r;

	(void)counts();
	before = (uintptr_t)sbrk_of_libc(0);
	r = real.brk != NULL ? real.brk(end) : sbrk_of_libc(
	    (intptr_t)((uintptr_t)end - before)) == (void *)-1 ? -1 : 0;
	if (r == 0)
		moved((intptr_t)((uintptr_t)end - before), ARCH_RETURNS_TO());
	return r;
}

EXPORT void *
sbrk(intptr_t bytes)
{
	void *before;

	(void)counts();
	before = sbrk_of_libc(bytes);
	if (before != (void *)-1)
		moved(bytes, ARCH_RETURNS_TO());
	return before;
}
