#include "stack/retrace.h"

#include <string.h>

#include "base/base.h"
#include "stack/rules.h"
#include "stack/walk.h"

struct retracer {
	struct walk w;
	const struct arch_frame *from;
	uint32_t frame;         /* number of the present frame; 0: the leaf */
	uint64_t pc;            /* its address, */
	uint64_t place;         /* and where that was found; 0: it is the leaf */
	uint64_t inner_pc;      /* that of the frame before it */
	/* The remembered walk, and how far we are in it. */
	const struct memo_entry *kin;
	uint32_t kin_next;      /* the word to be met next */
	uint32_t kin_frame;     /* return addresses among those before it */
	uint64_t kin_place;     /* where the last of them lies */
	/* From these frames on the two are one, as far as is known. */
	uint32_t joined;
	uint32_t kin_joined;
};

/* --- the remembered walk -------------------------------------------------- */

static bool
is_at_end(const struct retracer *r)
{
	return r->kin_next == r->kin->count;
}

static uint64_t
kin_word(const struct retracer *r)
{
	return r->kin->word[r->kin_next];
}

static void
pass(struct retracer *r)
{
	r->kin_place = memo_place(r->kin_place, kin_word(r));
	r->kin_frame += memo_is_return(kin_word(r));
	r->kin_next++;
}

/* Where the frame pointer was read from that is used next; 0: nowhere. */
static uint64_t
next_fp_place(const struct retracer *r)
{
	uint64_t place = r->kin_place;
	uint32_t i;

	for (i = r->kin_next; i < r->kin->count; i++) {
		place = memo_place(place, r->kin->word[i]);
		if (memo_kind(r->kin->word[i]) == MEMO_FP)
			return place;
	}
	return 0;
}

/*
 * Words with the kind MEMO_RETURN_FP at the end of the trace are there for what
 * came behind them in the remembered walk; what comes now will say anew what
 * counts.  Returns where they begin.
 */
static uint32_t
unmark_fp(struct memo_trace *t)
{
	uint32_t i = t->count;

	while (i > t->first_fp && memo_kind(t->word[i - 1]) != MEMO_FP &&
	    memo_kind(t->word[i - 1]) != MEMO_RETURN) {
		i--;
		if (memo_kind(t->word[i]) == MEMO_RETURN_FP)
			t->word[i] ^= (uint64_t)(MEMO_RETURN_FP ^
			    MEMO_RETURN) << MEMO_KIND_SHIFT;
	}
	return i;
}

/* --- comparing ------------------------------------------------------------ */

/* Another frame is the present one: @pc was found at @place. */
static void
go_to(struct retracer *r, uint64_t pc, uint64_t place)
{
	r->frame++;
	r->inner_pc = r->pc;
	r->pc = pc;
	r->place = place;
}

/* Words of the remembered walk go over as they are. */
static bool
take_over(struct retracer *r, uint32_t first, uint64_t place)
{
	struct memo_trace *t = r->w.trace;
	uint32_t n = r->kin_next - first;

	if (UNLIKELY(t->count + n > MEMO_TRACE))
		return false;
	memcpy(&t->word[t->count], &r->kin->word[first], n * sizeof(*t->word));
	t->flags |= r->kin->flags & MEMO_HAS_FAR;
	/* The first frame's frame pointer may be what these are about. */
	if (r->kin->first_fp > first && r->w.fp == WALK_FP_FIRST) {
		t->flags |= MEMO_USES_FP;
		t->first_fp = t->count + (uint32_t)min_u64(n,
		    r->kin->first_fp - first);
	}
	t->count += n;
	t->place = place;
	return true;
}

/* Go on as long as all is as remembered; false: no room. */
static bool
compare(struct retracer *r)
{
	uint32_t first = r->kin_next;

	while (!is_at_end(r)) {
		uint64_t word = kin_word(r);
		uint64_t place = memo_place(r->kin_place, word);

		if (!memo_is_far(word) && !memo_is_there(place, word))
			break;
		pass(r);
		if (memo_is_return(word))
			go_to(r, word & MEMO_VALUE, place);
	}
	return take_over(r, first, r->kin_place);
}

/* --- stepping ------------------------------------------------------------- */

/* The stack pointer above a return address at @place, in code at @pc. */
static bool
find_sp(uint64_t pc, uint64_t place, uint64_t *sp)
{
	struct rule rule;

	if (rules_find(pc - 1, &rule) < 0)
		return false;
	*sp = place + rule.ra_offset;
	return true;
}

/*
 * What is known of the frame pointer that the frame is entered with which
 * @word, just passed, led to: something only if it counted from there on.
 */
static bool
find_fp(struct retracer *r, uint64_t word)
{
	struct walk *w = &r->w;

	w->fp = WALK_FP_UNKNOWN;
	if (memo_kind(word) != MEMO_RETURN_FP)
		return true;
	if (r->kin_next <= r->kin->first_fp) {
		w->fp = WALK_FP_FIRST;
		w->f.fp = r->from->fp;
		w->fp_since = 0;
		return true;
	}
	w->fp = WALK_FP_READ;
	w->fp_place = next_fp_place(r);
	w->fp_since = unmark_fp(w->trace);
	return walk_read(w, w->fp_place, &w->f.fp);
}

/* The next word, a return address, is another one: be the frame it leads to. */
static bool
take_other_return(struct retracer *r)
{
	struct walk *w = &r->w;
	uint64_t word = kin_word(r);
	enum memo_kind kind;

	pass(r);
	kind = r->kin_next <= r->kin->first_fp ? MEMO_RETURN : memo_kind(word);
	if (!walk_read_noted(w, r->kin_place, &w->f.pc, kind))
		return false;
	go_to(r, w->f.pc, r->kin_place);
	return find_sp(r->inner_pc, r->place, &w->f.sp) && find_fp(r, word);
}

/* The next word is another frame pointer: be the frame that uses it. */
static bool
take_other_fp(struct retracer *r)
{
	struct walk *w = &r->w;

	w->fp = WALK_FP_READ;
	w->fp_place = memo_place(r->kin_place, kin_word(r));
	w->fp_since = unmark_fp(w->trace);
	w->f.pc = r->pc;
	return r->place != 0 && find_sp(r->inner_pc, r->place, &w->f.sp) &&
	    walk_read(w, w->fp_place, &w->f.fp);
}

static bool
take_other(struct retracer *r)
{
	bool good = memo_is_return(kin_word(r)) ? take_other_return(r) :
	    memo_kind(kin_word(r)) == MEMO_FP && take_other_fp(r);

	r->w.place = r->w.f.pc - 1;
	return good;
}

/* --- joining -------------------------------------------------------------- */

/* Go by the remembered walk up to @place; true: it found an address there. */
static bool
find_place(struct retracer *r, uint64_t place)
{
	while (!is_at_end(r)) {
		uint64_t word = kin_word(r);
		uint64_t at = memo_place(r->kin_place, word);

		if (memo_is_return(word) && at > place)
			return false;
		pass(r);
		if (memo_is_return(word) && at == place)
			return true;
	}
	return false;
}

/*
 * The present frame has the instruction and the stack pointer of one that is
 * remembered.  Has it the frame pointer, if that counts?
 */
static bool
has_same_fp(struct retracer *r)
{
	struct walk *w = &r->w;

	if (memo_kind(r->kin->word[r->kin_next - 1]) != MEMO_RETURN_FP)
		return true;
	if (r->kin_next <= r->kin->first_fp) {
		if (w->fp != WALK_FP_FIRST || r->from->fp != r->kin->fp)
			return false;
	} else if (w->fp != WALK_FP_READ || w->fp_place != next_fp_place(r)) {
		return false;
	}
	walk_mark_fp(w);
	return true;
}

static bool
may_join(struct retracer *r)
{
	return find_place(r, r->place) && (r->kin->word[r->kin_next - 1] &
	    MEMO_VALUE) == r->pc && has_same_fp(r);
}

/* Step until the walk is the remembered one again (WALK_ON), or ends. */
static enum walk_end
step(struct retracer *r, uint32_t room)
{
	enum walk_end end;

	do {
		if (r->frame >= room)
			return WALK_ASTRAY;
		end = walk_step(&r->w);
		if (end != WALK_ON)
			return end;
		go_to(r, r->w.f.pc, r->w.trace->place);
	} while (!may_join(r));
	r->joined = r->frame;
	r->kin_joined = r->kin_frame;
	return WALK_ON;
}

/* --- all of it ------------------------------------------------------------ */

static bool
has_no_rule(const struct retracer *r)
{
	struct rule rule;

	return rules_find(r->pc - 1, &rule) < 0;
}

/* The walk has come to where the remembered one ended. */
static bool
end_as_kin(struct retracer *r, struct retraced *result)
{
	result->fresh = r->joined;
	result->known = r->kin->frames - r->kin_joined;
	result->cut = (r->kin->flags & (MEMO_NO_RULE | MEMO_CUT)) != 0;
	if ((r->kin->flags & MEMO_CUT) != 0 && r->joined != 0)
		return false; /* what is cut off begins elsewhere now */
	if ((r->kin->flags & MEMO_NO_RULE) != 0 && !has_no_rule(r))
		return false;
	r->w.trace->flags |= r->kin->flags & (MEMO_NO_RULE | MEMO_CUT);
	return true;
}

static bool
end_by_itself(struct retracer *r, enum walk_end end, struct retraced *result)
{
	if (end == WALK_ASTRAY ||
	    (end == WALK_NO_RULE && walk_is_nonsense(r->w.f.pc)))
		return false;
	result->fresh = r->frame + (r->w.f.pc > 1);
	result->known = 0;
	result->cut = end == WALK_NO_RULE;
	if (end == WALK_NO_RULE)
		r->w.trace->flags |= MEMO_NO_RULE;
	return true;
}

static bool
go(struct retracer *r, uint32_t room, struct retraced *result)
{
	struct memo_trace *t = r->w.trace;
	const struct memo_entry *kin = r->kin;
	enum walk_end end = WALK_ON;

	if (kin->pc == r->from->pc && kin->sp == r->from->sp &&
	    ((kin->flags & MEMO_USES_FP) == 0 || kin->fp == r->from->fp))
		t->flags |= kin->flags & MEMO_USES_FP;
	else
		end = step(r, room);
	while (end == WALK_ON && t->whole) {
		if (!compare(r))
			return false;
		if (is_at_end(r))
			return end_as_kin(r, result);
		if (!take_other(r))
			return false;
		end = step(r, room);
	}
	return t->whole && end_by_itself(r, end, result);
}

/*
 * The addresses of the frames that are not the remembered walk's.  A signal
 * handler may have written over the trace, and then it does not matter what.
 */
static void
tell(const struct retracer *r, uint64_t *buffer, uint32_t fresh)
{
	const struct memo_trace *t = r->w.trace;
	uint32_t n = 0;
	uint32_t i;

	if (fresh > 0)
		buffer[n++] = r->from->pc;
	for (i = 0; n < fresh && i < t->count; i++)
		if (memo_is_return(t->word[i]))
			buffer[n++] = t->word[i] & MEMO_VALUE;
}

bool
retrace(const struct memo_entry *kin, const struct arch_frame *from,
    struct stack *stack, uint64_t *buffer, uint32_t room,
    struct memo_trace *trace, struct retraced *result)
{
	struct retracer r = { .from = from, .kin = kin, .pc = from->pc,
		.kin_place = kin->sp };

	trace->whole = true;
	walk_begin(&r.w, from, trace);
	r.w.low = from->sp;
	r.w.high = stack->top;
	if (!unwind_is_own(stack, from->sp) || !go(&r, room, result) ||
	    result->fresh + result->known > room ||
	    r.w.low != from->sp || r.w.high != stack->top)
		return false;
	tell(&r, buffer, result->fresh);
	return true;
}
