#include "model/knob.h"

#include <stdbool.h>

/* The largest number there is, and the half of it. */
#define FINITE_MOST 1.7976931348623157e308
#define HALF_MOST   8.9884656743115785e307

static bool
is_finite(double x)
{
	return x >= -FINITE_MOST && x <= FINITE_MOST;
}

static bool
is_small(double x)
{
	return x >= -HALF_MOST && x <= HALF_MOST;
}

double
knob_pressure(double used, double warn, double critical)
{
	double share;

	if (!(used > warn))
		return 0;
	if (!(used < critical))
		return used >= critical ? 1 : 0;
	share = (used - warn) / (critical - warn);
	return share < 1 ? share : 1;
}

/* Each step rounds, and rounding keeps order: so it is monotone in @pressure. */
static double
on_line(double best, double cheapest, double pressure)
{
	double value = best + (cheapest - best) * pressure;

	if (best < cheapest)
		return value < cheapest ? value : cheapest;
	return value > cheapest ? value : cheapest;
}

double
knob_value(double best, double cheapest, double pressure)
{
	if (!(pressure > 0))
		return best;
	if (pressure >= 1)
		return cheapest;
	if (!is_finite(best) || !is_finite(cheapest))
		return best;
	/* The difference of the largest numbers is none. */
	if (!is_small(best) || !is_small(cheapest))
		return 2 * on_line(best / 2, cheapest / 2, pressure);
	return on_line(best, cheapest, pressure);
}
