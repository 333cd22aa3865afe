#include "plan/common.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/base.h"
#include "base/text.h"
#include "model/sources.h"
#include "plan/chain.h"
#include "plan/settings.h"
#include "sys/proc.h"
#include "sys/sys.h"

extern char **environ;

/*
 * The last list of limits, and what came of it.  To read all of it takes some
 * 180 us, to ask whether a limit in it has changed 15: where only what somebody
 * wishes is near, that is enough for a while.
 */
#define COMMON_CALM_NS (10 * NS_PER_S)

static struct {
	struct chain chain;
	struct host_limit limit;
	uint64_t read_ns;
	uint64_t set_bytes, given_bytes; /* that it was read with */
	uint64_t address_space, data; /* limits that the process has set */
	uint32_t settings; /* settings_taken() */
	int32_t pid;
	bool calm;
} common;

/* Against a budget.  Before Linux 4.5 there is the whole only. */
static uint64_t
used_of(const struct proc_status *status)
{
	uint64_t used = status->anonymous + status->shared + status->swapped;

	return used != 0 ? used : status->resident;
}

int
common_memory(struct host_memory *memory)
{
	struct proc_status status;
	int r = proc_status_read(0, &status);

	if (r < 0)
		return r;
	memory->used = used_of(&status);
	memory->resident = status.resident;
	memory->faults = sys_faults();
	return 0;
}

int
common_glance(struct host_memory *memory)
{
	struct proc_statm statm;
	int r = proc_statm_read(&statm);

	if (r < 0)
		return r;
	memset(memory, 0, sizeof(*memory));
	memory->resident = statm.resident;
	memory->used = above_u64(statm.resident, statm.shared);
	return 0;
}

const char *
common_setting(const char *name)
{
	const char *value;
	char variable[64];
	struct text t;

	text_open(&t, variable, sizeof(variable));
	text_put(&t, "HEAPTIDE_");
	text_put(&t, name);
	value = t.cut ? NULL : text_variable(environ, variable);
	return value == NULL && strcmp(name, "LOG_DEBUG") == 0 &&
	    text_log_debugs(environ) ? "on" : value;
}

static void
add_bytes(struct chain *c, const char *name, uint64_t bytes)
{
	struct source_wish wish;

	wish.form = FORM_BYTES;
	wish.value = bytes;
	if (bytes != 0)
		(void)chain_add_wish(c, name, &wish);
}

/* The nearest rules, so of two that are given in bytes the lower is first. */
static void
add_wishes(struct chain *c, uint64_t set_bytes, uint64_t given_bytes)
{
	const char *own = given_bytes == TIDE_NONE ? settings_find("BUDGET") :
	    settings_own("BUDGET");
	uint64_t given = given_bytes == TIDE_NONE ? 0 : given_bytes;
	struct source_wish wish;

	if (given != 0 && (set_bytes == 0 || given < set_bytes)) {
		/* Of what the program says itself, only bytes can be compared. */
		if (own != NULL && source_parse(own, &wish) == 0 &&
		    set_bytes == 0 && wish.form == FORM_BYTES &&
		    wish.value < given)
			(void)chain_add_wish(c, "budget", &wish);
		add_bytes(c, "budget", given);
		return;
	}
	add_bytes(c, "set", set_bytes);
	if (own != NULL && source_parse(own, &wish) == 0)
		(void)chain_add_wish(c, "budget", &wish);
}

/*
 * What is used up of the tightest limit by others of the control group, or by
 * address space that is not resident.
 */
static uint64_t
others(const struct chain *c, const struct sources_answer *a)
{
	enum source_kind kind;

	if (a->tightest >= c->count || a->budget == SOURCE_NONE)
		return 0;
	kind = c->source[a->tightest].kind;
	if (kind != SOURCE_CGROUP && kind != SOURCE_LIMIT &&
	    kind != SOURCE_SHARE)
		return 0;
	return above_u64(above_u64(a->budget, a->available),
	    used_of(&c->status));
}

/*
 * Is a wish what rules, and every other limit twice as far away as all of the
 * budget, so that what others do in a few seconds is not worth a look?
 */
static bool
is_calm(const struct chain *c, const struct sources_answer *a)
{
	size_t i;

	if (a->budget == SOURCE_NONE || a->tightest != a->rules ||
	    c->source[a->rules].kind != SOURCE_SET)
		return false;
	for (i = 0; i < c->count; i++) {
		const struct source *s = &c->source[i];
		uint64_t used = s->used == SOURCE_NONE ? 0 : s->used;

		if (s->kind != SOURCE_SET && s->bytes != SOURCE_NONE &&
		    above_u64(s->bytes, used) / 2 < a->budget)
			return false;
	}
	return true;
}

static bool
is_known(uint64_t set_bytes, uint64_t given_bytes, uint64_t now_ns)
{
	return common.calm && common.pid == sys_pid() &&
	    now_ns - common.read_ns < COMMON_CALM_NS &&
	    common.set_bytes == set_bytes &&
	    common.given_bytes == given_bytes &&
	    common.settings == settings_taken() &&
	    common.address_space == sys_limit(RLIMIT_AS) &&
	    common.data == sys_limit(RLIMIT_DATA) &&
	    !chain_has_changed(&common.chain);
}

int
common_limit(uint64_t set_bytes, struct host_limit *limit)
{
	return common_limit_given(set_bytes, TIDE_NONE, limit);
}

static void
judge(struct chain *c, const struct proc_status *status, uint64_t set_bytes,
    uint64_t given_bytes, struct sources_answer *judged)
{
	chain_open(c, "", 0, status);
	add_wishes(c, set_bytes, given_bytes);
	(void)chain_add_environment(c, environ);
	chain_add_system(c);
	(void)sources_judge(c->source, c->count, false, judged);
}

int
common_limit_given(uint64_t set_bytes, uint64_t given_bytes,
    struct host_limit *limit)
{
	struct chain *c = &common.chain;
	struct sources_answer judged;
	struct proc_status status;
	uint64_t now_ns = sys_clock();
	struct text t;
	int r;

	if (is_known(set_bytes, given_bytes, now_ns)) {
		*limit = common.limit;
		return 0;
	}
	common.calm = false;
	r = proc_status_read(0, &status);
	if (r < 0)
		return r;
	judge(c, &status, set_bytes, given_bytes, &judged);
	/* More than there is lowers nothing: what others have said stands. */
	if (set_bytes != 0 && judged.budget < set_bytes)
		judge(c, &status, 0, given_bytes, &judged);
	memset(limit, 0, sizeof(*limit));
	limit->budget = judged.budget;
	limit->available = judged.available;
	limit->slow_from = judged.slow_from;
	limit->soft = judged.soft;
	if (judged.budget != SOURCE_NONE) {
		limit->others = others(c, &judged);
		text_open(&t, limit->source, sizeof(limit->source));
		text_put(&t, c->link[judged.rules].name);
	}
	common.limit = *limit;
	common.read_ns = now_ns;
	common.set_bytes = set_bytes;
	common.given_bytes = given_bytes;
	common.settings = settings_taken();
	common.address_space = sys_limit(RLIMIT_AS);
	common.data = sys_limit(RLIMIT_DATA);
	common.pid = sys_pid();
	common.calm = is_calm(c, &judged);
	return 0;
}
