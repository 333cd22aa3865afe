/*
 * interpose-load.c - dlclose(), as the program calls it
 *
 * Floor 8 (door).  dlopen() is not here: it looks at who calls it, and that
 * would be us.  What libc closes for itself (its converters, its name
 * services) does not come this way.
 */
#include <dlfcn.h>
#include <errno.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/real.h"
#include "stack/intern.h"

/* Are there stacks that may lead through what was closed? */
static bool
records(void)
{
	return boot_recording && (boot_counts() ||
	    boot_enter() <= ENTRY_SHARED);
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
		intern_closed();
	errno = error;
	return r;
}
