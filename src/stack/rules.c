#include "stack/rules.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/base.h"
#include "stack/rules-frame.h"

/* --- the table ------------------------------------------------------------ */

/*
 * One word a place: what of the address the slot does not tell, and the rule.
 * A word is stored whole, so a reader sees one rule or another, never a half.
 *
 * A place keeps its rule if its object is closed unseen (by libc itself, which
 * does not call dlclose() by name) and another one comes to lie there.  Such
 * an object brings places that are not in the table, and the first of them
 * shows that the object is not the one that was remembered
 * (remember_object()); then the table is emptied.
 */
#define SLOT_BITS    16
#define ADDRESS_BITS 47

#define KIND_BITS    3
#define CFA_BITS     13
#define FP_KIND_BITS 2
#define SAVED_BITS   7

_Static_assert(KIND_BITS + CFA_BITS + FP_KIND_BITS + 2 * SAVED_BITS == 32,
    "a rule is 32 bits");
_Static_assert(ADDRESS_BITS - SLOT_BITS <= 32, "so is the rest of a place");

#define OBJECTS 64

struct object {
	_Atomic uint64_t start;
	_Atomic uint64_t frames; /* where its .eh_frame_hdr is */
};

static struct {
	_Atomic uint64_t slot[1 << SLOT_BITS];
	struct object object[OBJECTS];
} rules;

static bool
fits(uint32_t offset, unsigned bits)
{
	return offset % 8 == 0 && offset / 8 < UINT32_C(1) << bits;
}

static bool
may_pack(const struct rule *r)
{
	return fits(r->cfa_offset, CFA_BITS) && fits(r->fp_offset, SAVED_BITS) &&
	    fits(r->ra_offset, SAVED_BITS);
}

static uint32_t
pack(const struct rule *r)
{
	uint32_t packed = r->cfa;

	packed = packed << CFA_BITS | r->cfa_offset / 8;
	packed = packed << FP_KIND_BITS | r->fp;
	packed = packed << SAVED_BITS | r->fp_offset / 8;
	return packed << SAVED_BITS | r->ra_offset / 8;
}

static uint32_t
cut_off(uint32_t *packed, unsigned bits)
{
	uint32_t low = *packed & ((UINT32_C(1) << bits) - 1);

	*packed >>= bits;
	return low;
}

static void
unpack(uint32_t packed, struct rule *r)
{
	r->ra_offset = 8 * cut_off(&packed, SAVED_BITS);
	r->fp_offset = 8 * cut_off(&packed, SAVED_BITS);
	r->fp = cut_off(&packed, FP_KIND_BITS);
	r->cfa_offset = 8 * cut_off(&packed, CFA_BITS);
	r->cfa = packed;
}

/* --- all of it ------------------------------------------------------------- */

void
rules_forget(void)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rules.slot); i++)
		atomic_store_explicit(&rules.slot[i], 0,
		    memory_order_relaxed);
}

/*
 * Keep in mind which object lies where.  Another one at the same start than
 * before: what is known of the places there is old, so all is forgotten.
 */
static void
remember_object(const struct dl_find_object *found)
{
	uint64_t start = (uintptr_t)found->dlfo_map_start;
	uint64_t frames = (uintptr_t)found->dlfo_eh_frame;
	struct object *o = &rules.object[mix_u64(start) % OBJECTS];

	if (atomic_load_explicit(&o->start, memory_order_relaxed) == start &&
	    atomic_load_explicit(&o->frames, memory_order_relaxed) != frames)
		rules_forget();
	atomic_store_explicit(&o->frames, frames, memory_order_relaxed);
	atomic_store_explicit(&o->start, start, memory_order_relaxed);
}

static COLD int
compile(uint64_t place, struct rule *rule)
{
	struct dl_find_object found;

	if (_dl_find_object((void *)(uintptr_t)place, &found) != 0 ||
	    found.dlfo_eh_frame == NULL)
		return -ENOENT;
	remember_object(&found);
	if (rules_compile(found.dlfo_eh_frame, place, rule) < 0)
		/* As long as the object is there, so is that it has none. */
		*rule = (struct rule){ .cfa = CFA_UNKNOWN };
	return 0;
}

int
rules_find(uint64_t place, struct rule *rule)
{
	_Atomic uint64_t *slot = &rules.slot[place & ((1 << SLOT_BITS) - 1)];
	uint64_t word = atomic_load_explicit(slot, memory_order_relaxed);
	int r;

	if (LIKELY(word >> 32 == place >> SLOT_BITS && word != 0)) {
		unpack((uint32_t)word, rule);
		return LIKELY(rule->cfa != CFA_UNKNOWN) ? 0 : -ENOENT;
	}
	if (place >> ADDRESS_BITS != 0)
		return -ENOENT;
	r = compile(place, rule);
	if (r == 0 && may_pack(rule))
		atomic_store_explicit(slot, place >> SLOT_BITS << 32 |
		    pack(rule), memory_order_relaxed);
	return r == 0 && rule->cfa == CFA_UNKNOWN ? -ENOENT : r;
}
