#include "say/xml.h"

#include <string.h>

#include "base/base.h"
#include "say/print.h"

#define UNKNOWN "\xef\xbf\xbd" /* U+FFFD */

static const struct {
	char character;
	const char *entity;
	bool everywhere; /* else in attributes only */
} entities[] = {
	{ '&', "&amp;", true },
	{ '<', "&lt;", true },
	{ '>', "&gt;", true },   /* `]]>` may not stand in content */
	{ '"', "&quot;", true },
	{ '\r', "&#13;", true }, /* a parser would make a line's end of it */
	{ '\n', "&#10;", false },
	{ '\t', "&#9;", false },
};

static const char *
entity_of(char c, bool attribute)
{
	for (size_t i = 0; i < ARRAY_LENGTH(entities); i++)
		if (entities[i].character == c &&
		    (attribute || entities[i].everywhere))
			return entities[i].entity;
	return NULL;
}

/* U+FFFE and U+FFFF are characters of UTF-8, but not of XML. */
static bool
is_allowed(const char *s, size_t bytes)
{
	if (bytes == 1)
		return (unsigned char)*s >= ' ' || *s == '\t' || *s == '\n' ||
		    *s == '\r';
	return bytes != 0 && (bytes != 3 || (memcmp(s, "\xef\xbf\xbe", 3) !=
	    0 && memcmp(s, "\xef\xbf\xbf", 3) != 0));
}

void
xml_put(FILE *to, const char *text, bool attribute)
{
	while (*text != '\0') {
		size_t bytes = print_character(text);
		const char *entity = entity_of(*text, attribute);

		if (entity != NULL)
			fputs(entity, to);
		else if (is_allowed(text, bytes))
			fwrite(text, 1, bytes, to);
		else
			fputs(UNKNOWN, to);
		text += bytes != 0 ? bytes : 1;
	}
}
