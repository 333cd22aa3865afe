/*
 * knob.h - a setting between its best value and its cheapest, by pressure
 *
 * Floor 1 (model).  May use: base.  Used by: plan, the header.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 * Portable: C99 and C++11; part of the public header.
 *
 * Quality that is given up step by step is given up before anything fails:
 * samples a page, entries of a cache, the depth of a search (Envoy scales its
 * timeouts so).
 */
#ifndef MODEL_KNOB_H
#define MODEL_KNOB_H

/*
 * How hard it is pressed, 0 to 1: @used of a budget, as a share of it, lies at
 * @warn and below, or at @critical and above, or in between.  Where @critical
 * is not above @warn there is no between.  What is no number presses not.
 */
double knob_pressure(double used, double warn, double critical);

/*
 * The value: @best at a pressure of 0, @cheapest at 1, on the line in between;
 * never outside of the two, and as the pressure rises it only ever moves from
 * @best to @cheapest.  Whether @best is the greater is all the same.  If one
 * of them is no number or infinite, it is @best below a pressure of 1.
 */
double knob_value(double best, double cheapest, double pressure);

#endif
