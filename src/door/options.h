/*
 * options.h - what the environment asks of the library
 *
 * Floor 8 (door).  May use: base, model, sys.  Used by: boot.
 * Contexts: boot only; reads the environment as it lies, without getenv().
 */
#ifndef DOOR_OPTIONS_H
#define DOOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"
#include "model/sources.h"
#include "sys/place.h"
#include "sys/sys.h"

#define OPTIONS_GIVEN_MOST 96

struct options {
	bool enabled;      /* HEAPTIDE */
	uint32_t stacks;   /* HEAPTIDE_STACKS, enum segment_stacks */
	uint64_t sample;   /* HEAPTIDE_SAMPLE: mean distance of two, in bytes */
	uint64_t seed;     /* HEAPTIDE_SEED: to draw the same again; 0: not */
	uint64_t epoch;    /* HEAPTIDE_EPOCH: ns between marks, 0: none */
	uint32_t depth;    /* HEAPTIDE_DEPTH */
	uint32_t children; /* HEAPTIDE_CHILDREN, enum segment_children */
	uint32_t keeper;   /* HEAPTIDE_KEEPER: 1: on */
	bool has_budget;   /* HEAPTIDE_BUDGET, and then */
	struct source_wish budget;
	/* HEAPTIDE_WARN, _CRITICAL, _TARGET: thousandths, 0: not given */
	uint16_t warn_mille, critical_mille, target_mille;
	uint32_t enforce;  /* HEAPTIDE_ENFORCE, enum segment_enforce */
	bool scans_at_exit; /* HEAPTIDE_SCAN_AT_EXIT */
	bool python;       /* HEAPTIDE_PYTHON: its frames are told */
	bool verify;       /* HEAPTIDE_VERIFY: for heaptide's own tests */
	struct sys_fault fault; /* HEAPTIDE_FAULT: the same */
	int root;          /* HEAPTIDE_ROOT: pid of the tree's first process */
	uint64_t given[OPTIONS_GIVEN_MOST]; /* entries of ours, see below */
	/* Copies: a program may write its title over its environment. */
	char run[64];      /* HEAPTIDE_RUN: who started this tree, "" if none */
	char log[PLACE_ROOM]; /* HEAPTIDE_LOG, "" if none */
};

/*
 * Read all of them.  0, or -EINVAL: @wrong names the variable whose value is
 * not accepted, and the library then stays out of this process.
 */
int options_read(char *const *environment, struct options *options,
    const char **wrong);

/*
 * Is @entry (`NAME=value`) one of ours, and as it stood in that environment?
 * Then we or who started us have set it, and not the program.
 */
bool options_given(const struct options *options, const char *entry);

#endif
