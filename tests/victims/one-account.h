/*
 * one-account.h - the account of a victim with one thread
 */
#ifndef VICTIMS_ONE_ACCOUNT_H
#define VICTIMS_ONE_ACCOUNT_H

#include "account.h"

static struct account mine;

static inline void *
take(void *block, size_t requested)
{
	return account_alloc(&mine, block, requested);
}

static inline void
give(void *block, size_t requested)
{
	account_free(&mine, block, requested);
	free(block);
}

#endif
