#include "plan/again.h"

#include <string.h>

#include "base/base.h"
#include "plan/plan.h"

static struct {
	bool read;
	uint32_t n;          /* 0: nobody said anything */
	uint64_t end;
	uint64_t lost, grew; /* items, bytes */
	char op[TIDE_NAME_ROOM];
} again;

/* A number and the blank behind it; NULL: there is none. */
static const char *
take(const char *p, uint64_t *n)
{
	const char *start = p;

	for (*n = 0; *p >= '0' && *p <= '9'; p++) {
		if (*n > (UINT64_MAX - 9) / 10)
			return NULL;
		*n = *n * 10 + (uint64_t)(*p - '0');
	}
	return p > start && *p == ' ' ? p + 1 : NULL;
}

static void
read_wish(void)
{
	const struct plan_host *host = plan_host();
	const char *p = host->setting != NULL ? host->setting("RETRY_BATCH") :
	    NULL;
	uint64_t n = 0;

	again.read = true;
	if (p == NULL || (p = take(p, &n)) == NULL ||
	    (p = take(p, &again.end)) == NULL ||
	    (p = take(p, &again.lost)) == NULL ||
	    (p = take(p, &again.grew)) == NULL)
		return;
	memcpy(again.op, p, min_u64(strlen(p), sizeof(again.op) - 1));
	again.n = (uint32_t)min_u64(n, UINT32_MAX);
}

uint32_t
again_most(uint64_t first)
{
	if (!again.read)
		read_wish();
	plan_room()->forced_n = first < again.end ? again.n : 0;
	return again.n != 0 && first < again.end ? again.n : UINT32_MAX;
}

void
again_learn(tide_op *op)
{
	const struct tide_room *room = plan_room();
	struct sizing_batch lost;

	if (!again.read)
		read_wish();
	if (op->warned)
		return;
	op->warned = true;
	if (again.lost == 0 || op_row(op)->batches != 0 ||
	    strncmp(again.op, op_row(op)->name, sizeof(again.op) - 1) != 0)
		return;
	memset(&lost, 0, sizeof(lost));
	lost.n = (uint32_t)min_u64(again.lost, UINT32_MAX);
	lost.failed = true;
	lost.growth = again.grew;
	lost.budget = room->budget == TIDE_NONE ? 0 : room->budget;
	lost.used = room->used;
	sizing_learn(&op->sizing, &lost);
}
