/*
 * early.c - allocates before main() and after it
 *
 * Constructors and destructors of other objects run around heaptide's own;
 * the account is printed by the very last of them.
 */
#include "account.h"

static struct account mine;
static void *kept[6];

static void
step(int i, size_t size)
{
	void *brief;

	kept[i] = account_alloc(&mine, malloc(size), size);
	brief = account_alloc(&mine, calloc(2, size), 2 * size);
	account_free(&mine, brief, 2 * size);
	free(brief);
}

static void
before_all(void)
{
	step(0, 1000);
}

/* Called by the loader before any constructor, of libraries too. */
__attribute__((section(".preinit_array"), used))
static void (*const preinit)(void) = before_all;

__attribute__((constructor(101))) static void
first(void)
{
	step(1, 2000);
}

__attribute__((constructor)) static void
second(void)
{
	step(2, 3000);
}

static void
at_exit(void)
{
	step(4, 5000);
}

__attribute__((destructor(101))) static void
last(void)
{
	step(5, 6000);
	account_free(&mine, kept[0], 1000);
	free(kept[0]);
	account_print(&mine);
	account_print_peak(&mine);
}

int
main(void)
{
	atexit(at_exit);
	step(3, 4000);
	return 0;
}
