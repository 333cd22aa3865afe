/*
 * message.c - what is said to people about memory
 *
 * Part of heaptide.h as well: C99 and C++, and names of its own throughout.
 */
#include "plan/message.h"

#include <string.h>

#include "base/text.h"
#include "model/states.h"

#define MESSAGE_KIB UINT64_C(1024)
#define MESSAGE_MIB (MESSAGE_KIB * MESSAGE_KIB)
#define MESSAGE_GIB (MESSAGE_KIB * MESSAGE_MIB)
#define MESSAGE_MS  UINT64_C(1000000)
#define MESSAGE_S   (1000 * MESSAGE_MS)

const char *
message_state(int state)
{
	return states_name(state);
}

/* --- numbers -------------------------------------------------------------- */

static struct text
message_open(char *line, size_t room)
{
	struct text t;

	text_open(&t, line, room);
	return t;
}

/*
 * @n in units of @unit, rounded to nearest, or up, with @decimals places; a
 * unit is 2^30 at most, so nothing overflows.
 */
static void
message_put_rounded(struct text *t, uint64_t n, uint64_t unit,
    unsigned decimals, int up)
{
	uint64_t whole = n / unit, rest = n % unit, one = 1, part;
	unsigned i;

	for (i = 0; i < decimals; i++)
		one *= 10;
	part = (rest * one + (up ? unit - 1 : unit / 2)) / unit;
	if (part == one) {
		part = 0;
		whole++;
	}
	text_put_u64(t, whole);
	if (decimals == 0)
		return;
	text_put(t, ".");
	for (one /= 10; one > 0; one /= 10)
		text_put_u64(t, part / one % 10);
}

static void
message_put(struct text *t, uint64_t n, uint64_t unit, unsigned decimals,
    const char *name)
{
	message_put_rounded(t, n, unit, decimals, 0);
	text_put(t, name);
}

static void
message_put_mb(struct text *t, uint64_t bytes)
{
	message_put(t, bytes, MESSAGE_MIB, 0, "MB");
}

static void
message_put_gb(struct text *t, uint64_t bytes)
{
	message_put(t, bytes, MESSAGE_GIB, 2, "GB");
}

/* +22.6 or -3.1, in MB, without the unit. */
static void
message_put_change(struct text *t, uint64_t now, uint64_t before)
{
	text_put(t, now < before ? "-" : "+");
	message_put(t, now < before ? before - now : now - before,
	    MESSAGE_MIB, 1, "");
}

/* 12.3%, of a whole that may be 0. */
static void
message_put_percent(struct text *t, uint64_t part, uint64_t whole)
{
	uint64_t half = UINT64_MAX / 2048;

	while (part > half || whole > half) {
		part /= 2;
		whole /= 2;
	}
	if (whole == 0)
		whole = 1;
	message_put(t, part * 1000 / whole, 10, 1, "%");
}

/* `pages`, `boxes`, `entries`; of one: `page`. */
static void
message_put_unit(struct text *t, const char *unit, uint64_t count)
{
	size_t n;
	char last, before;

	if (unit == NULL || *unit == '\0')
		unit = "item";
	n = strlen(unit);
	last = unit[n - 1];
	before = n > 1 ? unit[n - 2] : 'a';
	if (count == 1) {
		text_put(t, unit);
	} else if (last == 'y' && strchr("aeiou", before) == NULL) {
		text_put_bytes(t, unit, n - 1);
		text_put(t, "ies");
	} else {
		text_put(t, unit);
		text_put(t, last == 's' || last == 'x' || (last == 'h' &&
		    (before == 'c' || before == 's')) ? "es" : "s");
	}
}

/* --- how high it stands --------------------------------------------------- */

char *
message_high(char *line, size_t room, uint64_t used, uint64_t budget)
{
	struct text t = message_open(line, room);

	text_put(&t, "High memory usage detected: ");
	message_put_mb(&t, used);
	text_put(&t, " of ");
	message_put_mb(&t, budget);
	text_put(&t, ". Running cleanup...");
	return line;
}

char *
message_warning(char *line, size_t room, uint64_t used)
{
	struct text t = message_open(line, room);

	text_put(&t, "Memory warning: ");
	message_put_gb(&t, used);
	return line;
}

char *
message_memory(char *line, size_t room, uint64_t used, uint64_t budget,
    int state)
{
	struct text t = message_open(line, room);

	text_put(&t, "Memory: ");
	message_put_mb(&t, used);
	text_put(&t, "/");
	if (budget == UINT64_MAX)
		text_put(&t, "none");
	else
		message_put_mb(&t, budget);
	text_put(&t, " ");
	text_put(&t, message_state(state));
	return line;
}

char *
message_tagged(char *line, size_t room, const char *rest)
{
	struct text t = message_open(line, room);

	text_put(&t, "[heaptide] MEMORY_OPT ");
	text_put(&t, rest);
	return line;
}

char *
message_low(char *line, size_t room, uint64_t available)
{
	struct text t = message_open(line, room);

	text_put(&t, "Low memory (");
	message_put_mb(&t, available);
	text_put(&t, "), skipping");
	return line;
}

char *
message_fine(char *line, size_t room, uint64_t mean)
{
	struct text t = message_open(line, room);

	text_put(&t, "Memory usage is well within acceptable limits (");
	message_put_mb(&t, mean);
	text_put(&t, " average)");
	return line;
}

char *
message_no_room(char *line, size_t room, uint64_t baseline, uint64_t one,
    uint64_t budget, uint64_t enough)
{
	struct text t = message_open(line, room);

	text_put(&t, "baseline ");
	message_put(&t, baseline, MESSAGE_GIB, 2, " GB");
	text_put(&t, " leaves no room for one item (");
	message_put(&t, one, MESSAGE_GIB, 2, " GB");
	text_put(&t, ") in ");
	message_put(&t, budget, MESSAGE_GIB, 2, " GB");
	text_put(&t, "; raise the budget to ");
	message_put_rounded(&t, enough, MESSAGE_GIB, 2, 1);
	text_put(&t, " GB or more");
	return line;
}

/* --- operations ----------------------------------------------------------- */

char *
message_starting(char *line, size_t room, const char *op, uint64_t used)
{
	struct text t = message_open(line, room);

	text_put(&t, "Starting ");
	text_put(&t, op);
	text_put(&t, " (Memory: ");
	message_put_gb(&t, used);
	text_put(&t, ")");
	return line;
}

char *
message_efficient(char *line, size_t room, const char *op)
{
	struct text t = message_open(line, room);

	text_put(&t, "Using memory-efficient processing (");
	text_put(&t, op);
	text_put(&t, ")");
	return line;
}

char *
message_timeout(char *line, size_t room, uint64_t ns)
{
	struct text t = message_open(line, room);

	text_put(&t, "Batch processing timeout after ");
	message_put(&t, ns, MESSAGE_MS, 0, "ms");
	return line;
}

char *
message_item_failed(char *line, size_t room, uint64_t index, const char *why)
{
	struct text t = message_open(line, room);

	text_put(&t, "Item ");
	text_put_u64(&t, index);
	text_put(&t, " failed: ");
	text_put(&t, why != NULL && *why != '\0' ? why : "no reason given");
	return line;
}

/* --- cleanup -------------------------------------------------------------- */

char *
message_forcing(char *line, size_t room)
{
	struct text t = message_open(line, room);

	text_put(&t, "Forcing memory cleanup...");
	return line;
}

char *
message_cleanup(char *line, size_t room, uint64_t objects, uint64_t freed,
    uint64_t used)
{
	struct text t = message_open(line, room);

	text_put(&t, "Cleanup: ");
	text_put_u64(&t, objects);
	text_put(&t, " objects freed (");
	message_put(&t, freed, MESSAGE_MIB, 1, " MB), now ");
	message_put_gb(&t, used);
	return line;
}

char *
message_between(char *line, size_t room)
{
	struct text t = message_open(line, room);

	text_put(&t, "Running cleanup between chunks...");
	return line;
}

char *
message_freed(char *line, size_t room, uint64_t freed)
{
	struct text t = message_open(line, room);

	text_put(&t, "Cleanup freed: ");
	message_put(&t, freed, MESSAGE_MIB, 1, " MB");
	return line;
}

char *
message_freed_at(char *line, size_t room, uint64_t freed, uint64_t returned,
    uint64_t time_ns, uint64_t refault_ns)
{
	struct text t = message_open(line, room);

	text_put(&t, "Cleanup freed: ");
	message_put(&t, freed, MESSAGE_MIB, 1, " MB (");
	message_put(&t, returned, MESSAGE_MIB, 1,
	    " MB returned to the system, ");
	message_put(&t, time_ns, MESSAGE_MS, 1, " ms");
	if (refault_ns != 0) {
		text_put(&t, "; refault cost ~");
		message_put(&t, refault_ns, MESSAGE_MS, 1, " ms");
	}
	text_put(&t, ")");
	return line;
}

/* --- chunks --------------------------------------------------------------- */

char *
message_initial(char *line, size_t room, uint64_t used)
{
	struct text t = message_open(line, room);

	text_put(&t, "Initial memory usage: ");
	message_put(&t, used, MESSAGE_MIB, 1, " MB");
	return line;
}

char *
message_after_chunk(char *line, size_t room, uint64_t chunk, uint64_t used,
    uint64_t initial, uint64_t cleaned)
{
	struct text t = message_open(line, room);

	text_put(&t, "Memory after chunk ");
	text_put_u64(&t, chunk);
	text_put(&t, ": ");
	message_put(&t, used, MESSAGE_MIB, 1, " MB (change: ");
	message_put_change(&t, used, initial);
	text_put(&t, " MB)");
	if (cleaned != UINT64_MAX) {
		text_put(&t, " (");
		message_put_change(&t, used, cleaned);
		text_put(&t, " since cleanup)");
	}
	return line;
}

char *
message_chunk(char *line, size_t room, uint64_t chunk, uint64_t chunks,
    uint64_t first, uint64_t count, const char *unit)
{
	struct text t = message_open(line, room);

	text_put(&t, "--- PROCESSING CHUNK ");
	text_put_u64(&t, chunk);
	if (chunks != 0) {
		text_put(&t, "/");
		text_put_u64(&t, chunks);
	}
	text_put(&t, " (");
	message_put_unit(&t, unit, count);
	text_put(&t, " ");
	text_put_u64(&t, first + 1);
	if (count > 1) {
		text_put(&t, "-");
		text_put_u64(&t, first + count);
	}
	text_put(&t, ") ---");
	return line;
}

char *
message_chunk_items(char *line, size_t room, uint64_t count,
    const char *unit, uint64_t chunk)
{
	struct text t = message_open(line, room);

	text_put(&t, "Processing ");
	text_put_u64(&t, count);
	text_put(&t, " ");
	message_put_unit(&t, unit, count);
	text_put(&t, " in chunk ");
	text_put_u64(&t, chunk);
	return line;
}

char *
message_item(char *line, size_t room, const char *unit, uint64_t index)
{
	struct text t = message_open(line, room);

	text_put(&t, "  Processing ");
	message_put_unit(&t, unit, 1);
	text_put(&t, " ");
	text_put_u64(&t, index + 1);
	text_put(&t, "...");
	return line;
}

char *
message_chunk_done(char *line, size_t room, uint64_t chunk, uint64_t ns)
{
	struct text t = message_open(line, room);

	text_put(&t, "Chunk ");
	text_put_u64(&t, chunk);
	text_put(&t, " completed in ");
	message_put(&t, ns, MESSAGE_S, 1, "s");
	return line;
}

char *
message_progress(char *line, size_t room, uint64_t done, uint64_t whole,
    const char *unit)
{
	struct text t = message_open(line, room);

	text_put(&t, "Progress: ");
	text_put_u64(&t, done);
	text_put(&t, "/");
	text_put_u64(&t, whole);
	text_put(&t, " ");
	message_put_unit(&t, unit, whole);
	text_put(&t, " completed (");
	message_put_percent(&t, done, whole);
	text_put(&t, ")");
	return line;
}

/* Whole minutes, as they have gone by. */
static char *
message_hours(char *line, size_t room, const char *head, uint64_t ns)
{
	struct text t = message_open(line, room);
	uint64_t minutes = ns / (60 * MESSAGE_S);

	text_put(&t, head);
	text_put_u64(&t, minutes / 60);
	text_put(&t, "h ");
	text_put_u64(&t, minutes % 60);
	text_put(&t, "m");
	return line;
}

char *
message_elapsed(char *line, size_t room, uint64_t ns)
{
	return message_hours(line, room, "Elapsed: ", ns);
}

char *
message_eta(char *line, size_t room, uint64_t ns)
{
	return message_hours(line, room, "ETA: ", ns);
}
