#include "stack/rules-frame.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/base.h"
#include "sys/arch.h"

/* --- reading .eh_frame ---------------------------------------------------- */

/*
 * The section was written by a linker and is part of a program that runs: it
 * is believed as the C++ runtime believes it.  The bounds only keep a wrong
 * length from leading far away.  (The range that the loader names is of the
 * code, and the section may lie outside.)
 */
#define TABLE_MOST (UINT64_C(1) << 30)
#define ENTRY_MOST (UINT64_C(1) << 20)

/* A piece of the section.  Past its end it gives zeros and says so. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static uint64_t
get(struct reader *r, size_t bytes)
{
	uint64_t value = 0;

	if ((size_t)(r->end - r->at) < bytes) {
		r->bad = true;
		r->at = r->end;
		return 0;
	}
	memcpy(&value, r->at, bytes); /* low bytes first, on both CPUs */
	r->at += bytes;
	return value;
}

/* A number in groups of seven bits, low ones first, and its highest bit's
 * place; the sign is that bit. */
static uint64_t
get_groups(struct reader *r, unsigned *bits)
{
	uint64_t value = 0;
	uint8_t byte;

	*bits = 0;
	do {
		byte = (uint8_t)get(r, 1);
		if (*bits < 64)
			value |= (uint64_t)(byte & 0x7f) << *bits;
		*bits += 7;
	} while (byte & 0x80);
	return value;
}

static uint64_t
get_uleb(struct reader *r)
{
	unsigned bits;

	return get_groups(r, &bits);
}

static int64_t
get_sleb(struct reader *r)
{
	unsigned bits;
	uint64_t value = get_groups(r, &bits);

	if (bits < 64 && (value >> (bits - 1) & 1))
		value |= ~UINT64_C(0) << bits;
	return (int64_t)value;
}

/* DW_EH_PE_*: form in the low half, what it is relative to in the high. */
#define PE_OMIT   0xff
#define PE_PCREL  0x10
#define PE_SDATA4 0x0b

static uint64_t
get_encoded(struct reader *r, uint8_t encoding)
{
	const uint8_t *here = r->at;
	uint64_t value;

	switch (encoding & 0x0f) {
	case 0x01: value = get_uleb(r); break;
	case 0x02: value = get(r, 2); break;
	case 0x03: value = get(r, 4); break;
	case 0x09: value = (uint64_t)get_sleb(r); break;
	case 0x0a: value = (uint64_t)(int16_t)get(r, 2); break;
	case 0x0b: value = (uint64_t)(int32_t)get(r, 4); break;
	default: value = get(r, 8); break; /* absptr, udata8, sdata8 */
	}
	return (encoding & 0x70) == PE_PCREL ? value + (uintptr_t)here : value;
}

/* What a common entry (CIE) says for all functions that refer to it. */
struct common {
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding;    /* of addresses in function entries */
	bool has_lengths;    /* augmentation data, with its length before it */
	bool is_signal;
	struct reader program;
};

/* The entry at @at, less its length; bad if there is none. */
static struct reader
open_entry(const uint8_t *at)
{
	struct reader r = { at, at + 4, false };
	uint64_t bytes = get(&r, 4);

	if (bytes == 0 || bytes > ENTRY_MOST) {
		r.bad = true;
		r.at = r.end;
	} else {
		r.end = r.at + bytes;
	}
	return r;
}

static void
read_augmentation(struct reader *r, const char *letters, struct common *c)
{
	for (; *letters != '\0'; letters++) {
		switch (*letters) {
		case 'L':
			(void)get(r, 1);
			break;
		case 'P':
			(void)get_encoded(r, (uint8_t)get(r, 1));
			break;
		case 'R':
			c->encoding = (uint8_t)get(r, 1);
			break;
		case 'S':
			c->is_signal = true;
			break;
		case 'B': /* return addresses are signed, aarch64 */
			break;
		default:
			r->bad = true;
			return;
		}
	}
}

static bool
read_common(const uint8_t *at, struct common *c)
{
	struct reader r = open_entry(at);
	const char *letters;
	uint8_t version;

	memset(c, 0, sizeof(*c));
	if (get(&r, 4) != 0) /* a function's entry, not a common one */
		return false;
	version = (uint8_t)get(&r, 1);
	letters = (const char *)r.at;
	while (get(&r, 1) != 0)
		;
	c->code_align = get_uleb(&r);
	c->data_align = get_sleb(&r);
	if ((version == 1 ? get(&r, 1) : get_uleb(&r)) != ARCH_DWARF_RA)
		return false;
	if (r.bad)
		return false;
	if (letters[0] == 'z') {
		uint64_t bytes = get_uleb(&r);
		struct reader data = { r.at, r.at, false };

		if (r.bad || bytes > (uint64_t)(r.end - r.at))
			return false;
		data.end = r.at + bytes;
		c->has_lengths = true;
		read_augmentation(&data, letters + 1, c);
		r.bad |= data.bad;
		r.at = data.end;
	} else if (letters[0] != '\0') {
		return false;
	}
	c->program = r;
	return !r.bad;
}

/* --- the little machine --------------------------------------------------- */

enum saved { SAVED_SAME, SAVED_OFFSET, SAVED_EXPRESSION, SAVED_GONE };

/* Small, as there are ten of each on a stack that may be: see struct machine. */
struct place_of {
	enum saved saved;
	union {
		int64_t offset;            /* from the CFA */
		const uint8_t *expression; /* its length, and then itself */
	};
};

struct row {
	uint64_t cfa_register;
	int64_t cfa_offset;
	const uint8_t *cfa_expression; /* NULL: register and offset rule */
	struct place_of fp;
	struct place_of ra;
};

#define REMEMBERED_MOST 8

struct machine {
	struct row row;
	struct row initial; /* after the common entry's program */
	struct row remembered[REMEMBERED_MOST];
	unsigned depth;
	const struct common *common;
	uint64_t location;
	uint64_t wanted;
};

/* A register's place, or NULL: one that we do not follow. */
static struct place_of *
place_in(struct row *row, uint64_t reg)
{
	if (reg == ARCH_DWARF_FP)
		return &row->fp;
	return reg == ARCH_DWARF_RA ? &row->ra : NULL;
}

static void
set_saved(struct machine *m, uint64_t reg, enum saved saved, int64_t offset)
{
	struct place_of *p = place_in(&m->row, reg);

	if (p != NULL) {
		p->saved = saved;
		p->offset = offset;
	}
}

static void
restore(struct machine *m, uint64_t reg)
{
	struct place_of *p = place_in(&m->row, reg);

	if (p != NULL)
		*p = *place_in(&m->initial, reg);
}

/* Go behind an expression; returns where it begins, with its length. */
static const uint8_t *
get_block(struct reader *r)
{
	const uint8_t *at = r->at;
	uint64_t bytes = get_uleb(r);

	if (bytes > (uint64_t)(r->end - r->at))
		r->bad = true;
	else
		r->at += bytes;
	return at;
}

/* What get_block() found to lie within its entry. */
static struct reader
open_block(const uint8_t *at)
{
	struct reader r = { at, at + ENTRY_MOST, false };
	uint64_t bytes = get_uleb(&r);

	r.end = r.at + bytes;
	return r;
}

/* A product of what an entry says, which may say anything. */
static int64_t
times(uint64_t n, int64_t factor)
{
	return (int64_t)(n * (uint64_t)factor);
}

static void
define_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
	m->row.cfa_register = reg;
	m->row.cfa_offset = offset;
	m->row.cfa_expression = NULL;
}

/* DW_CFA_* with the operation in all eight bits. */
static void
execute_extended(struct machine *m, struct reader *r, uint8_t operation)
{
	const int64_t align = m->common->data_align;
	struct place_of *p;
	uint64_t reg;

	switch (operation) {
	case 0x00: /* nop */
		break;
	case 0x01: /* set_loc */
		m->location = get_encoded(r, m->common->encoding);
		break;
	case 0x02: /* advance_loc1, 2, 4 */
	case 0x03:
	case 0x04:
		m->location += m->common->code_align *
		    get(r, (size_t)1 << (operation - 2));
		break;
	case 0x05: /* offset_extended */
		reg = get_uleb(r);
		set_saved(m, reg, SAVED_OFFSET, times(get_uleb(r), align));
		break;
	case 0x06: /* restore_extended */
		restore(m, get_uleb(r));
		break;
	case 0x07: /* undefined */
		set_saved(m, get_uleb(r), SAVED_GONE, 0);
		break;
	case 0x08: /* same_value */
		set_saved(m, get_uleb(r), SAVED_SAME, 0);
		break;
	case 0x09: /* register: in another one, which we do not follow */
		reg = get_uleb(r);
		(void)get_uleb(r);
		set_saved(m, reg, SAVED_GONE, 0);
		r->bad |= reg == ARCH_DWARF_RA;
		break;
	case 0x0a: /* remember_state */
		if (m->depth < REMEMBERED_MOST)
			m->remembered[m->depth++] = m->row;
		else
			r->bad = true;
		break;
	case 0x0b: /* restore_state */
		if (m->depth > 0)
			m->row = m->remembered[--m->depth];
		else
			r->bad = true;
		break;
	case 0x0c: /* def_cfa */
		reg = get_uleb(r);
		define_cfa(m, reg, (int64_t)get_uleb(r));
		break;
	case 0x0d: /* def_cfa_register */
		m->row.cfa_register = get_uleb(r);
		break;
	case 0x0e: /* def_cfa_offset */
		m->row.cfa_offset = (int64_t)get_uleb(r);
		break;
	case 0x0f: /* def_cfa_expression */
		m->row.cfa_expression = get_block(r);
		break;
	case 0x10: /* expression */
		p = place_in(&m->row, get_uleb(r));
		if (p != NULL) {
			p->saved = SAVED_EXPRESSION;
			p->expression = get_block(r);
		} else {
			(void)get_block(r);
		}
		break;
	case 0x11: /* offset_extended_sf */
		reg = get_uleb(r);
		set_saved(m, reg, SAVED_OFFSET,
		    times((uint64_t)get_sleb(r), align));
		break;
	case 0x12: /* def_cfa_sf */
		reg = get_uleb(r);
		define_cfa(m, reg, times((uint64_t)get_sleb(r), align));
		break;
	case 0x13: /* def_cfa_offset_sf */
		m->row.cfa_offset = times((uint64_t)get_sleb(r), align);
		break;
	case 0x14: /* val_offset, val_offset_sf: a value and no place */
	case 0x15:
		set_saved(m, get_uleb(r), SAVED_GONE, 0);
		(void)get_uleb(r);
		break;
	case 0x16: /* val_expression */
		set_saved(m, get_uleb(r), SAVED_GONE, 0);
		(void)get_block(r);
		break;
	case 0x2d: /* aarch64: return addresses are signed from here on */
		break;
	case 0x2e: /* GNU_args_size */
		(void)get_uleb(r);
		break;
	default:
		r->bad = true;
		break;
	}
}

/* Run until the place that is wanted lies before the next row. */
static bool
run(struct machine *m, struct reader r)
{
	while (r.at < r.end && !r.bad && m->location <= m->wanted) {
		uint8_t byte = (uint8_t)get(&r, 1);
		uint8_t low = byte & 0x3f;

		switch (byte >> 6) {
		case 1: /* advance_loc */
			m->location += low * m->common->code_align;
			break;
		case 2: /* offset */
			set_saved(m, low, SAVED_OFFSET,
			    times(get_uleb(&r), m->common->data_align));
			break;
		case 3: /* restore */
			restore(m, low);
			break;
		default:
			execute_extended(m, &r, low);
			break;
		}
	}
	return !r.bad;
}

/* --- from a row to a rule ------------------------------------------------- */

#define OP_DEREF     0x06
#define OP_BREG_FP   (0x70 + ARCH_DWARF_FP)

/* An expression `frame pointer + n`, with or without a load behind it. */
static bool
is_fp_plus(const uint8_t *block, bool load, int64_t *n)
{
	struct reader e = open_block(block);

	if (get(&e, 1) != OP_BREG_FP)
		return false;
	*n = get_sleb(&e);
	if (load && get(&e, 1) != OP_DEREF)
		return false;
	return e.at == e.end && !e.bad;
}

/* A step down from an address, as rules keep it; false: it is none. */
static bool
is_down(int64_t n, uint32_t *bytes)
{
	if (n > 0 || n < -(int64_t)UINT32_MAX)
		return false;
	*bytes = (uint32_t)-n;
	return true;
}

static int
as_cfa(const struct row *row, struct rule *rule)
{
	int64_t n = row->cfa_offset;

	if (row->cfa_expression != NULL) {
		rule->cfa = CFA_AT_FP;
		return is_fp_plus(row->cfa_expression, true, &n) &&
		    is_down(n, &rule->cfa_offset) ? 0 : -ENOTSUP;
	}
	if (n < 0 || n > UINT32_MAX)
		return -ENOTSUP;
	rule->cfa_offset = (uint32_t)n;
	if (row->cfa_register == ARCH_DWARF_SP)
		rule->cfa = CFA_SP;
	else if (row->cfa_register == ARCH_DWARF_FP)
		rule->cfa = CFA_FP;
	else
		return -ENOTSUP;
	return 0;
}

static int
as_fp(const struct row *row, struct rule *rule)
{
	int64_t n = 0;

	rule->fp_offset = 0;
	switch (row->fp.saved) {
	case SAVED_SAME:
		rule->fp = FP_SAME;
		return 0;
	case SAVED_GONE:
		rule->fp = FP_LOST;
		return 0;
	case SAVED_OFFSET:
		rule->fp = FP_AT_CFA;
		return is_down(row->fp.offset, &rule->fp_offset) ? 0 :
		    -ENOTSUP;
	case SAVED_EXPRESSION:
		if (!is_fp_plus(row->fp.expression, false, &n))
			return -ENOTSUP;
		rule->fp = FP_AT_FP;
		break;
	}
	if (n < 0 || n > UINT32_MAX)
		return -ENOTSUP;
	rule->fp_offset = (uint32_t)n;
	return 0;
}

static int
as_rule(const struct row *row, struct rule *rule)
{
	int r;

	memset(rule, 0, sizeof(*rule));
	if (row->ra.saved == SAVED_GONE) {
		rule->cfa = CFA_NONE;
		return 0;
	}
	if (row->ra.saved != SAVED_OFFSET || row->ra.offset == 0 ||
	    !is_down(row->ra.offset, &rule->ra_offset))
		return -ENOTSUP;
	r = as_cfa(row, rule);
	return r < 0 ? r : as_fp(row, rule);
}

/* --- finding the function ------------------------------------------------- */

/*
 * The function's entry by the sorted table of .eh_frame_hdr: pairs of
 * (address, entry), relative to the header.  NULL: no table, or of a form
 * that linkers do not write.
 */
static const uint8_t *
find_entry(const uint8_t *header, uint64_t place)
{
	struct reader r = { header, header + TABLE_MOST, false };
	const int32_t (*pair)[2];
	uint64_t low = 0;
	uint64_t high;
	uint8_t frame_encoding;
	uint8_t count_encoding;

	if (get(&r, 1) != 1) /* version */
		return NULL;
	frame_encoding = (uint8_t)get(&r, 1);
	count_encoding = (uint8_t)get(&r, 1);
	if (get(&r, 1) != (0x30 | PE_SDATA4) || count_encoding == PE_OMIT)
		return NULL;
	(void)get_encoded(&r, frame_encoding);
	high = get_encoded(&r, count_encoding);
	pair = (const void *)r.at;
	if (r.bad || high == 0 || high > TABLE_MOST / sizeof(*pair) ||
	    place < (uint64_t)((uintptr_t)header + (intptr_t)pair[0][0]))
		return NULL;
	while (high - low > 1) {
		uint64_t middle = (low + high) / 2;
		uintptr_t start = (uintptr_t)header +
		    (uintptr_t)(intptr_t)pair[middle][0];

		if (start <= place)
			low = middle;
		else
			high = middle;
	}
	return header + pair[low][1];
}

/* Run the programs of the entry at @at, if it is for @place. */
static int
compile_entry(const uint8_t *at, uint64_t place, struct rule *rule)
{
	struct machine m = { .wanted = place };
	struct common common;
	struct reader r;
	const uint8_t *id;
	uint64_t first;
	uint64_t length;
	uint64_t back;

	r = open_entry(at);
	id = r.at;
	back = get(&r, 4);
	if (r.bad || back == 0 || !read_common(id - back, &common))
		return -ENOTSUP;
	first = get_encoded(&r, common.encoding);
	length = get_encoded(&r, common.encoding & 0x0f);
	if (r.bad || place < first || place - first >= length)
		return -ENOENT;
	if (common.is_signal) {
		memset(rule, 0, sizeof(*rule));
		rule->cfa = CFA_SIGNAL;
		return 0;
	}
	if (common.has_lengths) {
		uint64_t bytes = get_uleb(&r);

		if (bytes > (uint64_t)(r.end - r.at))
			return -ENOTSUP;
		r.at += bytes;
	}
	m.common = &common;
	m.location = first;
	if (!run(&m, common.program))
		return -ENOTSUP;
	m.initial = m.row;
	if (!run(&m, r))
		return -ENOTSUP;
	return as_rule(&m.row, rule);
}

int
rules_compile(const uint8_t *header, uint64_t place, struct rule *rule)
{
	const uint8_t *at = find_entry(header, place);

	return at == NULL ? -ENOENT : compile_entry(at, place, rule);
}
