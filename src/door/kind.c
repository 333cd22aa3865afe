#include "door/kind.h"

#include "door/real.h"
#include "mem/segment.h"

/* From malloc() to who called the operator: the first one may call another. */
#define FRAMES_MOST 4

bool kind_known;

static struct {
	struct kind_operator op[KIND_OPERATORS];
	uint64_t start, end;
} kind;

void
kind_set_operators(const struct kind_operator op[KIND_OPERATORS],
    uint64_t start, uint64_t end)
{
	size_t i;

	if (kind_known)
		return;
	for (i = 0; i < KIND_OPERATORS; i++)
		kind.op[i] = op[i];
	kind.start = start;
	kind.end = end;
	atomic_signal_fence(memory_order_seq_cst);
	kind_known = true;
}

static bool
is_inside(uint64_t pc)
{
	return pc > kind.start && pc <= kind.end;
}

/* The one that returns to @pc itself, as it only calls another; or NULL. */
static const struct kind_operator *
operator_at(uint64_t pc)
{
	size_t i;

	for (i = 0; i < KIND_OPERATORS; i++)
		if (pc > kind.op[i].start && pc <= kind.op[i].end)
			return &kind.op[i];
	return NULL;
}

/* Those of an allocator go about it as they like. */
static bool
is_on_the_way(uint64_t pc)
{
	return real.owns_new ? is_inside(pc) : operator_at(pc) != NULL;
}

/*
 * A block that the C++ library makes for itself, in an operator perhaps (an
 * exception), may be of any kind; so may one whose path was cut too early.
 */
uint32_t
kind_of_site(uint32_t node)
{
	const struct node *nodes = segment_rows(TABLE_NODES);
	const struct kind_operator *outer;
	uint64_t pc;
	int i;

	for (i = 0; kind_known && i < FRAMES_MOST && node != 0; i++) {
		pc = nodes[node].pc;
		if (pc == self.made.pc && (i > 0 || real.owns_new)) {
			outer = operator_at(pc);
			return SITE_NEW * (outer != NULL ? outer->kind :
			    self.made.kind);
		}
		if (!is_on_the_way(pc))
			return i > 0 || is_inside(pc) ? SITE_ANY_KIND : 0;
		node = nodes[node].parent;
	}
	return i == 0 ? 0 : SITE_ANY_KIND;
}
