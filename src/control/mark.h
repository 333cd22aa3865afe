/*
 * mark.h - moments with a name, and what every site held at them
 *
 * Floor 7 (control).  May use: base, sys, control.  Used by: the library,
 * answers to requests.
 * Contexts: on the slow path inside malloc: no lock, no waiting there.  Cost: with
 * figures, some 10 ns a site and thread.
 */
#ifndef CONTROL_MARK_H
#define CONTROL_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "control/control.h"

#define MARK_NAME_MOST (sizeof(((struct mark *)NULL)->name) - 1)

/*
 * Set a mark; @name is cut at MARK_NAME_MOST bytes.  Epochs get the figures of
 * all sites; one by time is left out if another is being set at that moment, and
 * MARK_NAMED and MARK_BATCH wait for that, some us as a rule.  Of MARK_TIME and
 * MARK_BATCH, once there are many, every second, fourth ... has figures; the
 * others are marks without them up to MARKS_OF_ALL_EPOCHS, and beyond that no
 * marks, but epochs all the same.
 *
 * Return: its number; MARK_NOT_KEPT; -ENOSPC: there are 32 768, or the disk is
 * full.
 */
#define MARK_NOT_KEPT INT64_MAX

/* 128 KiB of them: whom a person looks for by name is there. */
#define MARKS_OF_ALL_EPOCHS 1024

int64_t mark_set(struct control *c, enum mark_kind kind, const char *name,
    uint64_t now_ns);

static inline bool
mark_is_epoch(uint32_t kind)
{
	return kind >= MARK_NAMED && kind <= MARK_AUTO;
}

/*
 * "mark", "epoch", "batch", "stacks", "trim", "growth"; NULL: it is none, or one
 * that is not shown.
 */
const char *mark_kind_name(uint32_t kind);

/*
 * Set a mark if config.epoch_ns has passed since the last one by time.  Where
 * there is none by time, and the program sets none, it is this often: a program
 * that knows nothing of epochs has figures to be judged by.
 */
#define MARK_AUTO_NS (250 * NS_PER_MS)

void mark_by_time(struct control *c, uint64_t now_ns);

#endif
