#include "plan/chain.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"

void
chain_open(struct chain *c, const char *root, int pid,
    const struct proc_status *status)
{
	c->root = root;
	c->pid = pid;
	c->count = 0;
	c->groups.version = 0;
	c->groups.levels = 0;
	if (status != NULL)
		c->status = *status;
	else
		memset(&c->status, 0, sizeof(c->status));
}

/* The next row; there is room for all that chain_add_system() finds. */
static void
add(struct chain *c, enum source_kind kind, const char *name, uint64_t bytes,
    uint64_t used, const char *file, size_t path_bytes, const char *note)
{
	struct source *s = &c->source[c->count];
	struct chain_link *l = &c->link[c->count];

	if (c->count == CHAIN_ROOM)
		return;
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->bytes = bytes;
	s->used = used;
	l->name = name;
	l->file = file;
	l->path_bytes = path_bytes;
	l->note = note;
	c->count++;
}

/* --- what somebody says --------------------------------------------------- */

int
chain_add_wish(struct chain *c, const char *name,
    const struct source_wish *wish)
{
	if (c->count >= CHAIN_WISHES)
		return -ENOSPC;
	add(c, SOURCE_SET, name, SOURCE_NONE, c->status.resident, NULL, 0,
	    NULL);
	c->source[c->count - 1].wish = *wish;
	return 0;
}

void
chain_add_pool(struct chain *c, uint64_t bytes, uint64_t used)
{
	add(c, SOURCE_SHARE, "pool", bytes, used, NULL, 0,
	    "what it holds of a common budget");
}

/* MiB, as Slurm has them; 0, or unset: not given. */
static int
slurm_number(const char *text, uint64_t *n)
{
	*n = 0;
	if (text == NULL || *text == '\0')
		return 0;
	return text_parse_u64(text, UINT64_MAX / MIB, n) < 0 ? -EINVAL : 0;
}

int
chain_add_slurm(struct chain *c, const char *per_node, const char *per_cpu,
    const char *cpus)
{
	uint64_t node, one, count, bytes;

	if (slurm_number(per_node, &node) < 0 ||
	    slurm_number(per_cpu, &one) < 0 || slurm_number(cpus, &count) < 0)
		return -EINVAL;
	bytes = node * MIB;
	if (node == 0 && __builtin_mul_overflow(one * MIB, count, &bytes))
		return -EINVAL;
	if (bytes != 0)
		add(c, SOURCE_SHARE, "slurm", bytes, c->status.resident, NULL,
		    0, "of the job on this node, all of its processes");
	return 0;
}

int
chain_add_environment(struct chain *c, char *const *environment)
{
	return chain_add_slurm(c,
	    text_variable(environment, "SLURM_MEM_PER_NODE"),
	    text_variable(environment, "SLURM_MEM_PER_CPU"),
	    text_variable(environment, "SLURM_CPUS_ON_NODE"));
}

/* --- what the system says ------------------------------------------------- */

/* A limit of version 1 may be set in a group that a container cannot see. */
static void
add_hidden_group(struct chain *c, uint64_t least)
{
	const struct cgroup_memory *m = &c->groups;

	if (m->levels > 0 && m->hierarchical < least)
		add(c, SOURCE_CGROUP, "cgroup", m->hierarchical,
		    m->level[0].used, "memory.stat", m->level[0].path_bytes,
		    "set in a group above, out of sight");
}

static void
add_groups(struct chain *c)
{
	const struct cgroup_memory *m = &c->groups;
	const struct cgroup_level *level;
	uint64_t least = SOURCE_NONE;

	if (cgroup_memory_read(c->root, c->pid, &c->groups) < 0) {
		c->groups.levels = 0;
		return;
	}
	for (level = m->level; level < m->level + m->levels; level++) {
		add(c, SOURCE_CGROUP, "cgroup", level->max, level->used,
		    cgroup_file_of_max(m), level->path_bytes, NULL);
		least = min_u64(least, level->max);
	}
	for (level = m->level; level < m->level + m->levels; level++)
		if (level->high != CGROUP_NONE)
			add(c, SOURCE_HIGH, "cgroup-high", level->high,
			    level->used, "memory.high", level->path_bytes,
			    NULL);
	add_hidden_group(c, least);
}

static void
add_limits(struct chain *c)
{
	struct proc_limits limits;

	memset(&limits, 0, sizeof(limits));
	if (proc_limits_read(c->root, c->pid, &limits) < 0)
		return;
	add(c, SOURCE_LIMIT, "rlimit-as", limits.address_space,
	    c->status.address_space, "limits", 0,
	    "address space, not resident memory");
	add(c, SOURCE_LIMIT, "rlimit-data", limits.data, c->status.data,
	    "limits", 0, "data mapped, not resident memory");
}

static void
add_host(struct chain *c)
{
	struct proc_memory memory;

	if (proc_memory_read(c->root, &memory) < 0)
		return;
	add(c, SOURCE_HOST, "host", source_of_host(memory.total,
	    memory.available, c->status.resident), c->status.resident,
	    "meminfo", 0, "what is available now, less a reserve");
}

void
chain_add_system(struct chain *c)
{
	add_groups(c);
	add_limits(c);
	add_host(c);
}

bool
chain_has_changed(const struct chain *c)
{
	return cgroup_memory_has_changed(&c->groups);
}
