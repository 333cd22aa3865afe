/*
 * pressed.c - a program that gives memory back when it is told to
 *
 * usage: pressed BYTES SECONDS
 *
 * Holds BYTES, and waits for at most SECONDS to be told of memory pressure, as
 * systemd's protocol has it: by poll(), at the file that MEMORY_PRESSURE_WATCH
 * names.  With `sd-event` as a third word it does so by systemd's own library,
 * opened at run time; exit status 77 if that is not there, or too old.
 * Says `told` or `not told`, and exits 0 or 1.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
by_poll(int seconds)
{
	const char *watch = getenv("MEMORY_PRESSURE_WATCH");
	struct pollfd p = { .events = POLLIN };
	struct stat st;
	char byte;

	if (watch == NULL || getenv("MEMORY_PRESSURE_WRITE") != NULL ||
	    stat(watch, &st) < 0 || !S_ISFIFO(st.st_mode)) {
		puts("no fifo");
		return 2;
	}
	p.fd = open(watch, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (p.fd < 0 || poll(&p, 1, seconds * 1000) < 0) {
		perror("pressed");
		return 2;
	}
	if (p.revents == 0)
		return 1;
	return (p.revents & POLLIN) != 0 && read(p.fd, &byte, 1) == 1 ? 0 : 2;
}

/* --- by systemd's library, whose types we need not know ------------------- */

static int told;
static int (*leave)(void *event, int code);

static int
when_told(void *source, void *event)
{
	(void)source;
	told = 1;
	return leave(event, 0);
}

static int
when_late(void *source, uint64_t usec, void *event)
{
	(void)source;
	(void)usec;
	return leave(event, 0);
}

static void *
find(void *library, const char *name)
{
	void *f = library != NULL ? dlsym(library, name) : NULL;

	if (f == NULL) {
		printf("no %s in libsystemd.so.0\n", name);
		exit(77);
	}
	return f;
}

static int
by_library(int seconds)
{
	void *library = dlopen("libsystemd.so.0", RTLD_NOW);
	int (*make)(void **);
	int (*add)(void *, void **, int (*)(void *, void *), void *);
	int (*add_time)(void *, void **, int, uint64_t, uint64_t,
	    int (*)(void *, uint64_t, void *), void *);
	int (*loop)(void *);
	void *event = NULL;

	*(void **)&make = find(library, "sd_event_new");
	*(void **)&add = find(library, "sd_event_add_memory_pressure");
	*(void **)&add_time = find(library, "sd_event_add_time_relative");
	*(void **)&loop = find(library, "sd_event_loop");
	*(void **)&leave = find(library, "sd_event_exit");
	if (make(&event) < 0 || add(event, NULL, when_told, event) < 0 ||
	    add_time(event, NULL, 1 /* CLOCK_MONOTONIC */,
		(uint64_t)seconds * 1000000, 0, when_late, event) < 0 ||
	    loop(event) < 0)
		return 2;
	return told ? 0 : 1;
}

int
main(int argc, char **argv)
{
	size_t bytes;
	char *held;
	int r, seconds;

	if (argc < 3)
		return 2;
	bytes = strtoul(argv[1], NULL, 0);
	seconds = atoi(argv[2]);
	held = malloc(bytes + 1);
	if (held == NULL)
		return 2;
	memset(held, 1, bytes + 1);
	r = argc > 3 ? by_library(seconds) : by_poll(seconds);
	if (r < 2)
		puts(r == 0 ? "told" : "not told");
	free(held);
	return r;
}
