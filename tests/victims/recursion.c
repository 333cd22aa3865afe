/*
 * recursion.c - 100 000 calls deep, and every one allocates and frees
 *
 * usage: recursion
 *
 * On the way down each level allocates, on the way up it frees.  Then again
 * two functions by turns, so that the path has a period of two.
 */
#include <pthread.h>

#include "account.h"

#define DEPTH 100000
#define STACK (64 << 20)

static struct account account;

static __attribute__((noinline)) void
descend(int n)
{
	void *block = account_alloc(&account, malloc(48), 48);

	if (n > 0)
		descend(n - 1);
	account_free(&account, block, 48);
	free(block);
}

static void pong(int n);

static __attribute__((noinline)) void
ping(int n)
{
	void *block = account_alloc(&account, malloc(56), 56);

	if (n > 0)
		pong(n - 1);
	account_free(&account, block, 56);
	free(block);
}

static __attribute__((noinline)) void
pong(int n)
{
	void *block = account_alloc(&account, malloc(72), 72);

	if (n > 0)
		ping(n - 1);
	account_free(&account, block, 72);
	free(block);
}

static void *
recur(void *unused)
{
	descend(DEPTH);
	ping(DEPTH);
	return unused;
}

int
main(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	if (pthread_create(&thread, &attributes, recur, NULL) != 0)
		return 1;
	pthread_join(thread, NULL);
	account_print(&account);
	return 0;
}
