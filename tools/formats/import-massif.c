/*
 * import-massif.c - what valgrind's massif saw
 *
 * It takes pictures: of each the sums are known, of few who held it.  The
 * profile stands as the last picture with a tree; the peak is that of the tree
 * which massif calls so, or the highest.  How often anything was called it does
 * not tell, nor what has been freed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "formats/import.h"
#include "say/need.h"

#define DEPTH_MOST 512 /* massif's own --depth ends at 200 */

enum tree { TREE_NONE, TREE_DETAILED, TREE_PEAK };

/* A line of a tree that has not been left yet. */
struct level {
	char *words; /* what stands behind its bytes */
	uint64_t left; /* bytes that none of its callers had */
	uint64_t callers; /* that are still to come */
};

struct massif {
	struct import *in;
	struct level level[DEPTH_MOST];
	size_t depth;      /* levels in use */
	uint64_t number, time, heap, extra;
	bool has_time, has_heap;
	bool seconds;      /* time is time, not instructions or bytes */
	char *command;
	/* pictures with a tree */
	uint64_t last_bytes, last_ns, last_number, peak_bytes, peak_ns;
	uint64_t end_ns;
	bool any, has_peak;
	struct pile {
		uint32_t leaf;
		uint64_t bytes;
	} *last, *peak;
	size_t lasts, peaks;
};

/* --- frames --------------------------------------------------------------- */

/* "FILE:LINE" or "in MODULE", in the last parentheses of @words. */
static void
read_place(char *words, struct forge_frame *f)
{
	size_t bytes = strlen(words);
	char *open = strrchr(words, '('), *colon;

	if (bytes == 0 || words[bytes - 1] != ')' || open == NULL ||
	    open == words || open[-1] != ' ')
		return;
	words[bytes - 1] = '\0';
	if (strncmp(open, "(in ", 4) == 0) {
		f->module = open + 4;
	} else {
		colon = strrchr(open, ':');
		if (colon == NULL || colon[1] < '0' || colon[1] > '9') {
			words[bytes - 1] = ')';
			return;
		}
		*colon = '\0';
		f->file = open + 1;
		f->line = (uint32_t)strtoul(colon + 1, NULL, 10);
	}
	open[-1] = '\0';
}

/* "0x109186: main (t.c:4)", or what massif says of many small ones. */
static uint32_t
put_frame(struct massif *m, char *words, uint32_t parent)
{
	struct forge_frame f = { 0 };
	char *copy = need_text("%s", words), *name = copy;

	if (strncmp(copy, "0x", 2) == 0 && strstr(copy, ": ") != NULL) {
		name = strstr(copy, ": ") + 2;
		read_place(name, &f);
		f.function = name;
	} else {
		f.function = "[below massif's threshold]";
	}
	parent = forge_node(m->in->forge, parent, &f);
	free(copy);
	return parent;
}

static bool
level_allocates(const struct level *l)
{
	const char *name = strstr(l->words, ": ");
	char *copy, *end;
	bool is;

	if (name == NULL)
		return false;
	copy = need_text("%s", name + 2);
	end = strstr(copy, " (");
	if (end != NULL && strncmp(copy, "operator new", 12) != 0)
		*end = '\0';
	is = import_allocates(copy);
	free(copy);
	return is;
}

/* --- trees ---------------------------------------------------------------- */

static void
put_pile(struct massif *m, enum tree tree, uint32_t leaf, uint64_t bytes)
{
	struct pile **list = tree == TREE_PEAK ? &m->peak : &m->last;
	size_t *count = tree == TREE_PEAK ? &m->peaks : &m->lasts;

	*list = need(realloc(*list, (*count + 1) * sizeof(**list)));
	(*list)[(*count)++] = (struct pile){ leaf, bytes };
}

/* The path of the innermost level, from the outermost caller to the leaf. */
static void
put_site(struct massif *m, enum tree tree, uint64_t bytes)
{
	size_t leaf = 1;
	uint32_t node = 0;

	if (bytes == 0)
		return;
	/* Below stands who called, so it is the leaf that may be left out. */
	while (leaf + 1 < m->depth && level_allocates(&m->level[leaf]))
		leaf++;
	for (size_t i = m->depth; i-- > leaf; )
		node = put_frame(m, m->level[i].words, node);
	if (node == 0)
		node = forge_address(m->in->forge, 0, NODE_NO_STACK);
	put_pile(m, tree, node, bytes);
}

/* Levels that have all their callers are left; what none had is their own. */
static void
leave(struct massif *m, enum tree tree)
{
	while (m->depth != 0 && m->level[m->depth - 1].callers == 0) {
		put_site(m, tree, m->level[m->depth - 1].left);
		free(m->level[--m->depth].words);
		if (m->depth != 0)
			m->level[m->depth - 1].callers--;
	}
}

/* nCALLERS: BYTES WORDS */
static bool
read_level(struct massif *m, enum tree tree)
{
	const char *at = m->in->text;
	struct level *l = &m->level[m->depth], *above = l - 1;
	uint64_t bytes;

	if (m->depth == DEPTH_MOST)
		return import_refuse(m->in, "the tree is deeper than %d",
		    DEPTH_MOST);
	while (*at == ' ')
		at++;
	if (*at++ != 'n' || !import_number(&at, 10, &l->callers) ||
	    *at++ != ':' || !import_number(&at, 10, &bytes))
		return import_refuse(m->in, "'%.40s' is no line of a tree",
		    m->in->text);
	if (m->depth != 0 && bytes > above->left)
		return import_refuse(m->in, "callers have more than what they "
		    "call: %llu bytes", (unsigned long long)bytes);
	if (m->depth != 0)
		above->left -= bytes;
	l->left = bytes;
	l->words = need_text("%s", *at == ' ' ? at + 1 : at);
	m->depth++;
	leave(m, tree);
	return true;
}

static bool
read_tree(struct massif *m, enum tree tree)
{
	bool good = true;

	do {
		if (!import_line(m->in))
			good = m->in->why[0] != '\0' ? false : import_refuse(
			    m->in, "the file ends within a tree");
		else
			good = read_level(m, tree);
	} while (good && m->depth != 0);
	while (m->depth != 0)
		free(m->level[--m->depth].words);
	return good;
}

/* --- pictures ------------------------------------------------------------- */

static uint64_t
time_ns(const struct massif *m)
{
	return m->seconds ? min_u64(m->time, UINT64_MAX / 2 / NS_PER_MS) *
	    NS_PER_MS : 0;
}

/* The same tree is the last and the peak: its sites are both. */
static void
copy_peak(struct massif *m)
{
	m->lasts = 0;
	for (size_t i = 0; i < m->peaks; i++)
		put_pile(m, TREE_DETAILED, m->peak[i].leaf,
		    m->peak[i].bytes);
}

static bool
read_picture(struct massif *m, const char *kind)
{
	bool is_peak = strcmp(kind, "peak") == 0;

	if (!m->has_time || !m->has_heap)
		return import_refuse(m->in, "a snapshot has no time or no "
		    "mem_heap_B");
	m->end_ns = time_ns(m);
	if (m->seconds)
		import_point(m->in, m->end_ns, m->heap, 0);
	if (!m->has_peak && m->heap > m->peak_bytes) {
		m->peak_bytes = m->heap;
		m->peak_ns = m->end_ns;
	}
	if (strcmp(kind, "empty") == 0)
		return true;
	m->any = true;
	m->last_bytes = m->heap;
	m->last_ns = m->end_ns;
	m->last_number = m->number;
	if (!is_peak) {
		m->lasts = 0;
		return read_tree(m, TREE_DETAILED);
	}
	m->has_peak = true;
	m->peaks = 0;
	m->peak_bytes = m->heap;
	m->peak_ns = m->end_ns;
	if (!read_tree(m, TREE_PEAK))
		return false;
	copy_peak(m);
	return true;
}

static bool
read_unit(struct massif *m, const char *unit)
{
	m->seconds = strcmp(unit, "ms") == 0;
	return m->seconds || strcmp(unit, "i") == 0 ||
	    strcmp(unit, "B") == 0 || import_refuse(m->in, "time_unit '%.20s' "
	    "is not known; i, ms and B are", unit);
}

static bool
read_count(struct massif *m, const char *at, uint64_t *value)
{
	return import_number(&at, 10, value) || import_refuse(m->in,
	    "'%.40s' has no number", m->in->text);
}

static bool
read_line(struct massif *m)
{
	const char *text = m->in->text;

	if (strncmp(text, "cmd: ", 5) == 0) {
		free(m->command);
		m->command = need_text("%s", text + 5);
		return true;
	}
	if (strncmp(text, "time_unit: ", 11) == 0)
		return read_unit(m, text + 11);
	if (strncmp(text, "snapshot=", 9) == 0) {
		m->has_time = m->has_heap = false;
		return read_count(m, text + 9, &m->number);
	}
	if (strncmp(text, "time=", 5) == 0) {
		m->has_time = true;
		return read_count(m, text + 5, &m->time);
	}
	if (strncmp(text, "mem_heap_B=", 11) == 0) {
		m->has_heap = true;
		return read_count(m, text + 11, &m->heap);
	}
	if (strncmp(text, "heap_tree=", 10) == 0)
		return read_picture(m, text + 10);
	return true;
}

/* --- the whole ------------------------------------------------------------ */

static void
finish(struct massif *m)
{
	uint32_t unknown = UNKNOWN_ALLOCATIONS | UNKNOWN_BLOCKS |
	    UNKNOWN_TEMPORARY | UNKNOWN_STARTED;
	char *origin = need_text("massif: sites as of snapshot %llu; sizes "
	    "are those asked for", (unsigned long long)m->last_number);

	for (size_t i = 0; i < m->lasts; i++) {
		struct figures *f = forge_site(m->in->forge,
		    m->last[i].leaf, 0);

		f->live_bytes += m->last[i].bytes;
		f->live_requested_bytes += m->last[i].bytes;
	}
	for (size_t i = 0; i < m->peaks; i++)
		forge_site(m->in->forge, m->peak[i].leaf, 0)->at_peak_bytes +=
		    m->peak[i].bytes;
	if (!m->seconds) /* but instructions, or bytes */
		unknown |= UNKNOWN_TIME;
	if (!m->has_peak)
		unknown |= UNKNOWN_AT_PEAK;
	import_origin(m->in, origin, unknown);
	import_command(m->in, m->command != NULL ? m->command : "?");
	import_end(m->in, m->peak_bytes, m->peak_ns, m->end_ns);
	free(origin);
}

bool
import_massif(struct import *in)
{
	struct massif *m = need(calloc(1, sizeof(*m)));
	bool good = true;

	m->in = in;
	while (good && import_line(in)) {
		if (in->line == 1 && strncmp(in->text, "desc:", 5) != 0)
			good = import_refuse(in, "it is no output of massif");
		else
			good = read_line(m);
	}
	good = good && in->why[0] == '\0';
	if (good && !m->any)
		good = import_refuse(in, "no snapshot in it has a tree, so "
		    "nothing says who held what");
	if (good)
		finish(m);
	free(m->command);
	free(m->last);
	free(m->peak);
	free(m);
	return good;
}
