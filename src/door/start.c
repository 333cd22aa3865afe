/*
 * start.c - what is begun where the library is loaded, in the program's first
 * thread: all that a first malloc would have too small a stack for
 *
 * Floor 8 (door), above all but interpose*.c.
 */
#include "door/boot.h"
#include "door/enforce.h"
#include "door/keeper.h"

__attribute__((constructor)) static void
start(void)
{
	char *const *environment;
	const char *directory;

	(void)boot_enter();
	if (!boot_is_counting() || boot_is_guest())
		return;
	enforce_begin();
	if (boot_wants_keeper(&directory, &environment)) {
		struct aside was = boot_own_begin();

		keeper_start(directory, environment);
		boot_own_end(was);
	}
}
