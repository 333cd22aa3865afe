#include "control/limit.h"

#include <stdatomic.h>

#include "base/base.h"
#include "control/control.h"
#include "model/sources.h"
#include "plan/chain.h"
#include "sys/proc.h"
#include "sys/sys.h"

int
limit_of_pid(int pid, uint64_t budget_bytes, struct limit *limit)
{
	const struct source_wish wish = { FORM_BYTES, budget_bytes };
	struct sources_answer answer;
	struct proc_status status;
	struct chain c;
	int r = proc_status_read(pid, &status);

	if (r < 0)
		return r;
	chain_open(&c, "", pid, &status);
	if (budget_bytes != 0)
		(void)chain_add_wish(&c, "budget", &wish);
	chain_add_system(&c);
	(void)sources_judge(c.source, c.count, false, &answer);
	*limit = (struct limit){
		.bytes = answer.budget,
		.available = answer.available,
	};
	if (answer.budget != SOURCE_NONE) {
		limit->source = c.link[answer.rules].name;
		limit->used = c.source[answer.rules].used;
	}
	return 0;
}

int
limit_of_wish(int pid, const struct source_wish *wish, uint64_t *bytes)
{
	struct sources_answer answer;
	struct proc_status status;
	struct chain c;
	int r;

	if (wish->form == FORM_BYTES) {
		*bytes = wish->value;
		return 0;
	}
	r = proc_status_read(pid, &status);
	if (r < 0)
		return r;
	chain_open(&c, "", pid, &status);
	(void)chain_add_wish(&c, "budget", wish);
	chain_add_system(&c);
	r = sources_judge(c.source, c.count, false, &answer);
	if (r == 0)
		*bytes = c.source[0].bytes;
	return r;
}

/*
 * Who asks thousands of times a second would have us read some ten files each
 * time; what they say is as good for a little while.  Whoever finds another
 * thread at it reads for itself.
 */
#define OLD_NS (20 * NS_PER_MS)

static struct {
	atomic_flag busy;
	int pid;
	uint64_t budget_bytes, at_ns;
	struct limit limit;
} seen = { .busy = ATOMIC_FLAG_INIT };

static int
find(int pid, uint64_t budget_bytes, struct limit *limit)
{
	uint64_t now_ns = sys_clock();
	int r = 0;

	if (seen.pid != pid || seen.budget_bytes != budget_bytes ||
	    now_ns - seen.at_ns > OLD_NS) {
		r = limit_of_pid(pid, budget_bytes, &seen.limit);
		seen.pid = r == 0 ? pid : -1;
		seen.budget_bytes = budget_bytes;
		seen.at_ns = now_ns;
	}
	*limit = seen.limit;
	return r;
}

int
limit_find(const struct control *c, struct limit *limit)
{
	uint64_t budget_bytes = atomic_load(&c->segment->config.budget_bytes);
	int r;

	if (atomic_flag_test_and_set(&seen.busy))
		return limit_of_pid(c->pid, budget_bytes, limit);
	r = find(c->pid, budget_bytes, limit);
	atomic_flag_clear(&seen.busy);
	return r;
}
