#include "model/interval.h"

#include "base/base.h"
#include "model/numbers.h"

uint64_t
interval_between(uint64_t work_ns, uint32_t crashes)
{
	return crashes == 0 ? 0 : work_ns / crashes;
}

uint64_t
interval_best(uint64_t cost_ns, uint64_t between_ns)
{
	double c = (double)cost_ns, m = (double)between_ns, best;

	if (cost_ns == 0 || between_ns == 0)
		return 0;
	if (c >= 2 * m)
		return max_u64(cost_ns, between_ns);
	best = numbers_root(2 * c * m) *
	    (1 + numbers_root(c / (2 * m)) / 3 + c / (2 * m) / 9) - c;
	/* Beyond half of M, where it rises no more, Daly has M. */
	if (!(best < m))
		best = m;
	return best < c ? cost_ns : whole_u64(best);
}

double
interval_loss(uint64_t interval_ns, uint64_t cost_ns, uint64_t between_ns)
{
	double t = (double)interval_ns, c = (double)cost_ns;

	if (interval_ns == 0 || between_ns == 0)
		return 1;
	/* The checkpoint itself; and of a crash, half of what is between. */
	return c / (t + c) + (t + c) / (2 * (double)between_ns);
}
