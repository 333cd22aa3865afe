#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/room.h"
#include "plan/message.h"

static char line[MESSAGE_ROOM];

/* Whole and tenths of a MB, as nearest bytes. */
static uint64_t
mb(double n)
{
	return (uint64_t)(n * (double)MIB + 0.5);
}

static uint64_t
gb(double n)
{
	return (uint64_t)(n * (double)GIB + 0.5);
}

#define SAYS(call, text) assert_string_equal(call, text)

static void
states_have_names_and_what_is_none_is_unknown(void **state)
{
	(void)state;
	SAYS(message_state(TIDE_OK), "ok");
	SAYS(message_state(TIDE_WARNING), "warning");
	SAYS(message_state(TIDE_CRITICAL), "critical");
	SAYS(message_state(TIDE_EXHAUSTED), "exhausted");
	SAYS(message_state(-1), "unknown");
	SAYS(message_state(4), "unknown");
}

static void
high_use_is_told_with_its_budget(void **state)
{
	(void)state;
	SAYS(message_high(line, sizeof(line), 600 * MIB, 512 * MIB),
	    "High memory usage detected: 600MB of 512MB. Running cleanup...");
	SAYS(message_warning(line, sizeof(line), gb(1.12)),
	    "Memory warning: 1.12GB");
	SAYS(message_low(line, sizeof(line), 87 * MIB + MIB / 4),
	    "Low memory (87MB), skipping");
	SAYS(message_fine(line, sizeof(line), 245 * MIB),
	    "Memory usage is well within acceptable limits (245MB average)");
}

static void
the_tags_that_logs_are_searched_for_stay(void **state)
{
	char rest[MESSAGE_ROOM];

	(void)state;
	SAYS(message_memory(line, sizeof(line), 600 * MIB, GIB,
	    TIDE_WARNING), "Memory: 600MB/1024MB warning");
	SAYS(message_memory(line, sizeof(line), 600 * MIB, TIDE_NONE,
	    TIDE_OK), "Memory: 600MB/none ok");
	SAYS(message_tagged(line, sizeof(line), message_low(rest, sizeof(rest),
	    3 * MIB)), "[heaptide] MEMORY_OPT Low memory (3MB), skipping");
}

static void
who_has_no_room_for_one_item_hears_how_much_is_enough(void **state)
{
	(void)state;
	SAYS(message_no_room(line, sizeof(line), gb(1.61), gb(0.12), gb(1.5),
	    gb(1.741)), "baseline 1.61 GB leaves no room for one item "
	    "(0.12 GB) in 1.50 GB; raise the budget to 1.75 GB or more");
	/* What is exact is not rounded further up. */
	message_no_room(line, sizeof(line), 0, 0, 0, 2 * GIB);
	assert_non_null(strstr(line, "to 2.00 GB or more"));
	message_no_room(line, sizeof(line), 0, 0, 0, 2 * GIB - 1);
	assert_non_null(strstr(line, "to 2.00 GB or more"));
}

static void
operations_are_told_of_by_name(void **state)
{
	(void)state;
	SAYS(message_starting(line, sizeof(line), "embedding_generation",
	    gb(0.85)), "Starting embedding_generation (Memory: 0.85GB)");
	SAYS(message_efficient(line, sizeof(line), "single_deed"),
	    "Using memory-efficient processing (single_deed)");
	SAYS(message_timeout(line, sizeof(line), 30000 * NS_PER_MS),
	    "Batch processing timeout after 30000ms");
	SAYS(message_item_failed(line, sizeof(line), 17, "no such page"),
	    "Item 17 failed: no such page");
	SAYS(message_item_failed(line, sizeof(line), UINT64_MAX, NULL),
	    "Item 18446744073709551615 failed: no reason given");
}

static void
cleanups_say_what_they_brought(void **state)
{
	(void)state;
	SAYS(message_forcing(line, sizeof(line)),
	    "Forcing memory cleanup...");
	SAYS(message_cleanup(line, sizeof(line), 1247, mb(18.4), gb(0.94)),
	    "Cleanup: 1247 objects freed (18.4 MB), now 0.94GB");
	SAYS(message_between(line, sizeof(line)),
	    "Running cleanup between chunks...");
	SAYS(message_freed(line, sizeof(line), mb(18.4)),
	    "Cleanup freed: 18.4 MB");
	SAYS(message_freed_at(line, sizeof(line), mb(18.4), mb(12.1), 3200000,
	    4000000), "Cleanup freed: 18.4 MB (12.1 MB returned to the "
	    "system, 3.2 ms; refault cost ~4.0 ms)");
	SAYS(message_freed_at(line, sizeof(line), mb(18.4), 0, 3200000, 0),
	    "Cleanup freed: 18.4 MB (0.0 MB returned to the system, 3.2 ms)");
}

static void
the_change_is_against_the_initial_value(void **state)
{
	(void)state;
	SAYS(message_initial(line, sizeof(line), mb(45.2)),
	    "Initial memory usage: 45.2 MB");
	SAYS(message_after_chunk(line, sizeof(line), 1, mb(67.8), mb(45.2),
	    UINT64_MAX), "Memory after chunk 1: 67.8 MB (change: +22.6 MB)");
	SAYS(message_after_chunk(line, sizeof(line), 2, mb(52.1), mb(45.2),
	    UINT64_MAX), "Memory after chunk 2: 52.1 MB (change: +6.9 MB)");
	SAYS(message_after_chunk(line, sizeof(line), 2, mb(52.1), mb(45.2),
	    mb(49.4)), "Memory after chunk 2: 52.1 MB (change: +6.9 MB) "
	    "(+2.7 since cleanup)");
	SAYS(message_after_chunk(line, sizeof(line), 3, mb(40), mb(45.2),
	    mb(40)), "Memory after chunk 3: 40.0 MB (change: -5.2 MB) "
	    "(+0.0 since cleanup)");
}

static void
chunks_are_counted_from_one(void **state)
{
	(void)state;
	SAYS(message_chunk(line, sizeof(line), 1, 20, 0, 50, "page"),
	    "--- PROCESSING CHUNK 1/20 (pages 1-50) ---");
	SAYS(message_chunk(line, sizeof(line), 20, 20, 950, 50, "page"),
	    "--- PROCESSING CHUNK 20/20 (pages 951-1000) ---");
	SAYS(message_chunk(line, sizeof(line), 3, 0, 6, 1, "page"),
	    "--- PROCESSING CHUNK 3 (page 7) ---");
	SAYS(message_chunk_items(line, sizeof(line), 50, "page", 1),
	    "Processing 50 pages in chunk 1");
	SAYS(message_item(line, sizeof(line), "page", 0),
	    "  Processing page 1...");
	SAYS(message_chunk_done(line, sizeof(line), 1, 45200 * NS_PER_MS),
	    "Chunk 1 completed in 45.2s");
}

static void
units_have_plurals(void **state)
{
	static const struct {
		const char *unit, *text;
		uint64_t count;
	} table[] = {
		{ "page", "Processing 1 page in chunk 9", 1 },
		{ "page", "Processing 0 pages in chunk 9", 0 },
		{ "entity", "Processing 2 entities in chunk 9", 2 },
		{ "key", "Processing 2 keys in chunk 9", 2 },
		{ "box", "Processing 2 boxes in chunk 9", 2 },
		{ "batch", "Processing 2 batches in chunk 9", 2 },
		{ "month", "Processing 2 months in chunk 9", 2 },
		{ "", "Processing 2 items in chunk 9", 2 },
		{ NULL, "Processing 1 item in chunk 9", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		SAYS(message_chunk_items(line, sizeof(line), table[i].count,
		    table[i].unit, 9), table[i].text);
}

static void
progress_has_its_share_and_its_hours(void **state)
{
	(void)state;
	SAYS(message_progress(line, sizeof(line), 1, 20, "chunk"),
	    "Progress: 1/20 chunks completed (5.0%)");
	SAYS(message_progress(line, sizeof(line), 50, 1000, "page"),
	    "Progress: 50/1000 pages completed (5.0%)");
	SAYS(message_progress(line, sizeof(line), 0, 0, "page"),
	    "Progress: 0/0 pages completed (0.0%)");
	SAYS(message_progress(line, sizeof(line), UINT64_MAX, UINT64_MAX,
	    "page"), "Progress: 18446744073709551615/18446744073709551615 "
	    "pages completed (100.0%)");
	SAYS(message_elapsed(line, sizeof(line), 45 * NS_PER_S),
	    "Elapsed: 0h 0m");
	SAYS(message_elapsed(line, sizeof(line), 29 * 3600 * NS_PER_S +
	    59 * 60 * NS_PER_S), "Elapsed: 29h 59m");
	SAYS(message_eta(line, sizeof(line), 14 * 60 * NS_PER_S),
	    "ETA: 0h 14m");
}

static void
a_number_that_rounds_up_to_the_next_unit_is_that(void **state)
{
	(void)state;
	SAYS(message_warning(line, sizeof(line), 2 * GIB - 1),
	    "Memory warning: 2.00GB");
	SAYS(message_freed(line, sizeof(line), MIB - 1),
	    "Cleanup freed: 1.0 MB");
	SAYS(message_freed(line, sizeof(line), UINT64_MAX),
	    "Cleanup freed: 17592186044416.0 MB");
}

static void
a_line_too_long_is_cut_and_ends(void **state)
{
	char small[12];

	(void)state;
	memset(small, 'x', sizeof(small));
	SAYS(message_high(small, sizeof(small), 1, 2), "High memory");
	message_high(small, 0, 1, 2); /* nothing is written */
	SAYS(small, "High memory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_have_names_and_what_is_none_is_unknown),
		cmocka_unit_test(high_use_is_told_with_its_budget),
		cmocka_unit_test(the_tags_that_logs_are_searched_for_stay),
		cmocka_unit_test(
		    who_has_no_room_for_one_item_hears_how_much_is_enough),
		cmocka_unit_test(operations_are_told_of_by_name),
		cmocka_unit_test(cleanups_say_what_they_brought),
		cmocka_unit_test(the_change_is_against_the_initial_value),
		cmocka_unit_test(chunks_are_counted_from_one),
		cmocka_unit_test(units_have_plurals),
		cmocka_unit_test(progress_has_its_share_and_its_hours),
		cmocka_unit_test(
		    a_number_that_rounds_up_to_the_next_unit_is_that),
		cmocka_unit_test(a_line_too_long_is_cut_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
