#include "stack/pywatch.h"

#include "base/base.h"

struct pywatch_set pywatch_set;

/*
 * In this order: who puts something in meanwhile, and loses it here, has asked
 * for the number before, and finds another one.
 */
COLD void
pywatch_end(void)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(pywatch_set.word); i++)
		atomic_store_explicit(&pywatch_set.word[i], 0,
		    memory_order_relaxed);
	atomic_fetch_add(&pywatch_set.ended, 1);
}
