/*
 * interval.h - how long from one checkpoint to the next
 *
 * Floor 1 (model).  May use: base.  Used by: plan, tools, the header.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 * Portable: C99 and C++11; part of the public header.
 *
 * A checkpoint costs C, and a crash, one in M on average, loses what was done
 * since the last.  The time that costs least in all is about sqrt(2CM) (Young,
 * 1974); Daly (Future Generation Computer Systems 22, 2006) has the terms that
 * count where C is no longer small beside M.
 */
#ifndef MODEL_INTERVAL_H
#define MODEL_INTERVAL_H

#include <stdint.h>

/*
 * Time of work between two checkpoints, ns.  0: one of them is not known, that
 * is, 0.  Never more than @between_ns, nor less than @cost_ns.
 */
uint64_t interval_best(uint64_t cost_ns, uint64_t between_ns);

/*
 * The mean time between crashes: @crashes of them were met in @work_ns.  0: it
 * is not known.
 */
uint64_t interval_between(uint64_t work_ns, uint32_t crashes);

/*
 * The share of all time that is lost, to checkpoints and to what is done again,
 * with one each @interval_ns; 1 and more: nothing comes of it.
 */
double interval_loss(uint64_t interval_ns, uint64_t cost_ns,
    uint64_t between_ns);

#endif
