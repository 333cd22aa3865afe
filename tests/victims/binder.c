/*
 * binder.c - opens a library in one of the ways that there are, and works in it
 *
 * usage: binder HOW LIBRARY [apart]
 *
 * HOW is global, local, deepbind or namespace.  Blocks go both ways between
 * the two, but with `apart`; in a namespace of its own the library has another
 * heap, and each frees what it took.  Prints what heaptide is to count of the
 * program's own blocks, with `work` in the library apart.
 */
#include <dlfcn.h>
#include <stdbool.h>

#include "account.h"

#define TIMES 200

static struct account mine;

static void *
open_how(const char *how, const char *library)
{
	static const struct {
		const char *name;
		int flags;
	} hows[] = {
		{ "global", RTLD_NOW | RTLD_GLOBAL },
		{ "local", RTLD_LAZY | RTLD_LOCAL },
		{ "deepbind", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND },
	};

	if (strcmp(how, "namespace") == 0)
		return dlmopen(LM_ID_NEWLM, library, RTLD_NOW);
	for (size_t i = 0; i < sizeof(hows) / sizeof(*hows); i++)
		if (strcmp(how, hows[i].name) == 0)
			return dlopen(library, hows[i].flags);
	return NULL;
}

static void *
function(void *library, const char *name)
{
	void *f = dlsym(library, name);

	if (f == NULL)
		abort();
	return f;
}

int
main(int argc, char **argv)
{
	void *(*take)(size_t);
	void (*give)(void *);
	unsigned (*work)(unsigned);
	void *library, *block;
	bool apart;

	if (argc < 3 || (library = open_how(argv[1], argv[2])) == NULL) {
		puts(argc < 3 ? "usage" : dlerror());
		return 1;
	}
	apart = argc > 3 || strcmp(argv[1], "namespace") == 0;
	*(void **)&take = function(library, "plugin_take");
	*(void **)&give = function(library, "plugin_give");
	*(void **)&work = function(library, "plugin_work");
	printf("%u\n", work(TIMES));
	for (size_t i = 0; i < TIMES; i++) {
		block = account_alloc(&mine, malloc(300 + i), 300 + i);
		memset(block, 1, 300);
		if (apart) {
			free(block);
			give(take(400 + i));
		} else {
			give(block);
			block = take(400 + i);
			memset(block, 2, 400);
			free(block);
		}
	}
	printf("allocations %llu\n", (unsigned long long)mine.allocations);
	return 0;
}
