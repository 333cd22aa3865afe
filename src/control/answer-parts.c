/*
 * answer-parts.c - what several answers have: a number asked for, the first of
 * many sites, a stack
 */
#include "control/answer.h"

#include <errno.h>

#include "control/reply.h"

#define FRAMES_MOST 24

bool
answer_count(const struct request *r, size_t word, uint64_t most,
    uint64_t otherwise, struct text *t, uint64_t *n)
{
	char message[96];
	struct text m;

	*n = otherwise;
	if (word >= r->words)
		return true;
	if (text_parse_u64(r->word[word], most, n) == 0 && *n > 0)
		return true;
	text_open(&m, message, sizeof(message));
	text_put(&m, "'");
	text_put(&m, r->word[0]);
	text_put(&m, "' takes a number from 1 to ");
	text_put_u64(&m, most);
	request_refuse(t, -EINVAL, message);
	return false;
}

size_t
answer_choose(const struct answer_order *order, uint64_t sites, size_t n,
    uint32_t *best)
{
	size_t found = 0, at;
	uint32_t i;

	for (i = 1; i < sites; i++) {
		if (!order->is_told(order->context, i))
			continue;
		for (at = found; at > 0 && order->is_before(order->context, i,
		    best[at - 1]); at--)
			if (at < n)
				best[at] = best[at - 1];
		if (at < n)
			best[at] = i;
		found += found < n;
	}
	return found;
}

/* --- stacks --------------------------------------------------------------- */

/* The module that held @pc when @node was made; the last that fits. */
static const struct module *
module_of(const struct control *c, uint64_t pc, uint32_t node)
{
	const struct module *m = control_rows(c, TABLE_MODULES);
	uint64_t n = control_count(c, TABLE_MODULES);

	while (n-- > 0)
		if (pc >= m[n].start && pc < m[n].end &&
		    m[n].first_node <= node)
			return &m[n];
	return NULL;
}

/* A text of the segment, if it is there. */
static void
put_text(const struct control *c, const char *key, struct segment_text of,
    struct text *t)
{
	const char *text = control_rows(c, TABLE_TEXT);
	uint64_t bytes = control_count(c, TABLE_TEXT);

	if (of.offset <= bytes && of.bytes <= bytes - of.offset)
		reply_text_bytes(t, key, text + of.offset, of.bytes);
}

static const struct named *
name_of(const struct control *c, uint64_t pc)
{
	const struct segment_table *table = &c->segment->table[TABLE_NAMES];

	return pc >= NODE_NAMED && table->entry_bytes != 0 &&
	    pc - NODE_NAMED < control_count(c, TABLE_NAMES) ?
	    (const struct named *)control_rows(c, TABLE_NAMES) +
	    (pc - NODE_NAMED) : NULL;
}

static void
put_named(const struct control *c, const struct named *name, struct text *t)
{
	put_text(c, "function", name->function, t);
	put_text(c, "file", name->file, t);
	reply_u64(t, "line", name->line);
	put_text(c, "module", name->module, t);
}

static void
put_frame(const struct control *c, uint32_t node, uint64_t pc, struct text *t)
{
	const struct named *name = name_of(c, pc);
	const struct module *m = module_of(c, pc, node);

	reply_open(t, NULL);
	if (name != NULL) {
		put_named(c, name, t);
	} else if (m == NULL) {
		reply_u64(t, "pc", pc);
	} else {
		put_text(c, "module", m->path, t);
		reply_u64(t, "offset", pc - m->base);
	}
	reply_close(t);
}

void
answer_stack(const struct control *c, uint32_t site, struct text *t)
{
	const struct site *s = (const struct site *)control_rows(c,
	    TABLE_SITES) + site;
	const struct node *row = control_rows(c, TABLE_NODES);
	uint64_t nodes = control_count(c, TABLE_NODES);
	uint32_t node = s->leaf, parent;
	int i;

	reply_open_list(t, "stack");
	for (i = 0; i < FRAMES_MOST && node != 0 && node < nodes; i++) {
		uint64_t pc = atomic_load(&row[node].pc);

		if (pc >= 4096) /* no note in its place */
			put_frame(c, node, pc, t);
		parent = atomic_load(&row[node].parent);
		if (parent >= node)
			break; /* a lie */
		node = parent;
	}
	reply_close_list(t);
}
