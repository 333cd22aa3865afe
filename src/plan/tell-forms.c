/*
 * tell-forms.c - how far the work is, as a bar and as lines of JSON
 */
#include "plan/tell.h"

#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/host.h"
#include "plan/message.h"
#include "plan/plan.h"
#include "sys/sys.h"

#define BAR_CELLS 30
#define BAR_NS    (100 * NS_PER_MS) /* nobody sees more */
#define JSON_ROOM 768

static struct {
	uint64_t bar_ns;  /* when it was drawn last */
	uint64_t tenths;  /* that have been told, where it is no terminal */
} forms;

/* --- numbers -------------------------------------------------------------- */

uint64_t
tell_chunks(const struct tide_op_conf *conf, const struct tide_op_stats *row)
{
	if (conf->fixed == 0 || row->total == 0)
		return 0;
	return (row->total + conf->fixed - 1) / conf->fixed;
}

uint64_t
tell_time_left(const struct tide_op_stats *row)
{
	uint64_t spent = row->ended_ns - row->started_ns;

	if (row->total == 0 || row->done == 0)
		return TIDE_NONE;
	return whole_u64((double)spent * (double)above_u64(row->total,
	    row->done) / (double)row->done);
}

/* --- a bar ---------------------------------------------------------------- */

/* What is not a file or a pipe shows a bar in place. */
static bool
is_terminal(void)
{
	struct stat st;

	return sys_fstat(2, &st) == 0 && S_ISCHR(st.st_mode);
}

static void
put_cells(struct text *t, uint64_t done, uint64_t total)
{
	uint64_t cells = whole_u64((double)done / (double)total * BAR_CELLS);
	uint64_t i;

	text_put(t, " [");
	for (i = 0; i < BAR_CELLS; i++)
		text_put(t, i < cells ? "#" : "-");
	text_put(t, "]");
}

/* index [###---] Progress: 5/20 chunks completed (25.0%), 67.8 MB, ETA: 0h 1m */
static void
put_bar(struct text *t, const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t used)
{
	uint64_t chunks = tell_chunks(conf, row);
	char line[MESSAGE_ROOM];

	text_put(t, row->name);
	if (row->total == 0) {
		text_put(t, " ");
		text_put_u64(t, row->done);
	} else {
		put_cells(t, row->done, row->total);
		text_put(t, " ");
		text_put(t, chunks != 0 ? message_progress(line, sizeof(line),
		    row->batches, chunks, "chunk") : message_progress(line,
		    sizeof(line), row->done, row->total, row->unit));
	}
	text_put(t, ", ");
	text_put(t, message_memory(line, sizeof(line), used,
	    plan_room()->budget, plan_room()->state));
	if (row->total > row->done) {
		text_put(t, ", ");
		text_put(t, message_eta(line, sizeof(line),
		    tell_time_left(row)));
	}
}

/*
 * On a terminal in one place, ten times a second; elsewhere a line for each
 * tenth.  The last is always told, and ends the line.
 */
static bool
is_bar_due(const struct tide_op_stats *row, bool terminal, uint64_t now_ns)
{
	uint64_t tenths = row->total == 0 ? 0 :
	    whole_u64((double)row->done / (double)row->total * 10);

	if (row->total != 0 && row->done >= row->total) {
		forms.tenths = 0;
		return true;
	}
	if (terminal)
		return now_ns - forms.bar_ns >= BAR_NS;
	if (tenths <= forms.tenths)
		return false;
	forms.tenths = tenths;
	return true;
}

void
tell_bar(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t used)
{
	bool terminal = is_terminal();
	uint64_t now_ns = sys_clock();
	char line[512];
	struct text t;

	if (!is_bar_due(row, terminal, now_ns))
		return;
	forms.bar_ns = now_ns;
	text_open(&t, line, sizeof(line) - 8);
	if (terminal)
		text_put(&t, "\r");
	put_bar(&t, conf, row, used);
	/* To the end of the line there may be what was longer. */
	t.bytes = sizeof(line);
	if (terminal)
		text_put(&t, "\033[K");
	if (!terminal || (row->total != 0 && row->done >= row->total))
		text_put(&t, "\n");
	(void)sys_write(2, line, t.used);
}

/* --- JSON ----------------------------------------------------------------- */

/* Names are the program's: anything may be in them. */
static void
put_quoted(struct text *t, const char *s)
{
	static const char digits[] = "0123456789abcdef";
	char escaped[7] = "\\u0000";

	text_put(t, "\"");
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			text_put(t, "\\");
		if (c >= 0x20 && c < 0x7f) {
			text_put_bytes(t, s, 1);
			continue;
		}
		escaped[4] = digits[c >> 4];
		escaped[5] = digits[c & 15];
		text_put(t, escaped);
	}
	text_put(t, "\"");
}

/* Thousandths of a second. */
static void
put_seconds(struct text *t, const char *name, uint64_t ns)
{
	uint64_t ms = ns / NS_PER_MS;

	if (ns == TIDE_NONE) {
		plan_put_number(t, name, ns);
		return;
	}
	plan_put_number(t, name, ms / 1000);
	text_put(t, ms % 1000 < 10 ? ".00" : ms % 1000 < 100 ? ".0" : ".");
	text_put_u64(t, ms % 1000);
}

static void
open_line(struct text *t, char line[JSON_ROOM], const char *event)
{
	text_open(t, line, JSON_ROOM);
	text_put(t, "{\"heaptide\":");
	put_quoted(t, plan_host()->version != NULL ? plan_host()->version :
	    "unknown");
	text_put(t, ",\"schema\":1,\"event\":");
	put_quoted(t, event);
}

static void
put_op(struct text *t, const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t chunk)
{
	uint64_t chunks = tell_chunks(conf, row);

	text_put(t, ",\"operation\":");
	put_quoted(t, row->name);
	text_put(t, ",\"unit\":");
	put_quoted(t, row->unit);
	plan_put_number(t, "chunk", chunk);
	plan_put_number(t, "chunks", chunks != 0 ? chunks : TIDE_NONE);
}

static void
close_line(struct text *t, uint64_t used)
{
	plan_put_number(t, "used", used);
	plan_put_number(t, "budget", plan_room()->budget);
	text_put(t, ",\"state\":");
	put_quoted(t, message_state(plan_room()->state));
	text_put(t, "}\n");
	(void)sys_write(2, t->start, t->used);
}

void
tell_json_begin(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t first, uint64_t n,
    uint64_t used)
{
	char line[JSON_ROOM];
	struct text t;

	open_line(&t, line, "begin");
	put_op(&t, conf, row, row->batches + 1);
	plan_put_number(&t, "first", first);
	plan_put_number(&t, "items", n);
	close_line(&t, used);
}

void
tell_json_end(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t time_ns, uint64_t used,
    uint64_t initial)
{
	char line[JSON_ROOM];
	struct text t;

	open_line(&t, line, "end");
	put_op(&t, conf, row, row->batches);
	plan_put_number(&t, "done", row->done);
	plan_put_number(&t, "total", row->total != 0 ? row->total : TIDE_NONE);
	put_seconds(&t, "seconds", time_ns);
	put_seconds(&t, "elapsed", row->ended_ns - row->started_ns);
	put_seconds(&t, "eta", tell_time_left(row));
	text_put(&t, ",\"change\":");
	text_put_i64(&t, (int64_t)(used - initial));
	close_line(&t, used);
}

void
tell_json_cleaned(const tide_reclaim_result *result, uint64_t used)
{
	char line[JSON_ROOM];
	struct text t;

	open_line(&t, line, "cleanup");
	plan_put_number(&t, "freed", result->freed);
	plan_put_number(&t, "returned", result->returned);
	put_seconds(&t, "seconds", result->time_ns);
	close_line(&t, used);
}
