#include "control/limit.h"

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

int
limit_find(const struct control *c, struct limit *limit)
{
	return limit_of_pid(c->pid, atomic_load(
	    &c->segment->config.budget_bytes), limit);
}
