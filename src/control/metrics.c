#include "control/metrics.h"

#include <string.h>

#include "base/base.h"
#include "control/reply.h"
#include "model/reconcile.h"

enum kind { GAUGE, COUNTER, INFO, STATESET };

enum scale {
	PLAIN,
	SECONDS, /* from ns */
	SIGNED   /* a gauge that may fall below zero */
};

struct family {
	const char *name;   /* of a counter without its `_total` */
	enum kind kind;
	const char *unit;   /* NULL: none; else the name ends in it */
	const char *help;
	enum scale scale;
	size_t at;          /* of its first value */
	const char *label;  /* NULL: it has one value; else one for each of */
	const char *const *labels; /* @count values */
	size_t count;
};

static const char *const states[METRICS_STATES] = {
	"ok", "warning", "critical", "exhausted",
};
static const char *const verdicts[] = { "growing", "step" };
static const char *const losses[] = {
	"sites", "blocks", "threads", "unknown_frees",
};

#define AT(member) .at = offsetof(struct metrics_facts, member)
#define BY(name, values) .label = name, .labels = values, \
	.count = ARRAY_LENGTH(values)

static const struct family families[] = {
	{ "heaptide_process", INFO, NULL,
	  "How heaptide looks at the process.", .at = 0 },
	{ "heaptide_live_bytes", GAUGE, "bytes",
	  "Held of the heap, in usable bytes.", AT(live_bytes) },
	{ "heaptide_live_blocks", GAUGE, NULL,
	  "Blocks held of the heap.", AT(live_blocks) },
	{ "heaptide_peak_bytes", GAUGE, "bytes",
	  "The most that was held of the heap so far.", AT(peak_bytes) },
	{ "heaptide_allocated_bytes", COUNTER, "bytes",
	  "Allocated since the start.", AT(allocated) },
	{ "heaptide_freed_bytes", COUNTER, "bytes",
	  "Freed since the start.", AT(freed) },
	{ "heaptide_allocations", COUNTER, NULL,
	  "Blocks allocated since the start.", AT(allocations) },
	{ "heaptide_frees", COUNTER, NULL,
	  "Blocks freed since the start.", AT(frees) },
	{ "heaptide_resident_bytes", GAUGE, "bytes",
	  "Resident memory of the process.", AT(resident) },
	{ "heaptide_resident_peak_bytes", GAUGE, "bytes",
	  "The most that was resident so far.", AT(resident_peak) },
	{ "heaptide_rss_bytes", GAUGE, "bytes",
	  "Resident memory by what it is, when last taken apart.",
	  AT(terms), BY("term", reconcile_names) },
	{ "heaptide_own_bytes", GAUGE, "bytes",
	  "Resident memory that is heaptide's own.", AT(own) },
	{ "heaptide_threads", GAUGE, NULL,
	  "Threads that allocate.", AT(threads) },
	{ "heaptide_start_time_seconds", GAUGE, "seconds",
	  "When the process started, since 1970.", SECONDS, AT(started) },
	{ "heaptide_cpu_seconds", COUNTER, "seconds",
	  "CPU time of the process, user and system.", SECONDS, AT(cpu) },
	{ "heaptide_limit_bytes", GAUGE, "bytes",
	  "The limit on memory that rules.", AT(limit) },
	{ "heaptide_limit_used_bytes", GAUGE, "bytes",
	  "Used of the limit that rules, in its measure.", AT(limit_used) },
	{ "heaptide_limit_available_bytes", GAUGE, "bytes",
	  "The least room that any limit leaves.", AT(limit_available) },
	{ "heaptide_budget_bytes", GAUGE, "bytes",
	  "The budget, as a program that asks for it is told.", AT(budget) },
	{ "heaptide_budget_used_bytes", GAUGE, "bytes",
	  "Used of the budget, as the program is told.", AT(used) },
	{ "heaptide_budget_available_bytes", GAUGE, "bytes",
	  "Left of the budget, as the program is told.", AT(available) },
	{ "heaptide_memory_state", STATESET, NULL,
	  "How close the program is to its budget.",
	  AT(state), BY("heaptide_memory_state", states) },
	{ "heaptide_memory_state_seconds", COUNTER, "seconds",
	  "Time spent in each state of memory.", SECONDS, AT(state_time),
	  BY("state", states) },
	{ "heaptide_memory_warnings", COUNTER, NULL,
	  "Times that a worse state of memory was entered.", AT(warnings) },
	{ "heaptide_failed_allocations", COUNTER, NULL,
	  "Allocations that failed, of a program that asks for its budget.",
	  AT(failed) },
	{ "heaptide_cleanups", COUNTER, NULL,
	  "Cleanups of the program's that were called.", AT(cleanups) },
	{ "heaptide_cleanup_freed_bytes", COUNTER, "bytes",
	  "What cleanups gave back to the heap.", AT(cleanup_bytes) },
	{ "heaptide_cleanup_returned_bytes", COUNTER, "bytes",
	  "Resident memory that went by cleanups.", AT(cleanup_returned) },
	{ "heaptide_cleanup_seconds", COUNTER, "seconds",
	  "Time spent in cleanups.", SECONDS, AT(cleanup_time) },
	{ "heaptide_drains", COUNTER, NULL,
	  "Times that the program was asked to come to an end.", AT(drains) },
	{ "heaptide_epochs", COUNTER, NULL,
	  "Marks that ended an epoch.", AT(epochs) },
	{ "heaptide_growth_bytes_per_second", GAUGE, NULL,
	  "How fast the heap grew over the last minute.", SIGNED, AT(growth) },
	{ "heaptide_leaks", GAUGE, NULL,
	  "Sites that surely keep growing, or made a step.",
	  AT(leaks), BY("verdict", verdicts) },
	{ "heaptide_lost", COUNTER, NULL,
	  "What could not be counted; nothing: the figures are exact.",
	  AT(lost), BY("what", losses) },
};

#undef AT
#define AT(member) .at = offsetof(struct tide_op_stats, member)

/* Of each operation; the label is `op`. */
static const struct family op_families[] = {
	{ "heaptide_op_batches", COUNTER, NULL,
	  "Batches that ended.", AT(batches) },
	{ "heaptide_op_items", COUNTER, NULL,
	  "Items in them.", AT(items) },
	{ "heaptide_op_items_failed", COUNTER, NULL,
	  "Items that failed.", AT(items_failed) },
	{ "heaptide_op_cuts", COUNTER, NULL,
	  "Batches ended early for lack of room.", AT(cuts) },
	{ "heaptide_op_aborts", COUNTER, NULL,
	  "Batches that were given up, for any cause.", AT(aborts) },
	{ "heaptide_op_memory_aborts", COUNTER, NULL,
	  "Of these, for lack of memory.", AT(aborts_memory) },
	{ "heaptide_op_overruns", COUNTER, NULL,
	  "Batches that grew beyond what was predicted.", AT(overruns) },
	{ "heaptide_op_seconds", COUNTER, "seconds",
	  "Time spent in batches.", SECONDS, AT(time_ns) },
	{ "heaptide_op_delay_seconds", COUNTER, "seconds",
	  "Time spent in delays between batches.", SECONDS, AT(delay_ns) },
	{ "heaptide_op_wait_seconds", COUNTER, "seconds",
	  "Time spent waiting for memory.", SECONDS, AT(wait_ns) },
	{ "heaptide_op_cleanup_seconds", COUNTER, "seconds",
	  "Time spent in cleanups.", SECONDS, AT(reclaim_ns) },
	{ "heaptide_op_delay_freed_bytes", COUNTER, "bytes",
	  "Bytes that went while it was delayed.", AT(delay_freed) },
	{ "heaptide_op_growth_bytes", COUNTER, "bytes",
	  "By how much memory grew in its batches, together.",
	  AT(growth_sum) },
	{ "heaptide_op_growth_most_bytes", GAUGE, "bytes",
	  "The most by which it grew in one.", AT(growth_most) },
	{ "heaptide_op_item_bound_bytes", GAUGE, "bytes",
	  "What one item may take, by which batches are sized.", AT(one) },
	{ "heaptide_op_next_items", GAUGE, NULL,
	  "Items of the next batch, as it stands.", AT(n_next) },
	{ "heaptide_op_done_items", GAUGE, NULL,
	  "Items of the run that are done.", AT(done) },
	{ "heaptide_op_total_items", GAUGE, NULL,
	  "Items of the run; 0: not known.", AT(total) },
	{ "heaptide_op_checkpoints", COUNTER, NULL,
	  "Checkpoints that were written.", AT(checkpoints) },
	{ "heaptide_op_checkpoint_bytes", COUNTER, "bytes",
	  "Bytes that they took.", AT(checkpoint_bytes) },
};

/* --- values --------------------------------------------------------------- */

static uint64_t
value_of(const struct family *f, const void *facts, size_t i)
{
	uint64_t value;

	memcpy(&value, (const char *)facts + f->at + i * sizeof(value),
	    sizeof(value));
	return value;
}

static bool
is_known(const struct family *f, const struct metrics_facts *facts,
    uint64_t value)
{
	return f->scale == SIGNED ? facts->grows : value != METRICS_UNKNOWN;
}

static void
put_seconds(struct text *t, uint64_t ns)
{
	char digits[10] = ".000000000";
	size_t i;

	text_put_u64(t, ns / NS_PER_S);
	ns %= NS_PER_S;
	for (i = 9; i > 0; i--, ns /= 10)
		digits[i] = (char)('0' + ns % 10);
	text_put_bytes(t, digits, sizeof(digits));
}

static void
put_value(struct text *t, const struct family *f, uint64_t value)
{
	if (f->scale == SECONDS)
		put_seconds(t, value);
	else if (f->scale == SIGNED)
		text_put_i64(t, (int64_t)value);
	else
		text_put_u64(t, value);
}

static const char *
suffix(enum kind kind)
{
	return kind == COUNTER ? "_total" : kind == INFO ? "_info" : "";
}

/* --- text ----------------------------------------------------------------- */

void
metrics_put_label(struct text *t, const char *value, size_t bytes)
{
	size_t i, length;

	for (i = 0; i < bytes; i += length > 0 ? length : 1) {
		length = reply_character(value + i, bytes - i);
		if (length == 0)
			text_put(t, "\xef\xbf\xbd");
		else if (value[i] == '\n')
			text_put(t, "\\n");
		else if (value[i] == '"' || value[i] == '\\')
			text_put(t, value[i] == '"' ? "\\\"" : "\\\\");
		else
			text_put_bytes(t, value + i, length);
	}
}

static void
flush(const struct metrics_out *out, struct text *t)
{
	out->put(out->context, t->start, t->used);
	text_open(t, t->start, t->bytes);
}

#define LINE_ROOM 1024 /* of a sample: two names of 64 bytes, escaped */

static void
write_sample(const struct metrics_out *out, const struct family *f,
    const struct metrics_facts *facts, const char *op, size_t i,
    uint64_t value)
{
	char line[LINE_ROOM];
	struct text t;

	text_open(&t, line, sizeof(line));
	text_put(&t, f->name);
	text_put(&t, suffix(f->kind));
	text_put(&t, "{pid=\"");
	text_put_i64(&t, facts->pid);
	text_put(&t, "\",command=\"");
	metrics_put_label(&t, facts->command, strlen(facts->command));
	if (op != NULL) {
		text_put(&t, "\",op=\"");
		metrics_put_label(&t, op, strnlen(op, TIDE_NAME_ROOM));
	}
	if (f->label != NULL) {
		text_put(&t, "\",");
		text_put(&t, f->label);
		text_put(&t, "=\"");
		text_put(&t, f->labels[i]);
	}
	if (f->kind == INFO) {
		text_put(&t, "\",stacks=\"");
		text_put(&t, facts->stacks);
		text_put(&t, "\",limit=\"");
		metrics_put_label(&t, facts->source, strlen(facts->source));
	}
	text_put(&t, "\"} ");
	put_value(&t, f, value);
	text_put(&t, "\n");
	flush(out, &t);
}

static const char *
type_name(enum kind kind)
{
	switch (kind) {
	case COUNTER: return "counter";
	case INFO: return "info";
	case STATESET: return "stateset";
	default: return "gauge";
	}
}

static void
put_meta(struct text *t, const char *what, const char *name,
    const char *suffix, const char *text)
{
	text_put(t, "# ");
	text_put(t, what);
	text_put(t, " ");
	text_put(t, name);
	text_put(t, suffix);
	text_put(t, " ");
	text_put(t, text);
	text_put(t, "\n");
}

/* The older format has the whole name in the head, two types and no units. */
void
metrics_write_head(const struct metrics_out *out, enum metrics_format format,
    const char *name, const char *type, const char *unit, const char *help)
{
	bool open = format == METRICS_OPENMETRICS;
	bool counts = strcmp(type, "counter") == 0;
	const char *end = open ? "" : counts ? "_total" :
	    strcmp(type, "info") == 0 ? "_info" : "";
	char lines[LINE_ROOM];
	struct text t;

	text_open(&t, lines, sizeof(lines));
	put_meta(&t, "TYPE", name, end, open || counts ? type : "gauge");
	if (open && unit != NULL)
		put_meta(&t, "UNIT", name, "", unit);
	put_meta(&t, "HELP", name, end, help);
	flush(out, &t);
}

void
metrics_write_end(const struct metrics_out *out, enum metrics_format format)
{
	if (format == METRICS_OPENMETRICS)
		out->put(out->context, "# EOF\n", 6);
}

static void
write_head(const struct metrics_out *out, enum metrics_format format,
    const struct family *f)
{
	metrics_write_head(out, format, f->name, type_name(f->kind), f->unit,
	    f->help);
}

static void
write_family(const struct metrics_out *out, enum metrics_format format,
    const struct family *f, const struct metrics_facts *const *facts,
    size_t count)
{
	size_t values = f->count > 0 ? f->count : 1;
	size_t p, i;

	write_head(out, format, f);
	for (p = 0; p < count; p++)
		for (i = 0; i < values; i++) {
			uint64_t value = f->kind == INFO ? 1 :
			    value_of(f, facts[p], i);

			if (is_known(f, facts[p], value))
				write_sample(out, f, facts[p], NULL, i, value);
		}
}

static void
write_op_family(const struct metrics_out *out, enum metrics_format format,
    const struct family *f, const struct metrics_facts *const *facts,
    size_t count)
{
	size_t p, i;

	write_head(out, format, f);
	for (p = 0; p < count; p++)
		for (i = 0; i < facts[p]->ops; i++)
			write_sample(out, f, facts[p], facts[p]->op[i].name, 0,
			    value_of(f, &facts[p]->op[i], 0));
}

void
metrics_write(const struct metrics_out *out, enum metrics_format format,
    const struct metrics_facts *const *facts, size_t count)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(families); i++)
		write_family(out, format, &families[i], facts, count);
	for (i = 0; i < ARRAY_LENGTH(op_families); i++)
		write_op_family(out, format, &op_families[i], facts, count);
}

/* --- JSON ----------------------------------------------------------------- */

static void
reply_value(struct text *t, const struct family *f, const char *name,
    uint64_t value)
{
	if (f->scale == SECONDS)
		reply_number(t, name, (double)value / (double)NS_PER_S);
	else if (f->scale == SIGNED)
		reply_i64(t, name, (int64_t)value);
	else
		reply_u64(t, name, value);
}

/* The name as a sample has it. */
#define NAME_ROOM 64
static const char *
sample_name(const struct family *f, char name[NAME_ROOM])
{
	struct text t;

	text_open(&t, name, NAME_ROOM);
	text_put(&t, f->name);
	text_put(&t, suffix(f->kind));
	return name;
}

static void
reply_family(struct text *t, const struct family *f,
    const struct metrics_facts *facts)
{
	uint64_t first = value_of(f, facts, 0);
	char name[NAME_ROOM];
	size_t i;

	if (f->kind == INFO || !is_known(f, facts, first))
		return;
	sample_name(f, name);
	if (f->label == NULL) {
		reply_value(t, f, name, first);
		return;
	}
	reply_open(t, name);
	for (i = 0; i < f->count; i++)
		reply_value(t, f, f->labels[i], value_of(f, facts, i));
	reply_close(t);
}

/* A program's own name may need quotes: it is a value, not a key. */
static void
reply_ops(struct text *t, const struct metrics_facts *facts)
{
	char name[NAME_ROOM];
	size_t i, k;

	reply_open_list(t, "ops");
	for (i = 0; i < facts->ops; i++) {
		reply_open(t, NULL);
		reply_text_bytes(t, "op", facts->op[i].name,
		    strnlen(facts->op[i].name, TIDE_NAME_ROOM));
		for (k = 0; k < ARRAY_LENGTH(op_families); k++)
			reply_value(t, &op_families[k],
			    sample_name(&op_families[k], name),
			    value_of(&op_families[k], &facts->op[i], 0));
		reply_close(t);
	}
	reply_close_list(t);
}

void
metrics_reply(struct text *t, const struct metrics_facts *facts)
{
	size_t i;

	reply_open(t, "metrics");
	for (i = 0; i < ARRAY_LENGTH(families); i++)
		reply_family(t, &families[i], facts);
	reply_close(t);
	if (facts->ops > 0)
		reply_ops(t, facts);
}
