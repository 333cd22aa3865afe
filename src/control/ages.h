/*
 * ages.h - how old what each site holds is
 *
 * Floor 7 (control).  May use: base, control.  Used by: judge, mark, the tools.
 * Contexts: anywhere; a pass over all counts, or all sites.
 */
#ifndef CONTROL_AGES_H
#define CONTROL_AGES_H

#include <stdint.h>

#include "control/control.h"

/*
 * What a site holds, by when it was allocated: in [0] before the first moment
 * (struct moment), in [i] between moments i - 1 and i, in that of the number of
 * moments since the last one.
 */
struct age_columns {
	int64_t live_bytes[TREND_COLUMNS];
};

/* Sum it up for all sites below @sites; @ages has as many rows, zero. */
void ages_sum(const struct control *c, struct age_columns *ages,
    uint64_t sites);

/*
 * Columns are thinned out: @to[i] is what column i becomes part of; in order,
 * and to[0] is 0.  By who holds watch.trend_busy.
 */
void ages_thin_out(struct control *c, const uint8_t to[TREND_COLUMNS]);

#endif
