#include "stack/pyframe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/base.h"
#include "stack/pylayout.h"
#include "stack/pyread.h"

static const struct pylayout layouts[] = {
	{ 0x030b, 152, 56, 8, 32, 48, 56, 68, 1, true, 72, 184, 48, 72 },
	{ 0x030c, 136, 56, 0, 0, 8, 56, 70, 3, false, 68, 192, 40, 56 },
	{ 0x030d, 152, 72, -1, 0, 8, 56, 70, 3, false, 68, 200, 40, 56 },
};

#define STATE_KIND(state) ((state) >> 2 & 7) /* bytes a character */
#define STATE_COMPACT     0x20
#define STATE_ASCII       0x40

#define TEXT_MOST  4096 /* characters of a text that are taken */
#define LINES_MOST MIB  /* bytes of a table of lines */

struct pyframe_here pyframe_here;

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
	pyframe_here.host = *host;
	pyframe_here.layout = &layouts[i];
	return true;
}

/* --- what may be read ----------------------------------------------------- */

static __attribute__((noinline)) bool
meet(uint64_t at, uint64_t bytes, uint64_t *met)
{
	if (!pyread_is_object(at, bytes))
		return false;
	*met = at;
	return true;
}

/* One that is mostly the one of before, which was none if it was 0. */
static HOT bool
is_met(uint64_t at, uint64_t bytes, uint64_t *met)
{
	return LIKELY(at == *met && at != 0) || meet(at, bytes, met);
}

/* --- what tells a code object from another -------------------------------- */

/*
 * Where the characters of a text are, and how many bytes they take; 0: it is
 * none, or not in one piece.
 */
static HOT uint64_t
content(uint64_t text, uint64_t *bytes, uint32_t *kind, bool *ascii)
{
	const struct pylayout *l = pyframe_here.layout;
	uint64_t length;
	uint32_t state;

	if (!pyread_is_object(text, l->ascii))
		return 0;
	length = min_u64(pylayout_word(text + TEXT_LENGTH), TEXT_MOST);
	state = (uint32_t)pylayout_word(text + TEXT_STATE);
	*ascii = (state & STATE_ASCII) != 0;
	*kind = STATE_KIND(state);
	*bytes = length * *kind;
	if ((state & STATE_COMPACT) == 0 || (*kind != 1 && *kind != 2 &&
	    *kind != 4) || *bytes == 0)
		return 0;
	return text + (*ascii ? l->ascii : l->compact);
}

static void
keep_end(struct pytext *t)
{
	uint64_t bytes, at;
	uint32_t kind;
	bool ascii;

	at = content(t->address, &bytes, &kind, &ascii);
	if (at == 0)
		return;
	t->length = pylayout_word(t->address + TEXT_LENGTH);
	t->state = pylayout_word(t->address + TEXT_STATE);
	t->bytes = min_u64(bytes, PYTEXT_KEPT);
	t->end = at + bytes - t->bytes;
	if (pyread_is_piece(t->end, t->bytes))
		memcpy(t->kept, (const void *)(uintptr_t)t->end, t->bytes);
	else
		t->bytes = 0;
}

static void
read_text(uint64_t at, struct pytext *t)
{
	t->address = pyread_is_object(at, pyframe_here.layout->ascii) ? at : 0;
	t->hash = TEXT_NO_HASH;
	t->bytes = 0;
	if (t->address != 0)
		t->hash = pylayout_word(at + TEXT_HASH);
	if (t->hash == TEXT_NO_HASH)
		keep_end(t);
}

/* The last word may lie over the one before. */
static uint64_t
sum_of_text(const struct pytext *t)
{
	uint64_t sum = t->bytes;
	uint64_t word = 0;
	size_t i;

	if (t->hash != TEXT_NO_HASH)
		return t->hash;
	for (i = 0; i < t->bytes; i += 8) {
		memcpy(&word, t->kept + (i + 8 <= t->bytes ? i :
		    above_u64(t->bytes, 8)), min_u64(t->bytes, 8));
		sum = (sum + word) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return sum;
}

/* One that is being destroyed has no references left. */
static bool
is_code(uint64_t at)
{
	return pyread_is_object(at, CODE_BYTES) && pylayout_is_alive(at);
}

/* Is it part of the interpreter's own file, and there until the end? */
static bool
is_fixed(uint64_t at)
{
	return at >= pyframe_here.host.start && at < pyframe_here.host.end;
}

bool
pyframe_is_fixed(const struct pycode *c)
{
	return is_fixed(c->address);
}

/* Odd numbers without meaning: the sum of all is mixed once. */
static void
read_code(uint64_t at, struct pycode *c)
{
	c->address = at;
	c->lines = pylayout_word(at + CODE_LINES);
	c->extent = pylayout_extent(at);
	read_text(pylayout_word(at + CODE_FUNCTION), &c->function);
	read_text(pylayout_word(at + CODE_FILE), &c->file);
	c->key = at * UINT64_C(0x9e3779b97f4a7c15) +
	    c->lines * UINT64_C(0xbf58476d1ce4e5b9) +
	    c->extent * UINT64_C(0x94d049bb133111eb) +
	    sum_of_text(&c->function) * UINT64_C(0xff51afd7ed558ccd) +
	    sum_of_text(&c->file) * UINT64_C(0xc4ceb9fe1a85ec53);
}

/* Its instructions, of two bytes each, are behind its head. */
uint64_t
pyframe_code_bytes(const struct pycode *c)
{
	return round_up(pyframe_here.layout->instructions +
	    2 * (c->extent >> 32), 8);
}

/* --- frames --------------------------------------------------------------- */

static HOT bool
is_of_thread(uint64_t state, uint64_t self)
{
	return pylayout_word(state + pyframe_here.layout->thread_id) == self;
}

/*
 * The state that this thread runs with.  From 3.12 on the second function tells
 * of this thread, and with sub-interpreters only that is right; before, it
 * tells of the one that holds the GIL.  While the interpreter ends, it frees
 * the states of threads that do not hold it.
 */
static __attribute__((noinline)) uint64_t
ask_for_state(void *current, struct pyframe_met *met)
{
	const struct pyframe_host *host = &pyframe_here.host;
	bool tells = pyframe_here.layout->version >= 0x030c;
	void *state = current;
	uint64_t at;

	if (!tells || state == NULL)
		state = host->own();
	if (state != current && host->ends())
		return 0;
	at = (uintptr_t)state;
	if (!pyread_is_object(at, STATE_BYTES) || !is_of_thread(at,
	    (uint64_t)pthread_self()))
		return 0;
	if (state == current && (tells || is_fixed(at))) {
		met->state = 0;
		atomic_signal_fence(memory_order_seq_cst);
		met->self = (uint64_t)pthread_self();
		atomic_signal_fence(memory_order_seq_cst);
		met->state = at;
	}
	return at;
}

/*
 * Mostly it need not be asked for: this thread's is the one that was found the
 * last time, and is either what tells of this thread, or the main thread's,
 * which is never freed.
 */
static HOT uint64_t
own_state(struct pyframe_met *met)
{
	void *current = pyframe_here.host.current();
	uint64_t state = (uintptr_t)current;

	if (UNLIKELY(state == 0 || state != met->state ||
	    !is_of_thread(state, met->self)))
		return ask_for_state(current, met);
	return state;
}

uint64_t
pyframe_innermost(struct pyframe_met *met)
{
	const struct pylayout *l = pyframe_here.layout;
	uint64_t state = own_state(met);
	uint64_t place;

	if (UNLIKELY(state == 0))
		return 0;
	place = pylayout_word(state + l->current);
	if (place == 0 || l->inner < 0)
		return place;
	place += (uint64_t)l->inner;
	return is_met(place, 8, &met->place) ? pylayout_word(place) : 0;
}

bool
pyframe_is_one(uint64_t frame, uint64_t *outer)
{
	const struct pylayout *l = pyframe_here.layout;

	if (!pyread_is_object(frame, FRAME_BYTES))
		return false;
	*outer = pylayout_word(frame + l->previous);
	return (pylayout_ends_call(frame) && !l->end_is_frame) ||
	    is_code(pylayout_word(frame + l->code));
}

bool
pyframe_read(uint64_t frame, struct pyframe *f, bool is_code_known)
{
	const struct pylayout *l = pyframe_here.layout;

	if (!pyframe_is_one(frame, &f->outer))
		return false;
	f->last = pylayout_ends_call(frame);
	if (f->last && !l->end_is_frame) {
		f->at = 0;
		f->code.address = 0;
		f->code.key = 1;
		return true;
	}
	f->at = pylayout_word(frame + l->instruction);
	if (!is_code_known) {
		read_code(pylayout_word(frame + l->code), &f->code);
		f->line_met = 0;
	}
	return true;
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

/*
 * Where in a table one is: a whole word, for a signal handler that comes here
 * as well.  0: at its begin; what does not fit is not remembered.
 *
 *    63       40 39           20 19               0
 *   |   bytes   | instructions  | lines, of either sign |
 */
#define MET_BITS 20

static uint64_t
pack_met(uint64_t bytes, uint64_t passed, uint32_t lines)
{
	uint32_t moved = lines + (UINT32_C(1) << (MET_BITS - 1));

	if (bytes >> 24 != 0 || passed >> MET_BITS != 0 ||
	    moved >> MET_BITS != 0)
		return 0;
	return bytes << (2 * MET_BITS) | passed << MET_BITS | moved;
}

/* As far as there is no later instruction wanted than the @wanted-th. */
static void
go_on_from(uint64_t met, uint64_t wanted, struct lines *t, uint64_t *passed,
    uint32_t *line)
{
	const uint64_t mask = (UINT64_C(1) << MET_BITS) - 1;
	uint64_t bytes = met >> (2 * MET_BITS);

	*passed = met >> MET_BITS & mask;
	if (met == 0 || *passed > wanted ||
	    bytes > (uint64_t)(t->end - t->at)) {
		*passed = 0;
		return;
	}
	t->at += bytes;
	*line += (uint32_t)(met & mask) - (UINT32_C(1) << (MET_BITS - 1));
}

/* The line of the @wanted-th instruction. */
static uint32_t
find_line(struct lines t, uint32_t first, uint64_t wanted, uint64_t *met)
{
	const uint8_t *begin = t.at;
	uint32_t line = first;
	uint64_t passed;
	bool has;

	go_on_from(*met, wanted, &t, &passed, &line);
	while (t.at < t.end) {
		const uint8_t *entry = t.at;
		uint32_t before = line;
		uint32_t length = read_entry(&t, &line, &has);

		if (wanted < passed + length) {
			*met = pack_met((uint64_t)(entry - begin), passed,
			    before - first);
			return has ? line : 0;
		}
		passed += length;
	}
	return 0;
}

uint32_t
pyframe_line(struct pyframe *f)
{
	uint64_t table = f->code.lines;
	uint64_t start = f->code.address + pyframe_here.layout->instructions;
	uint32_t first = (uint32_t)f->code.extent;
	struct lines t;
	uint64_t bytes;

	if (f->at < start || !pyread_is_object(table, BYTES_CONTENT))
		return first; /* it has not begun */
	bytes = pylayout_word(table + OBJECT_SIZE);
	if (bytes > LINES_MOST || !pyread_may(table, BYTES_CONTENT + bytes))
		return first;
	t.at = (const uint8_t *)(uintptr_t)(table + BYTES_CONTENT);
	t.end = t.at + bytes;
	return find_line(t, first, (f->at - start) / 2, &f->line_met);
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
	if (at == 0 || !pyread_may(at, all))
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
	return text_at(f->code.function.address, buffer, bytes);
}

const char *
pyframe_file(const struct pyframe *f, char buffer[PYFRAME_TEXT],
    size_t *bytes)
{
	return text_at(f->code.file.address, buffer, bytes);
}
