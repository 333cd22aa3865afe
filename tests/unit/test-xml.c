/*
 * test-xml.c - any bytes become text that XML can have
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/base.h"
#include "say/xml.h"

#define UNKNOWN "\xef\xbf\xbd"

#define ROOM 256

static void
put(char out[ROOM], const char *text, bool attribute)
{
	FILE *to = fmemopen(out, ROOM, "w");

	assert_non_null(to);
	xml_put(to, text, attribute);
	fputc('\0', to);
	fclose(to);
}

static void
text_is_escaped(void **state)
{
	static const struct { const char *text, *content, *attribute; }
	table[] = {
		{ "", "", "" },
		{ "plain 'text'", "plain 'text'", "plain 'text'" },
		{ "a<b>&\"c", "a&lt;b&gt;&amp;&quot;c",
		    "a&lt;b&gt;&amp;&quot;c" },
		{ "&amp;", "&amp;amp;", "&amp;amp;" },
		{ "]]>", "]]&gt;", "]]&gt;" },
		{ "a\n\tb", "a\n\tb", "a&#10;&#9;b" },
		{ "a\r\nb", "a&#13;\nb", "a&#13;&#10;b" },
		{ "\x01\x1f\x7f", UNKNOWN UNKNOWN "\x7f",
		    UNKNOWN UNKNOWN "\x7f" },
		{ "\xc3\xa9\xf0\x9f\x8c\x8a", "\xc3\xa9\xf0\x9f\x8c\x8a",
		    "\xc3\xa9\xf0\x9f\x8c\x8a" },
		/* Cut off, too long, a surrogate, beyond the last. */
		{ "\xc3", UNKNOWN, UNKNOWN },
		{ "\xc3<", UNKNOWN "&lt;", UNKNOWN "&lt;" },
		{ "\xc0\x80", UNKNOWN UNKNOWN, UNKNOWN UNKNOWN },
		{ "\xed\xa0\x80", UNKNOWN UNKNOWN UNKNOWN,
		    UNKNOWN UNKNOWN UNKNOWN },
		{ "\xf4\x90\x80\x80", UNKNOWN UNKNOWN UNKNOWN UNKNOWN,
		    UNKNOWN UNKNOWN UNKNOWN UNKNOWN },
		/* Characters that XML has not. */
		{ "\xef\xbf\xbe\xef\xbf\xbf", UNKNOWN UNKNOWN,
		    UNKNOWN UNKNOWN },
		{ "\xef\xbf\xbd", UNKNOWN, UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		char out[ROOM];

		put(out, table[i].text, false);
		assert_string_equal(out, table[i].content);
		put(out, table[i].text, true);
		assert_string_equal(out, table[i].attribute);
	}
}

/* Every pair of bytes: no markup is left over, and no control character. */
static void
no_bytes_get_through_as_markup(void **state)
{
	char text[4] = "xxx";

	(void)state;
	for (unsigned pair = 0x0101; pair < 0x10000; pair++) {
		char out[ROOM];

		text[0] = (char)(pair >> 8);
		text[1] = (char)(pair & 0xff);
		if (text[1] == '\0')
			continue;
		put(out, text, true);
		assert_null(strpbrk(out, "<>\"\n\t\r\x01\x1f"));
		for (const char *c = strchr(out, '&'); c != NULL;
		    c = strchr(c + 1, '&'))
			assert_non_null(strchr(c, ';'));
		assert_int_equal(out[strlen(out) - 1], 'x');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(no_bytes_get_through_as_markup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
