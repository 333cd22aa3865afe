/*
 * sysroot.h - trees in tests/unit/fixtures that look like the root of a machine
 */
#ifndef TESTS_SYSROOT_H
#define TESTS_SYSROOT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Where that of a name is, until the next is asked for. */
static const char *
tree(const char *name)
{
	static char path[1024];
	const char *srcdir = getenv("srcdir");

	snprintf(path, sizeof(path), "%s/tests/unit/fixtures/sysroot-%s",
	    srcdir != NULL ? srcdir : ".", name);
	if (access(path, R_OK) != 0)
		fail_msg("%s is missing; run from the top of the tree", path);
	return path;
}

#endif
