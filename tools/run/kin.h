/*
 * kin.h - whom a program has started, to end them with it
 *
 * Beside the house (tools/run).  May use: base, sys.  Used by: supervise.h,
 * batch.h.
 *
 * Whoever descends from it, whatever process group that has made itself; and
 * who was left by its parent, if it is of a process group or has a mark in its
 * environment.  Not who has left the session, as a daemon does: that is meant
 * to stay, and timeout(1) leaves it as well.  A session whose leader is in
 * another pid namespace, as a container's often is, is a session as well:
 * number 0.
 *
 * Each is held by a descriptor (pidfd), or known by its start time where there
 * are none, so nobody else is met who has got its number since.
 */
#ifndef RUN_KIN_H
#define RUN_KIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kin_one {
	int pid;
	int fd;         /* -1: there is none to be had */
	uint64_t ticks; /* start time */
};

/* All zero: nobody. */
struct kin {
	struct kin_one *one;
	size_t count;
	bool asked;  /* what its session is */
	int session;
};

/*
 * Add all that are there now, but not @pid, which the caller knows, nor the
 * caller; the first time @pid may have ended, but must not have been waited
 * for.  0: it has been since, and its number may be another's.  @group: a
 * process group, 0: none; @mark: "NAME=value" or NULL.
 */
void kin_find(struct kin *k, int pid, int group, const char *mark);

/*
 * The same before they are killed.  They stand still from here on, @pid as
 * well: so nobody is started who would be left without a parent, and not be
 * known.
 */
void kin_hold(struct kin *k, int pid, int group, const char *mark);

void kin_signal(const struct kin *k, int signal);

/* How many of them run still; one whose first thread alone has left does. */
size_t kin_left(const struct kin *k);

/*
 * Kill them and whom they have started since, and forget them.  @group is
 * heeded as long as one of them is in it.  Back when they are gone, which takes
 * a moment for who has much memory; at most two seconds later for who hangs in
 * a disk, ten where others have the CPU.
 */
void kin_kill(struct kin *k, int group, const char *mark);

void kin_free(struct kin *k);

#endif
