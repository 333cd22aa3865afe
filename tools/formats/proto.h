/*
 * proto.h - messages in the wire format of protocol buffers
 *
 * Beside the house (tools/formats).  May use: base, need.  Used by:
 * export-pprof.c, import-pprof.c.
 *
 * Writing appends to a buffer.  Reading believes nothing: what reaches beyond
 * its message ends it, and is told.
 */
#ifndef FORMATS_PROTO_H
#define FORMATS_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *bytes; /* to be freed */
	size_t count, room;
};

void proto_number(struct buffer *b, uint32_t field, uint64_t value);
void proto_bytes(struct buffer *b, uint32_t field, const void *bytes,
    size_t count);
/* @from is emptied, so it can be filled again. */
void proto_message(struct buffer *b, uint32_t field, struct buffer *from);
/* A number of a packed list, which is then a message. */
void proto_packed(struct buffer *b, uint64_t value);

/* What is left of a message. */
struct proto {
	const uint8_t *at, *end;
	bool bad; /* it is damaged */
};

struct proto_field {
	uint32_t number;
	bool is_bytes;
	uint64_t value;
	struct proto bytes;
};

/* The next field; false: there is none. */
bool proto_next(struct proto *p, struct proto_field *field);
/* The next number of a packed list; or, of a field that is one number, it. */
bool proto_next_packed(struct proto *p, uint64_t *value);

#endif
