/*
 * census-kind.c - what a line of smaps tells
 */
#include "control/census-state.h"

#include <string.h>

static const struct name_rule {
	const char *start;
	enum range_class class;
	bool is_open;
} name_rules[] = {
	{ "[heap]", RANGE_ALLOCATOR, true },
	{ "[stack", RANGE_STACK, false },
	{ "[anon: glibc: pthread stack", RANGE_STACK, false },
	{ "[anon: glibc: malloc", RANGE_ALLOCATOR, true },
	{ "[anon:", RANGE_UNKNOWN, true },
	{ "[", RANGE_FILE, false }, /* [vdso], [vvar], [uprobes], ... */
};

/* Shared mappings that have a path and yet are memory. */
static const char *const memory_paths[] = {
	"/dev/shm/", "/memfd:", "/dev/zero", "/SYSV", "/anon_hugepage",
};

static bool
starts_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

/* `.../<pid>.<ticks>.tide`, perhaps with " (deleted)" behind. */
static bool
is_own_file(const struct census *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *suffix = strstr(path, SEGMENT_SUFFIX);

	if (slash == NULL || suffix == NULL ||
	    !starts_with(slash, c->own_file))
		return false;
	suffix += sizeof(SEGMENT_SUFFIX) - 1;
	return *suffix == '\0' || *suffix == ' ';
}

static enum range_class
class_of_file(const struct census *c, const struct proc_vma *vma)
{
	size_t i;

	if (is_own_file(c, vma->name))
		return RANGE_HEAPTIDE;
	for (i = 0; vma->shared && i < ARRAY_LENGTH(memory_paths); i++)
		if (starts_with(vma->name, memory_paths[i]))
			return RANGE_SHARED;
	return RANGE_FILE;
}

static void
classify_anonymous(const struct proc_vma *vma, struct range *r)
{
	size_t i;

	r->class = RANGE_UNKNOWN;
	r->is_open = true;
	if (vma->shared) {
		r->class = RANGE_SHARED;
		r->is_open = false;
		return;
	}
	for (i = 0; i < ARRAY_LENGTH(name_rules); i++) {
		if (!starts_with(vma->name, name_rules[i].start))
			continue;
		r->class = name_rules[i].class;
		r->is_open = name_rules[i].is_open;
		return;
	}
}

/* Tells paths apart well enough: the mark only widens a guess. */
static uint64_t
mark_of(const char *path)
{
	uint64_t mark = 1;

	while (*path != '\0')
		mark = mix_u64(mark ^ (unsigned char)*path++);
	return mark | 1;
}

struct range
census_classify(struct census *c, const struct proc_vma *vma)
{
	struct range r = {
		.start = vma->start,
		.end = vma->end,
		.resident = vma->resident,
		.is_accessible = vma->readable || vma->writable ||
		    vma->executable,
		.behind_guard = vma->start == c->guard_end,
	};

	if (vma->inode != 0) {
		r.class = class_of_file(c, vma);
		/* The executable is the first file: nothing is below it. */
		if (c->program == 0)
			c->program = mark_of(vma->name);
		if (vma->writable && !vma->shared) {
			c->data_end = vma->end;
			c->data_is_program = c->program == mark_of(vma->name);
		}
	} else {
		classify_anonymous(vma, &r);
		r.behind_module = vma->start == c->data_end;
		r.behind_program = r.behind_module && c->data_is_program;
	}
	if (!r.is_accessible)
		c->guard_end = vma->end;
	return r;
}
