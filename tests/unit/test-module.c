#include "own-segment.h"

#include <gnu/libc-version.h>
#include <string.h>

#include "base/base.h"
#include "stack/module.h"

static const struct module *
find(const void *address)
{
	const struct module *m = segment_rows(TABLE_MODULES);
	uint64_t n = segment_mine()->table[TABLE_MODULES].used;
	uint64_t at = (uintptr_t)address;

	for (; n > 0; n--, m++)
		if (at >= m->start && at < m->end)
			return m;
	return NULL;
}

static void
assert_path_ends(const struct module *m, const char *end)
{
	char path[4096] = "";

	memcpy(path, (char *)segment_rows(TABLE_TEXT) + m->path.offset,
	    m->path.bytes);
	assert_non_null(strstr(path, end));
}

static void
an_address_that_is_met_brings_its_module(void **state)
{
	const struct module *m;

	(void)state;
	assert_null(find((void *)(uintptr_t)gnu_get_libc_version));
	module_note((uintptr_t)gnu_get_libc_version, 17);
	m = find((void *)(uintptr_t)gnu_get_libc_version);
	assert_non_null(m);
	assert_path_ends(m, "libc.so.6");
	assert_int_equal(m->build_id_bytes, 20);
	assert_int_equal(m->first_node, 17);
}

static void
the_executable_has_its_path(void **state)
{
	(void)state;
	segment_mine()->identity.executable = segment_text("/a/test-module",
	    strlen("/a/test-module"));
	module_note((uintptr_t)find, 18);
	assert_path_ends(find((void *)(uintptr_t)find), "test-module");
}

static void
a_module_is_written_once_and_no_module_never(void **state)
{
	uint64_t used = segment_mine()->table[TABLE_MODULES].used;

	(void)state;
	module_note((uintptr_t)gnu_get_libc_version, 19);
	module_note((uintptr_t)find, 20);
	module_note((uintptr_t)&used, 21); /* the stack is no module */
	module_note(0, 22);
	assert_int_equal(segment_mine()->table[TABLE_MODULES].used, used);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_is_met_brings_its_module),
		cmocka_unit_test(the_executable_has_its_path),
		cmocka_unit_test(a_module_is_written_once_and_no_module_never),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
