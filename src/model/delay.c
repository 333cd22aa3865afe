#include "model/delay.h"

#include <string.h>

#include "base/base.h"
#include "model/numbers.h"

#define DELAY_MOST_NS (UINT64_C(30) * NS_PER_S)
#define DELAY_LEAST_NS NS_PER_MS /* for the jitter to begin with */
#define DELAY_VAIN_NS (UINT64_C(10) * NS_PER_S)

static uint64_t
delay_max(const struct delay *d)
{
	return d->conf.max_ns > 0 ? d->conf.max_ns : DELAY_MOST_NS;
}

void
delay_open(struct delay *d, const struct delay_conf *conf, uint64_t seed)
{
	memset(d, 0, sizeof(*d));
	if (conf != NULL)
		d->conf = *conf;
	if (d->conf.max_ns > 0 && d->conf.max_ns < d->conf.min_ns)
		d->conf.max_ns = d->conf.min_ns;
	if (!(d->conf.warn < d->conf.critical)) {
		d->conf.warn = 0;
		d->conf.critical = 0;
	}
	d->random = seed;
}

/* Even in @least to @most. */
static double
delay_draw(struct delay *d, double least, double most)
{
	d->random += UINT64_C(0x9e3779b97f4a7c15);
	return least + (most - least) *
	    ((double)(mix_u64(d->random) >> 11) / 9007199254740992.0);
}

static double
delay_need(const struct delay *d, const struct delay_look *look)
{
	double warn = d->conf.warn > 0 ? d->conf.warn : 0.75;
	double critical = d->conf.critical > 0 ? d->conf.critical : 0.88;
	double share;

	if (look->budget == 0)
		return 0;
	share = (double)look->used / (double)look->budget;
	share = numbers_within((share - warn) / (critical - warn), 0, 1);
	return share * share;
}

uint64_t
delay_next(struct delay *d, const struct delay_look *look)
{
	double min = (double)d->conf.min_ns, max = (double)delay_max(d);
	double need = delay_need(d, look);
	double ns, most;
	uint32_t doubled;

	d->criticals = look->critical ? d->criticals + 1 : 0;
	if (d->conf.mode == DELAY_OFF || (d->conf.mode == DELAY_AUTO &&
	    !look->others && !look->purge && !(look->stalled > 0)))
		return 0;
	ns = min + (max - min) * need;
	if (!(ns > 0)) {
		d->last_ns = 0;
		return 0;
	}
	for (doubled = 1; doubled < d->criticals && ns < max; doubled++)
		ns *= 2;
	most = 3 * (double)(d->last_ns > DELAY_LEAST_NS ? d->last_ns :
	    DELAY_LEAST_NS);
	if (most < min || most > ns)
		most = ns;
	ns = delay_draw(d, most / 3, most);
	ns = numbers_within(ns, min, max);
	d->last_ns = whole_u64(ns);
	return d->last_ns;
}

void
delay_done(struct delay *d, uint64_t waited_ns, uint64_t freed)
{
	d->delays++;
	d->waited_ns += waited_ns;
	d->freed += freed;
}

bool
delay_is_vain(const struct delay *d, uint64_t budget)
{
	return d->waited_ns >= DELAY_VAIN_NS &&
	    (double)d->freed < 0.01 * (double)budget;
}
