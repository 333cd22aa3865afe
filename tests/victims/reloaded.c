/*
 * reloaded.c - libraries that are closed, and others in their places
 *
 * usage: reloaded other FIRST SECOND
 *        reloaded same FIRST
 *        reloaded many MODULE...
 *        reloaded at-once MODULE...
 *
 * FIRST and SECOND are modules with the same code under other names.  Each is
 * opened, allocates 10 blocks (SECOND 20) through its forward(), and is
 * closed.  other: by turns, five times; prints whether all lay at the same
 * address.  same: FIRST alone, 1000 times.  many: all are opened, allocate one
 * block each, and are closed; then in the other order, and two blocks each.
 * Other threads allocate meanwhile, from ever other depths.  at-once: each is
 * opened, used and closed 500 times, each in a thread of its own.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

static void *
open_module(const char *path)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (module == NULL)
		exit(2);
	return module;
}

static void
close_module(void *module)
{
	if (dlclose(module) != 0)
		exit(2);
}

/* Where its function is. */
static uintptr_t
call(void *module, int blocks)
{
	void *(*forward)(void *(*)(size_t), size_t);
	void *at = dlsym(module, "forward");

	if (at == NULL)
		exit(2);
	memcpy(&forward, &at, sizeof(at));
	while (blocks-- > 0)
		kept = forward(malloc, 123);
	return (uintptr_t)at;
}

static uintptr_t
use(const char *path, int blocks)
{
	void *module = open_module(path);
	uintptr_t at = call(module, blocks);

	close_module(module);
	return at;
}

#define MODULES_MOST 64

/* How many lie where another one lay before. */
static int
use_all(char **path, int modules)
{
	void *module[MODULES_MOST];
	uintptr_t at[MODULES_MOST];
	int others = 0;

	for (int i = 0; i < modules; i++)
		module[i] = open_module(path[i]);
	for (int i = 0; i < modules; i++)
		at[i] = call(module[i], 1);
	for (int i = 0; i < modules; i++)
		close_module(module[i]);
	for (int i = modules; i-- > 0;)
		module[i] = open_module(path[i]);
	for (int i = 0; i < modules; i++) {
		uintptr_t now = call(module[i], 2);

		for (int k = 0; k < modules; k++)
			others += k != i && at[k] == now;
	}
	for (int i = 0; i < modules; i++)
		close_module(module[i]);
	return others;
}

static volatile int stop;

static __attribute__((noinline)) void
deeper(int n)
{
	void *volatile block;

	if (n > 0)
		deeper(n - 1);
	block = malloc(50);
	free(block);
}

static void *
disturb(void *unused)
{
	for (int i = 0; !stop; i++)
		deeper(i % 40);
	return unused;
}

static void
many(char **path, int modules)
{
	pthread_t thread[2];
	int others = 0;

	for (int i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, disturb, NULL) != 0)
			exit(2);
	for (int i = 0; i < 5; i++)
		others += use_all(path, modules);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	puts(others > 0 ? "at others' addresses" : "at ever new addresses");
}

static void *
use_often(void *path)
{
	for (int i = 0; i < 500; i++)
		(void)use(path, 2);
	return NULL;
}

static void
at_once(char **path, int modules)
{
	pthread_t thread[MODULES_MOST];

	for (int i = 0; i < modules; i++)
		if (pthread_create(&thread[i], NULL, use_often, path[i]) != 0)
			exit(2);
	for (int i = 0; i < modules; i++)
		pthread_join(thread[i], NULL);
	puts("all at once");
}

int
main(int argc, char **argv)
{
	uintptr_t first = 0;
	int moved = 0;

	if (argc == 4 && strcmp(argv[1], "other") == 0) {
		for (int i = 0; i < 5; i++) {
			uintptr_t a = use(argv[2], 10);
			uintptr_t b = use(argv[3], 20);

			first = first == 0 ? a : first;
			moved += (a != first) + (b != first);
		}
		puts(moved == 0 ? "at one address" : "at several addresses");
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "same") == 0) {
		for (int i = 0; i < 1000; i++)
			(void)use(argv[2], 10);
		puts("again and again");
		return 0;
	}
	if (argc > 2 && argc - 2 <= MODULES_MOST &&
	    strcmp(argv[1], "many") == 0) {
		many(argv + 2, argc - 2);
		return 0;
	}
	if (argc > 2 && argc - 2 <= MODULES_MOST &&
	    strcmp(argv[1], "at-once") == 0) {
		at_once(argv + 2, argc - 2);
		return 0;
	}
	return 2;
}
