#include "own-segment.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <pthread.h>
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

/* Functions of several objects that this program is linked with. */
static uint64_t
place(size_t i)
{
	static const char *const names[] = {
		"malloc", "_cmocka_run_group_tests", "_dl_find_object"
	};

	if (i == ARRAY_LENGTH(names))
		return (uintptr_t)find;
	return (uintptr_t)dlsym(RTLD_DEFAULT, names[i]);
}

#define PLACES 4

static pthread_barrier_t together;

static void *
note_all(void *context)
{
	const uint64_t *at = context;

	pthread_barrier_wait(&together);
	for (int round = 0; round < 1000; round++)
		for (size_t i = 0; i < PLACES; i++)
			module_note(at[i], 23);
	return NULL;
}

/* At once, in a table that has none of them. */
static void
threads_that_meet_the_same_modules_leave_whole_rows(void **state)
{
	struct segment_table *t = &segment_mine()->table[TABLE_MODULES];
	uint64_t at[PLACES];
	pthread_t thread[4];

	(void)state;
	for (size_t i = 0; i < PLACES; i++)
		at[i] = place(i);
	for (int round = 0; round < 50; round++) {
		memset(segment_rows(TABLE_MODULES), 0,
		    t->used * t->entry_bytes);
		atomic_store(&t->used, 0);
		module_reset();
		pthread_barrier_init(&together, NULL, 4);
		for (int i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&thread[i], NULL,
			    note_all, at), 0);
		for (int i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
		/* Who comes at the same moment may write a row of its own. */
		assert_in_range(t->used, 3, PLACES * 4);
		for (size_t i = 0; i < PLACES; i++) {
			const struct module *m = find((void *)at[i]);

			assert_non_null(m);
			assert_true(m->path.bytes > 0);
			assert_int_equal(m->first_node, 23);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_is_met_brings_its_module),
		cmocka_unit_test(the_executable_has_its_path),
		cmocka_unit_test(a_module_is_written_once_and_no_module_never),
		cmocka_unit_test(
		    threads_that_meet_the_same_modules_leave_whole_rows),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
