/*
 * interpose-load.c - dlclose(), as the program calls it
 *
 * Floor 8 (door).  dlopen() is not here: it looks at who calls it, and that
 * would be us.  What libc closes for itself (its converters, its name
 * services) does not come this way.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/real.h"
#include "stack/intern.h"

/* Are there stacks that may lead through what was closed? */
static bool
records(void)
{
	return boot_now.records && (boot_counts() ||
	    boot_enter() <= ENTRY_SHARED);
}

static int
look_at_all(struct dl_phdr_info *object, size_t bytes, void *unused)
{
	(void)object;
	(void)bytes;
	(void)unused;
	intern_closed();
	return 1; /* once */
}

/*
 * What is looked at must not be unmapped meanwhile by another thread's
 * dlclose().  The linker sees to that while it tells of its objects: we need
 * not hear about them.  Its own function and not one in front of it, which may
 * have a list of its own; after a call that succeeded no dlerror() is lost.
 */
static void
look(void)
{
	static int (*_Atomic iterate)(int (*)(struct dl_phdr_info *, size_t,
	    void *), void *);
	struct aside was;

	if (iterate == NULL) {
		was = boot_own_begin();
		iterate = dlsym(RTLD_NEXT, "dl_iterate_phdr");
		boot_own_end(was);
	}
	if (iterate != NULL)
		(void)iterate(look_at_all, NULL);
}

EXPORT int
dlclose(void *handle)
{
	int error;
	int r;

	if (UNLIKELY(real.dlclose == NULL))
		(void)boot_enter();
	r = real.dlclose(handle);
	error = errno;
	if (r == 0 && records())
		look();
	errno = error;
	return r;
}
