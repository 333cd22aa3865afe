#include "scenarios.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- chance --------------------------------------------------------------- */

uint64_t seed;

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
bits(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static double
uniform(double low, double high)
{
	return low + (high - low) * ((double)(bits() >> 11) + 0.5) /
	    9007199254740992.0;
}

/* low <= it < high */
static int
between(int low, int high)
{
	return low + (int)(bits() % (uint64_t)(high - low));
}

static double
normal(void)
{
	return sqrt(-2 * log(uniform(0, 1))) *
	    cos(2 * 3.14159265358979323846 * uniform(0, 1));
}

static int
poisson(double mean)
{
	double p = exp(-mean);
	double u = uniform(0, 1);
	int k = 0;

	if (mean > 200)
		return (int)fmax(0, mean + sqrt(mean) * normal() + 0.5);
	while (u > p && k < 10000) {
		u -= p;
		p *= mean / ++k;
	}
	return k;
}

/* --- a site --------------------------------------------------------------- */

struct block *
held(struct site *s, size_t i)
{
	return &s->block[(s->first + i) & (s->room - 1)];
}

static void
put_bytes(struct site *s, int now, double bytes)
{
	struct block *larger;
	size_t i;

	if (s->count == s->room) {
		larger = calloc(s->room * 2 + 16, sizeof(*larger));
		if (larger == NULL)
			abort();
		for (i = 0; i < s->count; i++)
			larger[i] = *held(s, i);
		free(s->block);
		s->block = larger;
		s->first = 0;
		s->room = s->room == 0 ? 16 : s->room * 2;
	}
	*held(s, s->count++) = (struct block){ now, 0, bytes };
	s->live += bytes;
	s->allocated += bytes;
}

static void
put(struct site *s, int now)
{
	put_bytes(s, now, s->size);
}

static void
drop_oldest(struct site *s)
{
	s->live -= held(s, 0)->bytes;
	s->first = (s->first + 1) & (s->room - 1);
	s->count--;
}

static void
drop_newest(struct site *s)
{
	s->count--;
	s->live -= held(s, s->count)->bytes;
}

static void
drop_any(struct site *s)
{
	struct block *b = held(s, (size_t)between(0, (int)s->count));

	s->live -= b->bytes;
	s->count--;
	*b = *held(s, s->count);
}

static void
drop_all(struct site *s)
{
	while (s->count > 0)
		drop_newest(s);
}

/* Allocated and freed within the batch. */
static void
use(struct site *s, double blocks)
{
	s->allocated += blocks * s->size;
}

/* --- what is no leak ------------------------------------------------------ */

static void
constant(struct site *s, int now, int batches)
{
	(void)batches;
	if (now == 0)
		for (int i = 0; i < (int)s->a; i++)
			put(s, now);
	use(s, s->b);
}

/* What a batch holds at its end, of any size; freed in the next. */
static void
load(struct site *s, int now, int batches)
{
	(void)batches;
	drop_all(s);
	put_bytes(s, now, floor(s->size * exp(s->a * normal())));
}

/* Each block lives for exp(a) batches or so. */
static void
lifetimes(struct site *s, int now, int batches)
{
	size_t i;

	(void)batches;
	for (i = s->count; i-- > 0;)
		if (uniform(0, 1) < s->a) {
			s->live -= held(s, i)->bytes;
			s->count--;
			*held(s, i) = *held(s, s->count);
		}
	for (int k = poisson(s->b); k > 0; k--)
		put(s, now);
}

/* The length of a queue: it wanders, and is drawn back to b. */
static double
wander(struct site *s)
{
	s->level += (s->b - s->level) / s->a +
	    s->c * sqrt(2 / s->a) * normal();
	return s->level = fmax(0, s->level);
}

static void
queue(struct site *s, int now, int batches)
{
	size_t want = (size_t)wander(s);
	size_t kept = (size_t)(s->size / 1024) % 3 == 0 ? 0 : want / 4;

	(void)batches;
	while (s->count > kept)
		drop_oldest(s);
	while (s->count < want)
		put(s, now);
}

static void
stack(struct site *s, int now, int batches)
{
	size_t want = (size_t)wander(s);

	(void)batches;
	while (s->count > want)
		drop_newest(s);
	while (s->count < want)
		put(s, now);
}

/* A pool keeps what was ever needed at one time. */
static void
pool(struct site *s, int now, int batches)
{
	double want = s->b * exp(s->a * normal());

	(void)batches;
	while ((double)s->count < want)
		put(s, now);
}

static void
pool_of_queue(struct site *s, int now, int batches)
{
	double want = wander(s);

	(void)batches;
	while ((double)s->count < want)
		put(s, now);
}

/* Caches: @a new ones a batch, at most @b. */
static void
fifo(struct site *s, int now, int batches)
{
	(void)batches;
	for (int k = poisson(s->a); k > 0; k--) {
		if ((double)s->count >= s->b)
			drop_oldest(s);
		put(s, now);
	}
}

static void
any(struct site *s, int now, int batches)
{
	(void)batches;
	for (int k = poisson(s->a); k > 0; k--) {
		if ((double)s->count >= s->b)
			drop_any(s);
		put(s, now);
	}
}

/* Which was not used for long goes: by a clock, and some are used often. */
static void
lru(struct site *s, int now, int batches)
{
	struct block b;
	double u;

	(void)batches;
	for (int k = poisson(s->a); k > 0; k--) {
		for (int hits = 0; hits < 2 && s->count > 0; hits++) {
			u = uniform(0, 1);
			held(s, (size_t)(u * u * u * (double)s->count))->used =
			    1;
		}
		while ((double)s->count >= s->b) {
			b = *held(s, 0);
			drop_oldest(s);
			if (!b.used)
				break;
			s->allocated -= b.bytes;
			put_bytes(s, b.made, b.bytes);
		}
		put(s, now);
	}
}

/* What was asked for once is known for good; there are b to be asked for. */
static void
memory(struct site *s, int now, int batches)
{
	double asked = s->b / s->a;

	(void)batches;
	for (int k = poisson(asked); k > 0; k--)
		if (uniform(0, s->b) > (double)s->count)
			put(s, now);
}

/* Collected, and written out every b batches. */
static void
sawtooth(struct site *s, int now, int batches)
{
	(void)batches;
	s->level++;
	if (s->level >= s->b) {
		s->level = 0;
		while ((double)s->count > s->c)
			drop_oldest(s);
	}
	for (int k = poisson(s->a); k > 0; k--)
		put(s, now);
}

/* Load by the time of the day; each batch has blocks of its own. */
static void
season(struct site *s, int now, int batches)
{
	double wave = sin(2 * 3.14159265358979323846 *
	    ((double)now / s->b + s->c));

	(void)batches;
	drop_all(s);
	for (int k = poisson(s->a * (1.2 + wave)); k > 0; k--)
		put(s, now);
}

static void
season_pool(struct site *s, int now, int batches)
{
	double wave = sin(2 * 3.14159265358979323846 *
	    ((double)now / s->b + s->c));
	int want = poisson(s->a * (1.2 + wave));

	(void)batches;
	while ((int)s->count < want)
		put(s, now);
}

/* It grows until b of all batches, and is given back until c of them. */
static void
freed_later(struct site *s, int now, int batches)
{
	double at = (double)now / batches;
	double peak;

	if (at < s->b) {
		for (int k = poisson(s->a); k > 0; k--)
			put(s, now);
		s->level = (double)s->count;
		return;
	}
	peak = at < s->c ? s->level * (s->c - at) / (s->c - s->b) : 0;
	while ((double)s->count > peak)
		drop_oldest(s);
}

/* --- leaks ---------------------------------------------------------------- */

/* From batch c on, a blocks in each, on average; exactly, if it is whole. */
static void
leak(struct site *s, int now, int batches)
{
	(void)batches;
	use(s, s->b);
	if (now < s->c)
		return;
	if (s->a >= 1 && s->a - floor(s->a) <= 0)
		for (int k = 0; k < s->a; k++)
			put(s, now);
	else
		for (int k = poisson(s->a); k > 0; k--)
			put(s, now);
}

/* Of errors, a share of requests, 2 % are not freed; others wait a while. */
static void
error_path(struct site *s, int now, int batches)
{
	int errors = poisson(s->a * exp(0.3 * normal()));
	size_t i;

	(void)batches;
	for (i = s->count; i-- > 0 && held(s, i)->used;)
		drop_newest(s);
	use(s, errors);
	for (int k = 0; k < errors; k++)
		if (uniform(0, 1) < 0.02)
			put(s, now);
	for (int k = poisson(s->b); k > 0; k--) {
		put(s, now);
		held(s, s->count - 1)->used = 1;
	}
}

/* a are lost in a batch, where b or so are held. */
static void
noisy_leak(struct site *s, int now, int batches)
{
	size_t i;

	(void)batches;
	for (i = s->count; i-- > 0 && held(s, i)->used;)
		drop_newest(s);
	for (int k = poisson(s->a); k > 0; k--)
		put(s, now);
	for (int k = poisson(s->b * exp(0.3 * normal())); k > 0; k--) {
		put(s, now);
		held(s, s->count - 1)->used = 1;
	}
}

/* A cache is filled, ten times as fast; then the leak is seen. */
static void
warm_leak(struct site *s, int now, int batches)
{
	for (int k = poisson(now < batches * s->c ? 10 * s->a : s->a); k > 0;
	    k--)
		put(s, now);
}

/* One block, made anew and larger in each batch. */
static void
buffer(struct site *s, int now, int batches)
{
	double bytes = s->live + s->size * (1 + poisson(s->a));

	(void)batches;
	drop_all(s);
	put_bytes(s, now, bytes);
}

/* --- scenarios ------------------------------------------------------------ */

static void
make_tiny(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = leak, .a = 1, .size = 16 };
	s[1] = (struct site){ .batch = lifetimes, .a = 0.9, .b = 100,
		.size = 4096 };
}

static void
make_error(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = error_path, .a = uniform(50, 150),
		.b = uniform(0, 2), .size = 200 };
}

static void
make_late(struct site *s, int batches)
{
	s[0] = (struct site){ .batch = leak, .a = between(1, 4), .b = 100,
		.c = batches / 2, .size = 64 };
	s[0].begins = s[0].c;
}

static void
make_late_poisson(struct site *s, int batches)
{
	s[0] = (struct site){ .batch = leak, .a = uniform(1.5, 8) + 1e-3,
		.b = 100, .c = ceil(batches * uniform(0.25, 0.6)), .size = 64 };
	s[0].begins = s[0].c;
}

static void
make_two(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = leak, .a = 3.5, .b = 10, .size = 4096 };
	s[1] = (struct site){ .batch = leak, .a = 2.5, .b = 10, .size = 64 };
}

static void
make_noisy(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = noisy_leak, .a = uniform(2, 5),
		.b = 30, .size = 100 };
}

static void
make_warm(struct site *s, int batches)
{
	s[0] = (struct site){ .batch = warm_leak, .a = uniform(3, 10),
		.c = uniform(0.05, 0.25), .size = 100 };
	s[0].begins = ceil(batches * s[0].c);
}

static void
make_buffer(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = buffer, .a = uniform(3, 10),
		.size = 100 };
}

static void
make_cache(struct site *s, int batches,
    void (*batch)(struct site *, int, int))
{
	s[0] = (struct site){ .batch = batch, .a = uniform(3, 30),
		.size = 500 };
	s[0].b = ceil(s[0].a * batches * uniform(0.05, 0.7));
}

static void
make_fifo(struct site *s, int batches)
{
	make_cache(s, batches, fifo);
}

static void
make_lru(struct site *s, int batches)
{
	make_cache(s, batches, lru);
}

static void
make_any(struct site *s, int batches)
{
	make_cache(s, batches, any);
}

static void
make_memory(struct site *s, int batches)
{
	s[0] = (struct site){ .batch = memory, .a = batches *
		uniform(0.03, 0.2), .b = uniform(50, 500), .size = 48 };
}

static void
make_pool(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = pool, .a = uniform(0.2, 1), .b = 100,
		.size = 256 };
}

/* Correlated over a batches; but the run is long beside them. */
static void
make_walk(struct site *s, int batches, void (*batch)(struct site *, int, int))
{
	s[0] = (struct site){ .batch = batch,
		.a = uniform(2, fmax(3, batches / 10)),
		.b = uniform(50, 200), .size = 1024 * between(1, 4) };
	s[0].c = s[0].b * uniform(0.1, 0.4);
	s[0].level = s[0].b;
}

static void
make_pool_of_queue(struct site *s, int batches)
{
	make_walk(s, batches, pool_of_queue);
}

static void
make_queue(struct site *s, int batches)
{
	make_walk(s, batches, queue);
}

static void
make_stack(struct site *s, int batches)
{
	make_walk(s, batches, stack);
}

static void
make_sawtooth(struct site *s, int batches)
{
	s[0] = (struct site){ .batch = sawtooth, .a = uniform(3, 30),
		.b = between(2, batches / 2 + 1), .size = 512 };
	s[0].level = between(0, (int)s[0].b);
	s[0].c = uniform(0, 1) < 0.5 ? 0 : s[0].a * s[0].b * 0.2;
}

static void
make_load(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = load, .a = uniform(0.3, 1.5),
		.size = 1e6 };
}

static void
make_season7(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = season, .a = uniform(20, 100), .b = 7,
		.c = uniform(0, 1), .size = 300 };
}

static void
make_season24(struct site *s, int batches)
{
	make_season7(s, batches);
	s[0].b = 24;
}

static void
make_season_pool(struct site *s, int batches)
{
	make_season7(s, batches);
	s[0].batch = season_pool;
	s[0].b = batches >= 96 ? 24 : 7;
}

static void
make_freed_later(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = freed_later, .a = uniform(3, 30),
		.b = uniform(0.3, 0.7), .size = 128 };
	s[0].c = s[0].b + uniform(0.01, 0.25);
}

static void
make_lifetimes(struct site *s, int batches)
{
	s[0] = (struct site){ .batch = lifetimes,
		.a = 1 / (batches * uniform(0.02, 0.2)), .b = uniform(3, 10),
		.size = 128 };
}

static void
make_none(struct site *s, int batches)
{
	(void)batches;
	s[0] = (struct site){ .batch = constant, .a = 10, .size = 100 };
}

const struct scenario scenarios[] = {
	{ "16 B a batch", 1, make_tiny },
	{ "2 % of errors", 1, make_error },
	{ "from half on", 1, make_late },
	{ "from anywhere on", 1, make_late_poisson },
	{ "two speeds", 2, make_two },
	{ "in a noisy site", 1, make_noisy },
	{ "after warm-up", 1, make_warm },
	{ "growing buffer", 1, make_buffer },
	{ "cache, FIFO", 0, make_fifo },
	{ "cache, LRU", 0, make_lru },
	{ "cache, random", 0, make_any },
	{ "cache, unbounded", 0, make_memory },
	{ "pool", 0, make_pool },
	{ "pool of a queue", 0, make_pool_of_queue },
	{ "queue", 0, make_queue },
	{ "stack", 0, make_stack },
	{ "lifetimes", 0, make_lifetimes },
	{ "sawtooth", 0, make_sawtooth },
	{ "log-normal", 0, make_load },
	{ "season of 7", 0, make_season7 },
	{ "season of 24", 0, make_season24 },
	{ "season's pool", 0, make_season_pool },
	{ "freed later", 0, make_freed_later },
	{ "nothing", 0, make_none },
	{ NULL, 0, NULL },
};

void
make_innocent(struct site *s, int batches)
{
	size_t i;

	for (i = 0; i < INNOCENT; i++)
		switch (i) {
		case 0: case 1:
			make_pool(&s[i], batches);
			break;
		case 2:
			make_fifo(&s[i], batches);
			break;
		case 3:
			make_memory(&s[i], batches);
			break;
		case 4: case 5: case 6: case 7: case 8: case 9:
			make_load(&s[i], batches);
			break;
		case 10: case 11:
			make_queue(&s[i], batches);
			break;
		case 12:
			make_stack(&s[i], batches);
			break;
		case 13:
			make_sawtooth(&s[i], batches);
			break;
		case 14: case 15: case 16:
			s[i] = (struct site){ .batch = lifetimes,
				.a = uniform(0.3, 1), .b = 20, .size = 64 };
			break;
		default:
			s[i] = (struct site){ .batch = constant,
				.a = between(1, 20), .b = between(0, 100),
				.size = 16 * between(1, 100) };
		}
}
