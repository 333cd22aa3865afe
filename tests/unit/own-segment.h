/*
 * own-segment.h - a segment for the unit test of who stores into one
 */
#ifndef TESTS_OWN_SEGMENT_H
#define TESTS_OWN_SEGMENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "heap/site.h"
#include "heap/tally.h"
#include "mem/segment.h"

static char own_directory[64];
static char own_path[128];

/* A group's setup: a fresh segment with the rows that boot makes. */
static int
own_segment_setup(void **state)
{
	uint32_t exec_count;

	(void)state;
	snprintf(own_directory, sizeof(own_directory), "/tmp/tide-unit.XXXXXX");
	if (mkdtemp(own_directory) == NULL)
		return -1;
	snprintf(own_path, sizeof(own_path), "%s/1.2.tide", own_directory);
	if (segment_create(own_path, &exec_count) < 0 || exec_count != 0)
		return -1;
	if (tally_create_shared(getpid()) < 0)
		return -1;
	if (site_create_known() < 0)
		return -1;
	segment_publish();
	return 0;
}

static int
own_segment_teardown(void **state)
{
	(void)state;
	segment_leave();
	unlink(own_path);
	return rmdir(own_directory);
}

#endif
