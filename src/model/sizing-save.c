#include "model/sizing-fit.h"

#include <string.h>

#define SIZING_LOADED  32 /* batches until what was loaded is old */

void
sizing_save(const struct sizing *s, struct sizing_saved *saved)
{
	uint32_t age, at;

	memset(saved, 0, sizeof(*saved));
	saved->version = SIZING_VERSION;
	saved->one = s->one;
	saved->count = s->count < SIZING_SAVED ? s->count : SIZING_SAVED;
	for (age = 0; age < saved->count; age++) {
		at = saved->count - 1 - age;
		saved->n[at] = sizing_before(s, age)->n;
		saved->g[at] = sizing_before(s, age)->g;
	}
	saved->heavy_count = s->heavy_count < SIZING_SAVED / 2 ?
	    s->heavy_count : SIZING_SAVED / 2;
	for (age = 0; age < saved->heavy_count; age++) {
		const struct sizing_heavy *h = sizing_heavy_before(s, age);

		at = saved->heavy_count - 1 - age;
		saved->heavy_sum[at] = h->sum;
		saved->heavy_padded[at] = h->padded;
		saved->heavy_g[at] = h->g;
	}
}

/* What a file says may be anything. */
static bool
sizing_is_sane(const float *value, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (!(value[i] >= 1 && value[i] < 1e18f))
			return false;
	return true;
}

bool
sizing_load(struct sizing *s, const struct sizing_saved *saved)
{
	uint32_t i;

	if (saved->version != SIZING_VERSION || saved->count > SIZING_SAVED ||
	    saved->heavy_count > SIZING_SAVED / 2 ||
	    !sizing_is_sane(saved->n, saved->count) ||
	    !sizing_is_sane(saved->g, saved->count) ||
	    !sizing_is_sane(saved->heavy_sum, saved->heavy_count) ||
	    !sizing_is_sane(saved->heavy_padded, saved->heavy_count) ||
	    !sizing_is_sane(saved->heavy_g, saved->heavy_count) ||
	    !(saved->one >= 0 && saved->one < 1e18))
		return false;
	for (i = 0; i < saved->count; i++)
		sizing_remember(s, saved->n[i], saved->g[i], false);
	for (i = 0; i < saved->heavy_count; i++)
		sizing_heavy_learn(s, saved->heavy_sum[i],
		    saved->heavy_padded[i], saved->heavy_g[i], false);
	if (s->count > 0)
		sizing_forget(s, sizing_batches(s) / 4);
	s->one = saved->one;
	s->loaded = SIZING_LOADED;
	return true;
}
