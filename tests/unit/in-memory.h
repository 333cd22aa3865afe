/*
 * in-memory.h - a directory for the unit test that makes some thousand files
 */
#ifndef TESTS_IN_MEMORY_H
#define TESTS_IN_MEMORY_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/base.h"

/* In memory, if it may and there is some: of a container it is 64 MiB or none. */
static inline char *
in_memory(char *path, size_t room, const char *name)
{
	struct statvfs fs;
	bool has_room = access("/dev/shm", W_OK) == 0 &&
	    statvfs("/dev/shm", &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize >= 32 * MIB;

	snprintf(path, room, "%s/heaptide-%s.XXXXXX",
	    has_room ? "/dev/shm" : "/tmp", name);
	return mkdtemp(path);
}

#endif
