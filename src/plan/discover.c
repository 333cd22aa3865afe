/*
 * discover.c - which of the three depths it is
 *
 * Part of heaptide.h only, behind alone.c.  The library is asked for by dlsym()
 * and not by a weak symbol of its own: GNU ld makes NULL of those for good in a
 * program that is linked to one place, and would never see what is preloaded.
 * dlsym() itself may be missing: a static program has none, and stays alone.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "plan/client.h"

/*
 * Read before the first question: nothing is left, and what is to be known has
 * to be asked for.  The words of struct tide_room up to its third line.
 */
static const uint64_t discover_unmet[16] = {
	0, 0, 0, 0, 0, 0, 0,
	TIDE_NONE, 0, TIDE_NONE, TIDE_NONE, 0, 1, 0, TIDE_NONE, 0
};

typedef char discover_unmet_is_right[
    offsetof(struct tide_room, gate) == 7 * 8 &&
    offsetof(struct tide_room, refresh_ns) == 12 * 8 ? 1 : -1];

/* Found once; all parts of a program share them. */
SHARED const struct tide_room *discover_room =
    (const struct tide_room *)(const void *)discover_unmet;
SHARED const struct tide_runtime *discover_now = NULL;

static const struct tide_runtime *
discover_runtime(void)
{
	const struct tide_runtime *(*ask)(void);
	const struct tide_runtime *found = NULL;
	void *symbol = dlsym != NULL ? dlsym(RTLD_DEFAULT,
	    "heaptide_runtime") : NULL;

	if (symbol != NULL) {
		memcpy(&ask, &symbol, sizeof(ask));
		found = ask();
	}
	/* One that knows less than we do cannot answer all we may ask. */
	if (found == NULL || found->version != TIDE_RUNTIME_VERSION ||
	    found->bytes < sizeof(*found))
		found = alone_begin();
	__atomic_store_n(&discover_room, (const struct tide_room *)
	    found->room(), __ATOMIC_RELEASE);
	__atomic_store_n(&discover_now, found, __ATOMIC_RELEASE);
	return found;
}

static inline const struct tide_runtime *
discover(void)
{
	const struct tide_runtime *found =
	    __atomic_load_n(&discover_now, __ATOMIC_ACQUIRE);

	return __builtin_expect(found == NULL, 0) ? discover_runtime() : found;
}

/* A question that nobody keeps the answer of fresh. */
static const struct tide_room *
discover_fresh(void)
{
	const struct tide_room *room = discover()->room();

	if (room != __atomic_load_n(&discover_room, __ATOMIC_RELAXED))
		__atomic_store_n(&discover_room, room, __ATOMIC_RELEASE);
	return room;
}

#define TIDE_CALL_(name) discover()->name
#define TIDE_ROOM_NOW_   __atomic_load_n(&discover_room, __ATOMIC_RELAXED)
#define TIDE_FRESH_()    discover_fresh()
