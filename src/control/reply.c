#include "control/reply.h"

#include <string.h>

#include "base/base.h"

static void
begin(struct text *t, const char *name)
{
	char last = t->used > 0 ? t->start[t->used - 1] : '{';

	if (last != '{' && last != '[')
		text_put(t, ",");
	if (name == NULL)
		return;
	text_put(t, "\"");
	text_put(t, name);
	text_put(t, "\":");
}

void
reply_open(struct text *t, const char *name)
{
	begin(t, name);
	text_put(t, "{");
}

void
reply_close(struct text *t)
{
	text_put(t, "}");
}

void
reply_open_list(struct text *t, const char *name)
{
	begin(t, name);
	text_put(t, "[");
}

void
reply_close_list(struct text *t)
{
	text_put(t, "]");
}

void
reply_head(struct text *t, bool ok)
{
	reply_open(t, NULL);
	reply_bool(t, "ok", ok);
	reply_text(t, "heaptide", PACKAGE_VERSION);
	reply_u64(t, "schema", 1);
}

/* --- text ----------------------------------------------------------------- */

size_t
reply_character(const char *text, size_t bytes)
{
	const unsigned char *s = (const unsigned char *)text;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code = s[0];
	size_t length = code < 0x80 ? 1 : code < 0xc2 ? 0 : code < 0xe0 ? 2 :
	    code < 0xf0 ? 3 : code < 0xf5 ? 4 : 0;
	size_t i;

	if (length <= 1)
		return length;
	if (length > bytes)
		return 0;
	code &= 0x7f >> length;
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	return code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000) ? 0 : length;
}

static void
put_character(struct text *t, const char *s, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)s[0];
	const char code[] = { digits[byte >> 4], digits[byte & 15] };

	if (length == 0) {
		text_put(t, "\\ufffd");
	} else if (byte == '"' || byte == '\\') {
		text_put(t, "\\");
		text_put_bytes(t, s, 1);
	} else if (byte < 0x20 || byte == 0x7f) {
		text_put(t, "\\u00");
		text_put_bytes(t, code, 2);
	} else {
		text_put_bytes(t, s, length);
	}
}

void
reply_text_bytes(struct text *t, const char *name, const char *value,
    size_t bytes)
{
	size_t i, length;

	begin(t, name);
	text_put(t, "\"");
	for (i = 0; i < bytes; i += length > 0 ? length : 1) {
		length = reply_character(value + i, bytes - i);
		put_character(t, value + i, length);
	}
	text_put(t, "\"");
}

void
reply_text(struct text *t, const char *name, const char *value)
{
	reply_text_bytes(t, name, value, strlen(value));
}

/* --- numbers -------------------------------------------------------------- */

void
reply_u64(struct text *t, const char *name, uint64_t value)
{
	begin(t, name);
	text_put_u64(t, value);
}

void
reply_i64(struct text *t, const char *name, int64_t value)
{
	begin(t, name);
	text_put_i64(t, value);
}

void
reply_bool(struct text *t, const char *name, bool value)
{
	begin(t, name);
	text_put(t, value ? "true" : "false");
}

void
reply_null(struct text *t, const char *name)
{
	begin(t, name);
	text_put(t, "null");
}

void
reply_number(struct text *t, const char *name, double value)
{
	double size = value < 0 ? -value : value;
	uint64_t thousandths;
	char decimals[4] = ".000";

	/* JSON has no infinity, and beyond 2^53 no decimals mean anything. */
	if (!(size < 9e15)) {
		reply_null(t, name);
		return;
	}
	thousandths = whole_u64(size * 1000 + 0.5);
	begin(t, name);
	if (value < 0 && thousandths != 0)
		text_put(t, "-");
	text_put_u64(t, thousandths / 1000);
	thousandths %= 1000;
	decimals[1] += (char)(thousandths / 100);
	decimals[2] += (char)(thousandths / 10 % 10);
	decimals[3] += (char)(thousandths % 10);
	text_put_bytes(t, decimals, sizeof(decimals));
}
