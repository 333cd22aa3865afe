#include "runs/undone.h"

#include <inttypes.h>

struct print_list
undone_again(const struct journal_totals *t)
{
	struct print_list list = { .used = 0 };

	print_list_add(&list, t->oom, "%" PRIu64 " killed for memory", t->oom);
	print_list_add(&list, t->no_memory, "%" PRIu64 " had none",
	    t->no_memory);
	print_list_add(&list, t->preempted, "%" PRIu64 " made room",
	    t->preempted);
	print_list_add(&list, t->retried, "%" PRIu64 " failed", t->retried);
	return list;
}

struct print_list
undone_for_good(const struct journal_totals *t)
{
	struct print_list list = { .used = 0 };

	print_list_add(&list, t->skipped, "%" PRIu64 " skipped for low memory",
	    t->skipped);
	print_list_add(&list, t->poison, "%" PRIu64 " too large", t->poison);
	print_list_add(&list, t->late, "%" PRIu64 " too late", t->late);
	return list;
}
