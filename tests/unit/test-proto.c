#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "formats/proto.h"

/* Bytes as the encoding's own documentation has them: field 1 is 150. */
static void
a_number_is_as_the_documentation_has_it(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	proto_number(&b, 1, 150);
	assert_int_equal(b.count, 3);
	assert_memory_equal(b.bytes, "\x08\x96\x01", 3);
	proto_bytes(&b, 2, "testing", 7);
	assert_int_equal(b.count, 12);
	assert_memory_equal(b.bytes + 3, "\x12\x07testing", 9);
	proto_number(&b, 3, 0); /* is as good as nothing */
	assert_int_equal(b.count, 12);
	free(b.bytes);
}

static void
what_is_written_is_read(void **state)
{
	static const uint64_t numbers[] = { 1, 127, 128, 300, UINT32_MAX,
		UINT64_C(1) << 63, UINT64_MAX };
	struct buffer b = { 0 }, list = { 0 };
	struct proto_field f;
	struct proto p, in;
	uint64_t value;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		proto_number(&b, 15 + (uint32_t)i, numbers[i]);
		proto_packed(&list, numbers[i]);
	}
	proto_message(&b, 1000, &list);
	assert_int_equal(list.count, 0);
	p = (struct proto){ b.bytes, b.bytes + b.count, false };
	for (; proto_next(&p, &f) && !f.is_bytes; n++) {
		assert_int_equal(f.number, 15 + n);
		assert_true(f.value == numbers[n]);
	}
	assert_int_equal(n, 7);
	assert_int_equal(f.number, 1000);
	in = f.bytes;
	for (n = 0; in.at < in.end && proto_next_packed(&in, &value); n++)
		assert_true(value == numbers[n]);
	assert_int_equal(n, 7);
	assert_false(proto_next(&p, &f));
	assert_false(p.bad);
	free(b.bytes);
	free(list.bytes);
}

static void
what_reaches_beyond_its_end_is_damaged(void **state)
{
	static const struct {
		const char *bytes;
		size_t count;
	} cases[] = {
		{ "\x08", 1 },         /* a key, and no number */
		{ "\x08\x96", 2 },     /* a number that goes on */
		{ "\x12\x07test", 6 }, /* seven bytes, of which four are there */
		{ "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
		{ "\x09\x01\x02", 3 }, /* eight bytes */
		{ "\x0b", 1 },         /* a group, which nobody writes */
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *at = (const uint8_t *)cases[i].bytes;
		struct proto p = { at, at + cases[i].count, false };
		struct proto_field f;

		assert_false(proto_next(&p, &f));
		assert_true(p.bad);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_as_the_documentation_has_it),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_reaches_beyond_its_end_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
