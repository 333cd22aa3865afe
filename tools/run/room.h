/*
 * room.h - all limits on memory of a process, or of one that would be started
 *
 * Beside the house (tools/run).  May use: base, model, sys, plan, config,
 * reader.  Used by: cmd-budget.c, cmd-safe.c, run-gate.c, run-settings.c.
 *
 * What is wished comes from the configuration for a shell, and from its
 * environment and its profile for a process.  HEAPTIDE_SYSROOT, in tests, has
 * the system's files in a tree that is made.
 */
#ifndef RUN_ROOM_H
#define RUN_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "model/sources.h"
#include "plan/chain.h"
#include "settings/config.h"

struct room {
	int pid;            /* 0: a program that would be started from here */
	char name[16];
	bool has_segment;
	uint64_t live, peak; /* of its heap, if it has a segment */

	struct chain chain;
	/* Where a row was read, to be freed; NULL: room_from() makes it. */
	char *from[CHAIN_ROOM];
	struct sources_answer answer;
	int error;          /* of sources_judge(): a wish is not computable */
};

/*
 * Whom it is about: @operand is a pid, or NULL for a shell.  COMMAND_DONE, or
 * the exit status, and @command has said why.
 */
int room_find(struct room *room, const char *command, const char *operand);

/*
 * Gather all limits, and judge them.  @config is that of a shell; of a process
 * only what its command line says is looked at.
 */
void room_read(struct room *room, const struct config *config);

/*
 * Is there a wish of this configuration that cannot be computed?  -EINVAL: why
 * not, in a sentence.
 */
int room_check(const struct room *room, const struct config *config,
    char why[CONFIG_WHY_ROOM]);

void room_close(struct room *room);

/* Where the row @i was read; a fresh text. */
char *room_from(const struct room *room, size_t i);

/* What of memory is used, by the measure of the limit that rules, in bytes. */
uint64_t room_used(const struct room *room);

/* What may still be taken; UINT64_MAX: nothing limits it. */
uint64_t room_available(const struct room *room);

/* Have the preset `auto`, if that is what is set, come to one. */
void room_settle_preset(struct config *config);

#endif
