/*
 * limit.h - what a process may still take, and what stops it there
 *
 * Floor 7 (control).  May use: base, model, sys, plan, control.  Used by:
 * answers to requests, the tools.
 * Contexts: not from inside malloc: it reads /proc and the control groups;
 * allocates nothing.  Cost: some 100 us.  Needs 20 KiB of stack.
 */
#ifndef CONTROL_LIMIT_H
#define CONTROL_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_NONE UINT64_MAX

struct limit {
	uint64_t bytes;     /* that rules, by model/sources.h, or LIMIT_NONE */
	uint64_t used;      /* against it, in its own measure */
	uint64_t available; /* the least room in any of them, or LIMIT_NONE */
	const char *source; /* "budget", "cgroup", "rlimit-as", ... */
};

struct control;
struct source_wish;

/* 0, or a negative errno value: the process cannot be looked at. */
int limit_find(const struct control *c, struct limit *limit);

/*
 * The same of any process, heaptide inside or not; @budget_bytes is what was
 * set for it, 0: nothing.
 */
int limit_of_pid(int pid, uint64_t budget_bytes, struct limit *limit);

/*
 * What a wish (`60%`, `max-256M`) comes to for a process as it stands now.
 * -ENODATA, -ERANGE as sources_judge(), or as above.
 */
int limit_of_wish(int pid, const struct source_wish *wish, uint64_t *bytes);

#endif
