/*
 * figures.h - how far it is, how it went, and what was logged of it
 *
 * Floor (plan).  May use: base, model, op.h, plan.h.  Used by: door, and
 * heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), never inside malloc or a handler.
 *
 * The functions are documented in heaptide.h: figures_x() is tide_x() there.
 */
#ifndef PLAN_FIGURES_H
#define PLAN_FIGURES_H

#include "plan/client.h"

int figures_progress(tide_op *op, struct tide_progress *out);
int figures_trend(struct tide_trend *out);
int figures_run_report(struct tide_run_report *out);
void figures_log(int level, const char *line);

#endif
