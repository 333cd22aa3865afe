#include "stack/pyframe.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"
#include "sys/sys.h"

/*
 * Where words lie, in bytes, in a build with the GIL, of 64 bits.  Sources:
 * cpython/pystate.h, internal/pycore_frame.h, cpython/code.h and
 * cpython/unicodeobject.h of each version; all three were compared with what
 * offsetof() says.
 */
struct layout {
	uint16_t version;         /* major and minor: 0x030b */
	uint8_t thread_id;        /* in the thread's state: pthread_self() */
	uint8_t current;          /* its innermost frame; or where that lies, */
	int16_t inner;            /* and so far behind it then; -1: it is it */
	uint8_t code, previous, instruction; /* in a frame */
	uint8_t owner;            /* a byte that says whether it ends a call: */
	uint8_t owner_end;        /* by this value */
	bool end_is_frame;        /* and the one that does is a frame as well */
	uint8_t first_line;       /* in a code object */
	uint8_t instructions;     /* here they begin */
	uint8_t ascii, compact;   /* bytes before the characters of a text */
};

static const struct layout layouts[] = {
	{ 0x030b, 152, 56, 8, 32, 48, 56, 68, 1, true, 72, 184, 48, 72 },
	{ 0x030c, 136, 56, 0, 0, 8, 56, 70, 3, false, 68, 192, 40, 56 },
	{ 0x030d, 152, 72, -1, 0, 8, 56, 70, 3, false, 68, 200, 40, 56 },
};

/* The same in all of them. */
enum {
	OBJECT_REFERENCES = 0,
	OBJECT_TYPE = 8,
	OBJECT_SIZE = 16,       /* of code: its instructions; of bytes */
	BYTES_CONTENT = 32,
	CODE_FILE = 112,
	CODE_FUNCTION = 128,
	CODE_LINES = 136,
	TEXT_LENGTH = 16,
	TEXT_HASH = 24,         /* -1: nobody has asked for it */
	TEXT_STATE = 32,
	CODE_BYTES = 144,
	FRAME_BYTES = 72,
	STATE_BYTES = 168,
	RUNTIME_NO_GIL = 16     /* from 3.13 on: a build without the GIL */
};

#define STATE_KIND(state) ((state) >> 2 & 7) /* bytes a character */
#define STATE_COMPACT     0x20
#define STATE_ASCII       0x40

#define TEXT_MOST  4096 /* characters of a text that are taken */
#define SUM_MOST   128  /* bytes of one that tell it from others */
#define LINES_MOST MIB  /* bytes of a table of lines */
#define PAGE_BITS  12
#define PAGES      1024
#define USER_END   (UINT64_C(1) << 47)

static struct {
	struct pyframe_host host;
	const struct layout *layout;
	_Atomic uint64_t page[PAGES]; /* numbers of pages that were readable */
} python;

bool
pyframe_open(const struct pyframe_host *host)
{
	size_t i;

	if (sizeof(void *) != 8)
		return false;
	for (i = 0; i < ARRAY_LENGTH(layouts); i++)
		if (layouts[i].version == host->version >> 16)
			break;
	if (i == ARRAY_LENGTH(layouts) || (layouts[i].version >= 0x030d &&
	    *(const uint64_t *)(uintptr_t)(host->runtime +
	    RUNTIME_NO_GIL) != 0))
		return false;
	python.host = *host;
	python.layout = &layouts[i];
	return true;
}

bool
pyframe_runs(uint64_t pc)
{
	return pc > python.host.eval_start && pc <= python.host.eval_end;
}

/* --- what may be read ----------------------------------------------------- */

static COLD bool
ask_for_page(uint64_t number, _Atomic uint64_t *slot)
{
	if (!sys_is_readable((const void *)(uintptr_t)(number << PAGE_BITS)))
		return false;
	atomic_store_explicit(slot, number, memory_order_relaxed);
	return true;
}

static HOT bool
is_page(uint64_t number)
{
	_Atomic uint64_t *slot = &python.page[number % PAGES];

	return LIKELY(atomic_load_explicit(slot, memory_order_relaxed) ==
	    number) || ask_for_page(number, slot);
}

static bool
may_read(uint64_t at, uint64_t bytes)
{
	uint64_t number = at >> PAGE_BITS;

	if (number == 0 || at >= USER_END || bytes == 0)
		return false;
	for (; number <= (at + bytes - 1) >> PAGE_BITS; number++)
		if (!is_page(number))
			return false;
	return true;
}

/* The same of something small, in whole words. */
static HOT bool
is_object(uint64_t at, uint64_t bytes)
{
	uint64_t first = at >> PAGE_BITS;
	uint64_t last = (at + bytes - 1) >> PAGE_BITS;

	return LIKELY(at % 8 == 0 && first != 0 && at < USER_END) &&
	    is_page(first) && (LIKELY(first == last) || is_page(last));
}

static HOT uint64_t
word(uint64_t at)
{
	return *(const uint64_t *)(uintptr_t)at;
}

/* One that is being destroyed has no references left. */
static HOT bool
is_code(uint64_t at)
{
	return is_object(at, CODE_BYTES) &&
	    word(at + OBJECT_TYPE) == python.host.code_type &&
	    (int64_t)word(at + OBJECT_REFERENCES) > 0;
}

static HOT uint32_t
first_line(uint64_t code)
{
	return *(const uint32_t *)(uintptr_t)(code +
	    python.layout->first_line);
}

/* --- a key ---------------------------------------------------------------- */

/*
 * Where the characters of a text are, and how many bytes they take; 0: it is
 * none, or not in one piece.  The first is at a multiple of 8.
 */
static uint64_t
content(uint64_t text, uint64_t *bytes, uint32_t *kind, bool *ascii)
{
	uint64_t length, at;
	uint32_t state;

	if (!is_object(text, python.layout->ascii))
		return 0;
	length = min_u64(word(text + TEXT_LENGTH), TEXT_MOST);
	state = (uint32_t)word(text + TEXT_STATE);
	*ascii = (state & STATE_ASCII) != 0;
	*kind = STATE_KIND(state);
	at = text + (*ascii ? python.layout->ascii : python.layout->compact);
	*bytes = length * *kind;
	return (state & STATE_COMPACT) == 0 || (*kind != 1 && *kind != 2 &&
	    *kind != 4) || !may_read(at, *bytes) ? 0 : at;
}

/* Python has no hash of it yet: by its last characters. */
static COLD uint64_t
sum_of_new_text(uint64_t text)
{
	uint64_t bytes, at, i;
	uint64_t sum = 0;
	uint32_t kind;
	bool ascii;

	at = content(text, &bytes, &kind, &ascii);
	if (at == 0)
		return 0;
	i = bytes > SUM_MOST ? round_down(bytes - SUM_MOST, 8) : 0;
	for (; i + 8 <= bytes; i += 8)
		sum = (sum + word(at + i)) * UINT64_C(0x9e3779b97f4a7c15);
	for (; i < bytes; i++)
		sum = (sum + *(const uint8_t *)(uintptr_t)(at + i)) *
		    UINT64_C(0x9e3779b97f4a7c15);
	return sum + bytes;
}

static HOT uint64_t
sum_of_text(uint64_t text)
{
	uint64_t hash = UINT64_MAX;

	if (LIKELY(is_object(text + TEXT_HASH, 8)))
		hash = word(text + TEXT_HASH);
	return LIKELY(hash != UINT64_MAX) ? hash : sum_of_new_text(text);
}

/* Odd numbers without meaning: the sum of all is mixed once. */
static HOT uint64_t
key_of(uint64_t code, uint64_t at)
{
	return mix_u64(code * UINT64_C(0x9e3779b97f4a7c15) +
	    at * UINT64_C(0xd6e8feb86659fd93) +
	    word(code + CODE_LINES) * UINT64_C(0xbf58476d1ce4e5b9) +
	    (word(code + OBJECT_SIZE) << 32 | first_line(code)) *
	    UINT64_C(0x94d049bb133111eb) +
	    sum_of_text(word(code + CODE_FUNCTION)) *
	    UINT64_C(0xff51afd7ed558ccd) +
	    sum_of_text(word(code + CODE_FILE)) *
	    UINT64_C(0xc4ceb9fe1a85ec53));
}

/* --- frames --------------------------------------------------------------- */

/*
 * The state that this thread runs with.  From 3.12 on the second function tells
 * of this thread, and with sub-interpreters only that is right; before, it
 * tells of the one that holds the GIL.  While the interpreter ends, it frees
 * the states of threads that do not hold it.
 */
static uint64_t
own_state(void)
{
	void *current = python.host.current();
	void *state = current;

	if (python.layout->version < 0x030c || state == NULL)
		state = python.host.own();
	if (state != current && python.host.ends())
		return 0;
	if (!is_object((uintptr_t)state, STATE_BYTES) ||
	    word((uintptr_t)state + python.layout->thread_id) !=
	    (uint64_t)pthread_self())
		return 0;
	return (uintptr_t)state;
}

void
pyframe_begin(struct pyframe_walk *w, uint32_t most)
{
	uint64_t state = own_state();
	uint64_t frame = 0;

	if (state != 0)
		frame = word(state + python.layout->current);
	if (frame != 0 && python.layout->inner >= 0) {
		frame += (uint64_t)python.layout->inner;
		frame = is_object(frame, 8) ? word(frame) : 0;
	}
	*w = (struct pyframe_walk){ .frame = frame, .left = most };
}

static HOT bool
next(struct pyframe_walk *w, struct pyframe *f)
{
	const struct layout *l = python.layout;
	uint64_t frame = w->frame;

	if (w->left == 0 || !is_object(frame, FRAME_BYTES))
		return false;
	w->left--;
	w->frame = word(frame + l->previous);
	f->last = *(const uint8_t *)(uintptr_t)(frame + l->owner) ==
	    l->owner_end;
	if (f->last && !l->end_is_frame) {
		f->code = 0;
		f->at = 0;
		f->key = 1;
		return true;
	}
	f->code = word(frame + l->code);
	f->at = word(frame + l->instruction);
	if (!is_code(f->code))
		return false;
	f->key = key_of(f->code, f->at);
	return true;
}

bool
pyframe_next(struct pyframe_walk *w, struct pyframe *f)
{
	return next(w, f);
}

uint64_t
pyframe_sum(uint32_t most, uint32_t *calls)
{
	struct pyframe_walk w;
	struct pyframe f;
	uint64_t sum = 0;

	*calls = 0;
	pyframe_begin(&w, most);
	while (next(&w, &f)) {
		sum = sum * UINT64_C(0xd6e8feb86659fd93) + f.key + f.last;
		*calls += f.last;
	}
	return sum;
}

/* --- lines ---------------------------------------------------------------- */

/*
 * A table of locations (InternalDocs/locations.md of CPython): each entry is
 * for so many instructions of two bytes, and begins with a byte whose highest
 * bit is set, the only such one in it.
 */
struct lines {
	const uint8_t *at, *end;
};

static uint32_t
read_varint(struct lines *t)
{
	uint32_t value = 0;
	uint32_t shift = 0;
	uint8_t byte;

	do {
		if (t->at == t->end || (*t->at & 0x80) != 0)
			break;
		byte = *t->at++;
		if (shift < 32)
			value |= (uint32_t)(byte & 63) << shift;
		shift += 6;
	} while ((byte & 64) != 0);
	return value;
}

/* An entry: how far the line moves, and whether it has one.  Its length. */
static uint32_t
read_entry(struct lines *t, uint32_t *line, bool *has)
{
	uint8_t head = *t->at++;
	uint32_t kind = head >> 3 & 15;
	uint32_t move = 0;

	*has = kind != 15;
	if (kind == 13 || kind == 14) {
		move = read_varint(t);
		move = (move & 1) != 0 ? -(move >> 1) : move >> 1;
	} else if (kind >= 10 && kind <= 12) {
		move = kind - 10;
	}
	*line += move;
	while (t->at < t->end && (*t->at & 0x80) == 0)
		t->at++;
	return (head & 7) + 1;
}

uint32_t
pyframe_line(const struct pyframe *f)
{
	uint64_t table = word(f->code + CODE_LINES);
	uint64_t start = f->code + python.layout->instructions;
	uint32_t line = first_line(f->code);
	uint64_t left = (f->at - start) / 2;
	struct lines t;
	uint64_t bytes;
	bool has;

	if (f->at < start || !is_object(table, BYTES_CONTENT))
		return line; /* it has not begun */
	bytes = word(table + OBJECT_SIZE);
	if (bytes > LINES_MOST || !may_read(table, BYTES_CONTENT + bytes))
		return line;
	t.at = (const uint8_t *)(uintptr_t)(table + BYTES_CONTENT);
	t.end = t.at + bytes;
	while (t.at < t.end) {
		uint32_t length = read_entry(&t, &line, &has);

		if (left < length)
			return has ? line : 0;
		left -= length;
	}
	return 0;
}

/* --- texts ---------------------------------------------------------------- */

static uint32_t
character(uint64_t at, uint32_t kind)
{
	if (kind == 1)
		return *(const uint8_t *)(uintptr_t)at;
	return kind == 2 ? *(const uint16_t *)(uintptr_t)at :
	    *(const uint32_t *)(uintptr_t)at;
}

/* Bytes of @c in UTF-8, written at @to.  What is none there is `?`. */
static size_t
put_character(char *to, uint32_t c)
{
	static const uint8_t head[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	size_t i;

	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		n = 1;
		c = '?';
	}
	for (i = n - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (c & 63));
		c >>= 6;
	}
	to[0] = (char)(head[n == 1 ? 0 : n] | c);
	return n;
}

static const char *
text_at(uint64_t text, char buffer[PYFRAME_TEXT], size_t *bytes)
{
	uint64_t all, at, i;
	uint32_t kind;
	bool ascii;

	*bytes = 0;
	at = content(text, &all, &kind, &ascii);
	if (at == 0)
		return buffer;
	if (ascii) {
		*bytes = all;
		return (const char *)(uintptr_t)at;
	}
	for (i = 0; i < all / kind && *bytes + 4 <= PYFRAME_TEXT; i++)
		*bytes += put_character(buffer + *bytes,
		    character(at + i * kind, kind));
	return buffer;
}

const char *
pyframe_function(const struct pyframe *f, char buffer[PYFRAME_TEXT],
    size_t *bytes)
{
	return text_at(word(f->code + CODE_FUNCTION), buffer, bytes);
}

const char *
pyframe_file(const struct pyframe *f, char buffer[PYFRAME_TEXT],
    size_t *bytes)
{
	return text_at(word(f->code + CODE_FILE), buffer, bytes);
}
