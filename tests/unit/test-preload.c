#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "door/preload.h"

#define OWN "/opt/heaptide/libheaptide.so"

static void
only_our_entry_leaves_the_list(void **state)
{
	static const struct {
		const char *list, *without;
		bool has;
	} cases[] = {
		{ "", "", false },
		{ OWN, "", true },
		{ OWN ":", "", true },
		{ "a.so", "a.so", false },
		{ "a.so:" OWN, "a.so", true },
		{ OWN ":a.so", "a.so", true },
		{ OWN " a.so", "a.so", true },
		{ "a.so:" OWN ":b.so", "a.so:b.so", true },
		{ "a.so " OWN " b.so:c.so", "a.so b.so:c.so", true },
		{ OWN ":" OWN, "", true },
		{ "libheaptide.so", "", true },
		{ "/elsewhere/$LIB/libheaptide.so:x", "x", true },
		{ "notlibheaptide.so", "notlibheaptide.so", false },
		{ "libheaptide.so.bak", "libheaptide.so.bak", false },
		{ "/opt/heaptide/", "/opt/heaptide/", false },
		{ "a::b", "a:b", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char to[256];
		size_t n = preload_without(to, cases[i].list, OWN);

		assert_string_equal(to, cases[i].without);
		assert_int_equal(n, strlen(cases[i].without));
		assert_int_equal(preload_has(cases[i].list, OWN),
		    cases[i].has);
	}
}

static void
a_library_of_another_name_is_ours_if_it_is_what_was_loaded(void **state)
{
	(void)state;
	assert_true(preload_has("/tmp/copy.so", "/tmp/copy.so"));
	assert_true(preload_has("a:./copy.so", "/tmp/copy.so"));
	assert_false(preload_has("/tmp/copy.so", OWN));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_our_entry_leaves_the_list),
		cmocka_unit_test(
		    a_library_of_another_name_is_ours_if_it_is_what_was_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
