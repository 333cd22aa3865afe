/*
 * proto.c - messages in the wire format of protocol buffers
 */
#include "formats/proto.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"

enum wire { WIRE_NUMBER = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* --- writing -------------------------------------------------------------- */

static void
put_bytes(struct buffer *b, const void *bytes, size_t count)
{
	if (b->room - b->count < count) {
		b->room = max_u64(b->room * 2, b->count + count + 64);
		b->bytes = need(realloc(b->bytes, b->room));
	}
	if (count != 0)
		memcpy(b->bytes + b->count, bytes, count);
	b->count += count;
}

void
proto_packed(struct buffer *b, uint64_t value)
{
	uint8_t bytes[10];
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		bytes[n++] = (uint8_t)(value | 0x80);
	bytes[n++] = (uint8_t)value;
	put_bytes(b, bytes, n);
}

void
proto_number(struct buffer *b, uint32_t field, uint64_t value)
{
	if (value == 0)
		return; /* as is what is not there */
	proto_packed(b, (uint64_t)field << 3 | WIRE_NUMBER);
	proto_packed(b, value);
}

void
proto_bytes(struct buffer *b, uint32_t field, const void *bytes, size_t count)
{
	proto_packed(b, (uint64_t)field << 3 | WIRE_BYTES);
	proto_packed(b, count);
	put_bytes(b, bytes, count);
}

void
proto_message(struct buffer *b, uint32_t field, struct buffer *from)
{
	proto_bytes(b, field, from->bytes, from->count);
	from->count = 0;
}

/* --- reading -------------------------------------------------------------- */

bool
proto_next_packed(struct proto *p, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; p->at < p->end && shift < 64; shift += 7) {
		uint8_t byte = *p->at++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return true;
		p->bad = p->at == p->end || shift + 7 >= 64;
	}
	return false;
}

static bool
take(struct proto *p, uint64_t count)
{
	if (count > (uint64_t)(p->end - p->at)) {
		p->bad = true;
		return false;
	}
	p->at += count;
	return true;
}

bool
proto_next(struct proto *p, struct proto_field *f)
{
	uint64_t key;

	*f = (struct proto_field){ 0 };
	if (p->at == p->end || !proto_next_packed(p, &key))
		return false;
	f->number = (uint32_t)min_u64(key >> 3, UINT32_MAX);
	switch (key & 7) {
	case WIRE_NUMBER:
		if (proto_next_packed(p, &f->value))
			return true;
		p->bad = true;
		return false;
	case WIRE_64:
		return take(p, 8);
	case WIRE_32:
		return take(p, 4);
	case WIRE_BYTES:
		if (!proto_next_packed(p, &f->value)) {
			p->bad = true;
			return false;
		}
		f->is_bytes = true;
		f->bytes.at = p->at;
		if (!take(p, f->value))
			return false;
		f->bytes.end = p->at;
		return true;
	}
	p->bad = true;
	return false;
}
