/*
 * export-callgrind.c - a profile for callgrind_annotate and KCachegrind
 *
 * What a site allocates is its leaf's own cost, at the line of the leaf; who
 * called it has it as the inclusive cost of that call.  Of a recursion only the
 * call of the outermost frame has: the sum of the calls of a function is what
 * it costs, which would be more than the whole otherwise.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/base.h"
#include "formats/export.h"
#include "say/need.h"

/* Name compression: a name is written once, with its number. */
struct spelled {
	uint64_t number;
	UT_hash_handle hh;
	char key[];
};

struct function {
	char *key; /* what follows, as a text */
	const char *function, *file, *module;
	struct cost *costs; /* of its own, and of calls; a table */
	UT_hash_handle hh;
};

struct cost {
	struct cost_key {
		const struct function *callee; /* NULL: its own */
		uint64_t line, callee_line;
	} key;
	int64_t value[EXPORT_VALUES];
	uint64_t calls;
	UT_hash_handle hh;
};

struct callgrind {
	const struct export *e;
	struct function *functions;
	struct spelled *files, *names, *modules;
	enum export_value order[EXPORT_VALUES];
	size_t values;
};

/* --- the graph ------------------------------------------------------------ */

static struct function *
function_of(struct callgrind *c, const struct frame *f)
{
	char *key = need_text("%s\n%s\n%s", f->function, f->file, f->module);
	struct function *fn;

	HASH_FIND_STR(c->functions, key, fn);
	if (fn != NULL) {
		free(key);
		return fn;
	}
	fn = need(calloc(1, sizeof(*fn)));
	*fn = (struct function){
		.key = key, .function = f->function, .file = f->file,
		.module = f->module,
	};
	HASH_ADD_KEYPTR(hh, c->functions, key, strlen(key), fn);
	return fn;
}

static void
add_cost(struct function *fn, const struct cost_key *key,
    const struct export_row *row)
{
	struct cost *cost;

	HASH_FIND(hh, fn->costs, key, sizeof(*key), cost);
	if (cost == NULL) {
		cost = need(calloc(1, sizeof(*cost)));
		cost->key = *key;
		HASH_ADD(hh, fn->costs, key, sizeof(*key), cost);
	}
	for (size_t v = 0; v < EXPORT_VALUES; v++)
		cost->value[v] = add_i64(cost->value[v], row->value[v]);
	/* The only calls that are known. */
	cost->calls += (uint64_t)row->value[EXPORT_ALLOCATIONS];
}

static bool
is_further_out(struct function *const *fn, size_t at, size_t count)
{
	for (size_t i = at + 1; i < count; i++)
		if (fn[i] == fn[at])
			return true;
	return false;
}

static void
add_row(struct callgrind *c, const struct export_row *row)
{
	struct frame *frame;
	size_t count = export_stack(c->e, row, &frame);
	struct function **fn = need(calloc(count, sizeof(struct function *)));
	struct cost_key own = { .line = frame[0].line };

	for (size_t i = 0; i < count; i++)
		fn[i] = function_of(c, &frame[i]);
	add_cost(fn[0], &own, row);
	for (size_t i = 1; i < count; i++) {
		const struct cost_key call = {
			fn[i - 1], frame[i].line, frame[i - 1].line,
		};

		if (!is_further_out(fn, i - 1, count))
			add_cost(fn[i], &call, row);
	}
	free(fn);
	free(frame);
}

/* --- writing -------------------------------------------------------------- */

static void
put_name(const struct callgrind *c, struct spelled **table, const char *key,
    const char *name)
{
	size_t bytes = strlen(name);
	struct spelled *s;

	HASH_FIND(hh, *table, name, bytes, s);
	if (s != NULL) {
		fprintf(c->e->to, "%s=(%" PRIu64 ")\n", key, s->number);
		return;
	}
	s = need(calloc(1, sizeof(*s) + bytes + 1));
	memcpy(s->key, name, bytes);
	s->number = HASH_COUNT(*table) + 1;
	HASH_ADD(hh, *table, key, bytes, s);
	fprintf(c->e->to, "%s=(%" PRIu64 ") %s\n", key, s->number, name);
}

static void
put_values(const struct callgrind *c, uint64_t line, const struct cost *cost)
{
	fprintf(c->e->to, "%" PRIu64, line);
	for (size_t i = 0; i < c->values; i++) {
		int64_t value = cost->value[c->order[i]];

		/* There is no cost below 0. */
		fprintf(c->e->to, " %" PRId64, value > 0 ? value : 0);
	}
	fputc('\n', c->e->to);
}

static const char *
or_unknown(const char *name)
{
	return name[0] != '\0' ? name : "???";
}

static void
put_function(struct callgrind *c, const struct function *fn)
{
	fputc('\n', c->e->to);
	put_name(c, &c->modules, "ob", or_unknown(fn->module));
	put_name(c, &c->files, "fl", or_unknown(fn->file));
	put_name(c, &c->names, "fn", fn->function);
	for (struct cost *i = fn->costs; i != NULL; i = i->hh.next) {
		const struct function *callee = i->key.callee;

		if (callee == NULL) {
			put_values(c, i->key.line, i);
			continue;
		}
		put_name(c, &c->modules, "cob",
		    or_unknown(callee->module));
		put_name(c, &c->files, "cfi", or_unknown(callee->file));
		put_name(c, &c->names, "cfn", callee->function);
		fprintf(c->e->to, "calls=%" PRIu64 " %" PRIu64 "\n",
		    i->calls, i->key.callee_line);
		put_values(c, i->key.line, i);
	}
}

static void
put_head(struct callgrind *c)
{
	char *command = print_clean(profile_command(c->e->report->profile));
	char *caveat = export_caveat(c->e);
	FILE *to = c->e->to;

	fprintf(to, "# callgrind format\nversion: 1\ncreator: heaptide "
	    PACKAGE_VERSION "\npid: %d\ncmd: %s\n",
	    (int)c->e->report->profile->segment->identity.pid, command);
	if (caveat[0] != '\0')
		fprintf(to, "desc: Figures: %s\n", caveat);
	fputs("part: 1\npositions: line\nevents:", to);
	for (size_t i = 0; i < c->values; i++)
		fprintf(to, " %s", export_values[c->order[i]]);
	fputs("\nsummary:", to);
	for (size_t i = 0; i < c->values; i++)
		fprintf(to, " %" PRIu64, export_sum(c->e, c->order[i]));
	fputc('\n', to);
	free(command);
	free(caveat);
}

/* What is asked for comes first: by that callgrind_annotate sorts. */
static void
choose_order(struct callgrind *c)
{
	c->order[c->values++] = c->e->by;
	for (int v = 0; v < EXPORT_VALUES; v++)
		if (v != (int)c->e->by && (v != EXPORT_GROWTH || c->e->grown))
			c->order[c->values++] = (enum export_value)v;
}

#define FORGET(table, type, first) do { \
		struct type *it, *next_; \
		HASH_ITER(hh, table, it, next_) { \
			HASH_DEL(table, it); \
			first; \
			free(it); \
		} \
	} while (0)

static void
forget_costs(struct function *fn)
{
	free(fn->key);
	FORGET(fn->costs, cost, (void)0);
}

bool
export_callgrind(const struct export *e)
{
	struct callgrind c = { .e = e };

	choose_order(&c);
	for (size_t i = 0; i < e->rows; i++)
		add_row(&c, &e->row[i]);
	put_head(&c);
	for (struct function *fn = c.functions; fn != NULL; fn = fn->hh.next)
		put_function(&c, fn);
	FORGET(c.functions, function, forget_costs(it));
	FORGET(c.files, spelled, (void)0);
	FORGET(c.names, spelled, (void)0);
	FORGET(c.modules, spelled, (void)0);
	return true;
}
