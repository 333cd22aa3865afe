#include "stack/pychain.h"

#include <stdatomic.h>
#include <string.h>

#include "stack/pylayout.h"

#define SEED UINT64_C(0x8ebc6af09c88c6e3)

struct pychain *
pychain_open(void *room, uint32_t frames)
{
	struct pychain *chain = room;

	chain->room = frames;
	chain->place = (struct pyplace *)&chain->seen[frames + 1];
	chain->seen[0].sum = SEED;
	return chain;
}

/* What no slot leads to is never taken for what is there. */
void
pychain_clear(struct pychain *chain)
{
	memset(chain->slot, 0, sizeof(chain->slot));
	chain->met = (struct pyframe_met){ .state = 0 };
	chain->sums = 0;
	chain->depth = 0;
}

static HOT uint16_t *
slot_of(struct pychain *chain, uint64_t frame)
{
	return &chain->slot[(frame * UINT64_C(0x9e3779b97f4a7c15) >> 32) %
	    PYCHAIN_SLOTS];
}

/* --- comparing ------------------------------------------------------------ */

/* Names are short: two words, of which one may lie over the other. */
static HOT bool
is_same_end(const struct pytext *t)
{
	const char *end = (const char *)(uintptr_t)t->end;
	uint64_t ours[2], theirs[2];

	if (t->bytes - 8 > 8)
		return memcmp(t->kept, end, t->bytes) == 0;
	memcpy(&ours[0], t->kept, 8);
	memcpy(&ours[1], t->kept + t->bytes - 8, 8);
	memcpy(&theirs[0], end, 8);
	memcpy(&theirs[1], end + t->bytes - 8, 8);
	return ((ours[0] ^ theirs[0]) | (ours[1] ^ theirs[1])) == 0;
}

/* A code object has it, so what was readable is there. */
static HOT bool
is_same_text(const struct pytext *t)
{
	if (UNLIKELY(t->address == 0) ||
	    pylayout_word(t->address + TEXT_HASH) != t->hash)
		return false;
	return t->hash != TEXT_NO_HASH || UNLIKELY(t->bytes == 0) ||
	    (pylayout_word(t->address + TEXT_LENGTH) == t->length &&
	    pylayout_word(t->address + TEXT_STATE) == t->state &&
	    is_same_end(t));
}

/*
 * Is the code object at its address the one that was read?  @file: a text that
 * was the same before.
 */
static HOT bool
is_same_code(const struct pycode *c, uint64_t *file)
{
	uint64_t at = c->address;

	if (UNLIKELY(!pylayout_is_alive(at) ||
	    pylayout_word(at + CODE_LINES) != c->lines ||
	    pylayout_extent(at) != c->extent ||
	    pylayout_word(at + CODE_FUNCTION) != c->function.address ||
	    pylayout_word(at + CODE_FILE) != c->file.address ||
	    !is_same_text(&c->function)))
		return false;
	if (*file == c->file.address)
		return true;
	if (!is_same_text(&c->file))
		return false;
	*file = c->file.address;
	return true;
}

/* The same, but for the frame that has called it. */
static HOT bool
is_same(const struct pyseen *s, const struct pyplace *p, uint64_t *file)
{
	const struct pylayout *l = pyframe_here.layout;

	if (pylayout_owner(p->frame) != p->owner)
		return false;
	if (s->f.code.address == 0)
		return s->f.last;
	return pylayout_word(p->frame + l->code) == s->f.code.address &&
	    pylayout_word(p->frame + l->instruction) == p->at &&
	    is_same_code(&s->f.code, file);
}

/*
 * From @p on, as long as the words are there that are enough for a frame that
 * is trusted.  Return: the first whose are not, or @root.
 */
static HOT const struct pyplace *
skip_trusted(const struct pyplace *p, const struct pyplace *root)
{
	const struct pylayout *l = pyframe_here.layout;
	const uint64_t code = l->code, previous = l->previous;
	const uint64_t instruction = l->instruction, owner = l->owner;
	uint64_t frame;

	for (; p != root; p--) {
		frame = p->frame;
		if (UNLIKELY(((pylayout_word(frame + code) ^ p->code) |
		    (pylayout_word(frame + previous) ^ p[-1].frame) |
		    (pylayout_word(frame + instruction) ^ p->at) |
		    (*(const uint8_t *)(uintptr_t)(frame + owner) ^
		    p->owner)) != 0))
			break;
	}
	return p;
}

/* The same for one that is not: it is looked at closer. */
static __attribute__((noinline)) bool
is_same_beyond(struct pychain *chain, const struct pyplace *p, uint64_t *file)
{
	const struct pyseen *s = &chain->seen[p - chain->place];

	if (pylayout_word(p->frame + pyframe_here.layout->previous) !=
	    p[-1].frame || !is_same(s, p, file))
		return false;
	chain->doubts |= !s->doubted;
	return true;
}

/*
 * From @depth on to the root, as long as all is as it was.  Return: the depth
 * of the first that is not; 0: all is.
 */
static HOT uint32_t
first_other(struct pychain *chain, uint32_t depth)
{
	const struct pyplace *root = chain->place;
	const struct pyplace *p = skip_trusted(root + depth, root);
	uint64_t file = 0;

	while (UNLIKELY(p != root)) {
		if (!is_same_beyond(chain, p, &file))
			return (uint32_t)(p - root);
		p = skip_trusted(p - 1, root);
	}
	return 0;
}

/* --- reading -------------------------------------------------------------- */

/* How far from the root @frame was seen; 0: it was not. */
static HOT uint32_t
depth_of(struct pychain *chain, uint64_t frame)
{
	uint32_t depth = *slot_of(chain, frame);

	return chain->place[depth].frame == frame ? depth : 0;
}

/*
 * What is found in the frame at @depth is to be there from now on.  Who comes
 * in between meets the one of before, this one, or none.
 */
static void
set_place(struct pychain *chain, uint64_t frame, uint32_t depth)
{
	const struct pyframe *f = &chain->seen[depth].f;
	struct pyplace *p = &chain->place[depth];

	p->code = PYPLACE_DOUBTED;
	p->at = f->at;
	p->owner = pylayout_owner(frame);
	atomic_signal_fence(memory_order_seq_cst);
	p->frame = frame;
	*slot_of(chain, frame) = (uint16_t)depth;
	if (depth > chain->used)
		chain->used = depth;
}

/* A frame that is to stand at @depth; only its instruction may be another. */
static bool
read_frame(struct pychain *chain, uint64_t frame, uint32_t depth,
    uint64_t *file)
{
	struct pyseen *s = &chain->seen[depth];
	struct pyplace *p = &chain->place[depth];
	struct pycode *c = &s->f.code;
	bool known = p->frame == frame && c->address != 0 &&
	    pylayout_word(frame + pyframe_here.layout->code) == c->address &&
	    is_same_code(c, file);

	p->frame = 0;
	s->name = 0;
	s->doubted = s->doubted && known;
	atomic_signal_fence(memory_order_seq_cst);
	if (!pyframe_read(frame, &s->f, known))
		return false;
	set_place(chain, frame, depth);
	chain->doubts = true;
	return true;
}

/* @frames from @frame on, the innermost of which is to stand at @depth. */
static bool
read_frames(struct pychain *chain, uint64_t frame, uint32_t depth,
    uint32_t frames)
{
	uint64_t file = 0;

	for (; frames > 0; frames--, depth--) {
		if (!read_frame(chain, frame, depth, &file))
			return false;
		frame = chain->seen[depth].f.outer;
	}
	return true;
}

static void
add_up(struct pychain *chain, uint32_t from, uint32_t to)
{
	struct pyseen *s;

	for (s = &chain->seen[from]; s <= &chain->seen[to]; s++) {
		s->ends = s[-1].ends + s->f.last;
		s->sum = s[-1].sum * UINT64_C(0xd6e8feb86659fd93) +
		    pyframe_key(&s->f) + s->f.last;
	}
	chain->sums = to;
}

/*
 * How many frames there are from @frame on up to one that is as it was, with
 * all behind it, and the depth of that one in @join; 0: of the root.
 */
static uint32_t
count_fresh(struct pychain *chain, uint64_t frame, uint32_t *join)
{
	uint32_t limit = chain->room + 1; /* from here on all is different */
	uint32_t n = 0;
	uint64_t outer;
	uint32_t depth;

	*join = 0;
	while (n < chain->room && pyframe_is_one(frame, &outer)) {
		depth = depth_of(chain, frame);
		if (depth != 0 && depth < limit) {
			limit = first_other(chain, depth);
			if (limit == 0) {
				*join = depth;
				break;
			}
		}
		n++;
		frame = outer;
	}
	return n;
}

static __attribute__((noinline)) uint32_t
look_anew(struct pychain *chain, uint64_t frame)
{
	uint32_t join;
	uint32_t fresh = count_fresh(chain, frame, &join);
	uint32_t depth = join + fresh;

	if (depth > chain->room) { /* the outermost make room */
		join = 0;
		depth = fresh = chain->room;
	}
	chain->sums = (uint32_t)min_u64(chain->sums, join);
	if (!read_frames(chain, frame, depth, fresh))
		return 0;
	add_up(chain, chain->sums + 1, depth);
	return depth;
}

/* --- all of it ------------------------------------------------------------ */

/*
 * Most often the innermost frame has gone on to another instruction, if
 * anything has changed.  If it is not its code any more, that shows next.
 */
static HOT void
follow(struct pychain *chain, uint32_t depth)
{
	struct pyseen *s = &chain->seen[depth];
	struct pyplace *p = &chain->place[depth];
	uint64_t frame = p->frame;
	uint64_t at = pylayout_word(frame + pyframe_here.layout->instruction);

	if (at == p->at || s->f.code.address == 0)
		return;
	chain->sums = (uint32_t)min_u64(chain->sums, depth - 1);
	p->frame = 0;
	s->name = 0;
	atomic_signal_fence(memory_order_seq_cst);
	s->f.at = p->at = at;
	atomic_signal_fence(memory_order_seq_cst);
	p->frame = frame;
}

/* The innermost frame was seen at @depth.  False: there is more that changed. */
static HOT bool
look_near(struct pychain *chain, uint32_t depth)
{
	follow(chain, depth);
	if (UNLIKELY(first_other(chain, depth) != 0))
		return false;
	if (depth > chain->sums)
		add_up(chain, chain->sums + 1, depth);
	return true;
}

/* Code was destroyed that was trusted: whose, will show. */
static __attribute__((noinline)) void
doubt(struct pychain *chain, uint32_t ended)
{
	uint32_t i;

	for (i = 1; i <= chain->used; i++)
		chain->place[i].code = PYPLACE_DOUBTED;
	atomic_signal_fence(memory_order_seq_cst);
	chain->ended = ended;
}

static HOT uint32_t
take_turn(struct pychain *chain)
{
	uint32_t turn = ++chain->turn;

	__asm__ volatile("" ::: "memory");
	return turn;
}

/* See take_turn() in door/where.c. */
#define TURNS_MOST 8

static __attribute__((noinline)) uint32_t
look_long(struct pychain *chain, uint32_t ended)
{
	uint32_t turn, depth;
	uint64_t frame;
	int i;

	if (chain->ended != ended)
		doubt(chain, ended);
	for (i = 0; i < TURNS_MOST; i++) {
		turn = take_turn(chain);
		frame = pyframe_innermost(&chain->met);
		if (frame == 0)
			break;
		depth = depth_of(chain, frame);
		if (depth == 0 || !look_near(chain, depth))
			depth = look_anew(chain, frame);
		__asm__ volatile("" ::: "memory");
		chain->depth = depth;
		if (LIKELY(chain->turn == turn))
			return depth;
		chain->sums = 0;
	}
	chain->depth = 0;
	return 0;
}

/* Unless it was another's turn meanwhile, all there is to be done. */
static HOT uint32_t
look_end(struct pychain *chain, uint32_t depth, uint32_t turn)
{
	__asm__ volatile("" ::: "memory");
	chain->depth = depth;
	if (LIKELY(chain->turn == turn))
		return depth;
	chain->sums = 0;
	return look_long(chain, chain->ended);
}

/* It was the same, but for the instruction of the innermost. */
static __attribute__((noinline)) uint32_t
look_on(struct pychain *chain, uint32_t depth, uint32_t turn)
{
	add_up(chain, chain->sums + 1, depth);
	return look_end(chain, depth, turn);
}

/* Whatever would make this one keep registers is in functions of its own. */
uint32_t
pychain_look(struct pychain *chain, uint32_t ended)
{
	const struct pyplace *root = chain->place;
	uint32_t turn, depth;
	uint64_t frame;

	if (UNLIKELY(chain->ended != ended))
		return look_long(chain, ended);
	turn = take_turn(chain);
	frame = pyframe_innermost(&chain->met);
	depth = LIKELY(frame != 0) ? depth_of(chain, frame) : 0;
	if (UNLIKELY(depth == 0))
		return look_long(chain, ended);
	follow(chain, depth);
	if (UNLIKELY(skip_trusted(root + depth, root) != root))
		return look_long(chain, ended);
	if (depth > chain->sums)
		return look_on(chain, depth, turn);
	return look_end(chain, depth, turn);
}

/* What is no code is recognised by what stands there in its place. */
void
pychain_trust(struct pychain *chain, uint32_t depth, bool trusted)
{
	const struct pylayout *l = pyframe_here.layout;
	struct pyplace *p = &chain->place[depth];

	if (!trusted) {
		chain->seen[depth].doubted = true;
		return;
	}
	p->at = pylayout_word(p->frame + l->instruction);
	atomic_signal_fence(memory_order_seq_cst);
	p->code = pylayout_word(p->frame + l->code);
}
