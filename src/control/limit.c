#include "control/limit.h"

#include <stdatomic.h>

#include "base/base.h"
#include "control/control.h"
#include "model/sources.h"
#include "sys/cgroup.h"
#include "sys/proc.h"
#include "sys/sys.h"

/* A budget, the groups, what is above them, two limits, the host. */
#define CHAIN_ROOM (1 + CGROUP_LEVELS + 1 + 2 + 1)

struct chain {
	struct source source[CHAIN_ROOM];
	const char *name[CHAIN_ROOM];
	size_t count;
};

static void
add(struct chain *c, enum source_kind kind, const char *name, uint64_t bytes,
    uint64_t used)
{
	c->name[c->count] = name;
	c->source[c->count++] = (struct source){
		.kind = kind,
		.wish = { FORM_BYTES, bytes },
		.bytes = bytes,
		.used = used,
	};
}

static void
add_groups(struct chain *c, int pid)
{
	struct cgroup_memory m;
	uint64_t least = SOURCE_NONE;
	size_t i;

	if (cgroup_memory_read("", pid, &m) < 0)
		return;
	for (i = 0; i < m.levels; i++) {
		add(c, SOURCE_CGROUP, "cgroup", m.level[i].max,
		    m.level[i].used);
		least = min_u64(least, m.level[i].max);
	}
	if (m.levels > 0 && m.hierarchical < least)
		add(c, SOURCE_CGROUP, "cgroup", m.hierarchical,
		    m.level[0].used);
}

int
limit_of_pid(int pid, uint64_t budget_bytes, struct limit *limit)
{
	struct chain c = { .count = 0 };
	struct sources_answer answer;
	struct proc_memory memory;
	struct proc_status status;
	struct proc_limits limits;
	int r = proc_status_read(pid, &status);

	if (r < 0)
		return r;
	if (budget_bytes != 0)
		add(&c, SOURCE_SET, "budget", budget_bytes, status.resident);
	add_groups(&c, pid);
	if (proc_limits_read("", pid, &limits) == 0) {
		add(&c, SOURCE_LIMIT, "rlimit-as", limits.address_space,
		    status.address_space);
		add(&c, SOURCE_LIMIT, "rlimit-data", limits.data, status.data);
	}
	if (proc_memory_read("", &memory) == 0)
		add(&c, SOURCE_HOST, "host", source_of_host(memory.total,
		    memory.available, status.resident), status.resident);
	(void)sources_judge(c.source, c.count, false, &answer);
	*limit = (struct limit){
		.bytes = answer.budget,
		.available = answer.available,
	};
	if (answer.budget != SOURCE_NONE) {
		limit->source = c.name[answer.rules];
		limit->used = c.source[answer.rules].used;
	}
	return 0;
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
