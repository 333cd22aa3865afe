/*
 * run-mark.c - checkpoints, what is written down of batches, and the end
 */
#include "plan/run-state.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "model/interval.h"
#include "model/sizing.h"
#include "plan/op-state.h"
#include "plan/plan.h"
#include "plan/run-who.h"
#include "plan/settings.h"
#include "sys/sys.h"

#define MODEL_EVERY_NS (10 * NS_PER_S)

/* A model, as it is kept. */
struct run_model {
	char name[TIDE_NAME_ROOM];
	struct sizing_saved saved;
};

/* --- what was learned ----------------------------------------------------- */

/* The newest model of @name; true: there is one. */
static bool
find_model(const char *name, struct run_model *model)
{
	struct run_state *run = run_state();
	struct journal_reader reader;
	struct journal_record record;
	struct run_model one;
	uint8_t *buffer = run_look_buffer();
	bool found = false;

	if (buffer == NULL)
		return false;
	journal_read(&reader, run->journal.fd, buffer);
	while (journal_next(&reader, &record) > 0) {
		if (record.type != JOURNAL_MODEL ||
		    record.bytes != sizeof(one))
			continue;
		journal_take(&record, &one, sizeof(one));
		if (strncmp(one.name, name, sizeof(one.name) - 1) != 0)
			continue;
		*model = one;
		found = true;
	}
	run_look_no_buffer(buffer);
	return found;
}

void
run_warm(tide_op *op)
{
	struct run_state *run = run_state();
	struct run_model model;
	bool found = false;

	if (!run_enter())
		return;
	if (run->same_program && run->look.model_ns != 0 &&
	    op_row(op)->batches == 0 && op->sizing.count == 0)
		found = find_model(op_row(op)->name, &model);
	run_unlock();
	if (!found)
		return;
	plan_lock();
	(void)sizing_load(&op->sizing, &model.saved);
	plan_unlock();
}

static void
put_models(void)
{
	struct run_state *run = run_state();
	struct run_model model;
	int i;

	run->model_ns = sys_clock();
	for (i = 0; i < TIDE_OPS; i++) {
		tide_op *op = &op_state()->op[i];

		memset(&model, 0, sizeof(model));
		plan_lock();
		if (op->taken && op_row(op)->batches > 0) {
			memcpy(model.name, op_row(op)->name,
			    sizeof(model.name));
			sizing_save(&op->sizing, &model.saved);
		}
		plan_unlock();
		if (model.name[0] != '\0')
			(void)journal_put(&run->journal, JOURNAL_MODEL,
			    &model, sizeof(model), NULL, 0);
	}
}

static void
put_learned(void)
{
	put_models();
	run_put_work();
}

/* --- checkpoints ---------------------------------------------------------- */

/* Checked by the path it has in the file, of which the newest counts. */
static int
compare_input(const struct journal_identity *now)
{
	struct run_state *run = run_state();
	struct journal_reader reader;
	struct journal_record record;
	struct journal_identity was;
	uint8_t *buffer = run_look_buffer();
	int r = -ENOENT;

	if (buffer == NULL)
		return -ENOMEM;
	journal_read(&reader, run->journal.fd, buffer);
	while (journal_next(&reader, &record) > 0) {
		if (record.type != JOURNAL_INPUT)
			continue;
		journal_take(&record, &was, sizeof(was));
		if (strncmp(was.path, now->path, sizeof(was.path)) == 0)
			r = run_who_differs(&was, now) == NULL ? 0 : -ESTALE;
	}
	run_look_no_buffer(buffer);
	return r;
}

int
run_input(const char *path)
{
	struct run_state *run = run_state();
	struct journal_identity now;
	int r;

	if (path == NULL || *path == '\0')
		return -EINVAL;
	r = run_who_file(path, &now);
	if (r < 0)
		return r;
	if (!run_enter())
		return -ENOENT;
	r = compare_input(&now);
	if (r == -ENOENT)
		r = journal_put(&run->journal, JOURNAL_INPUT, &now,
		    sizeof(now), NULL, 0);
	else if (r == -ESTALE)
		run_say("not what it was when the run began: ", path, "");
	run_unlock();
	return r;
}

static int
read_mark(uint64_t *cursor, void *blob, size_t *len)
{
	struct run_state *run = run_state();
	struct journal_record record;
	struct journal_mark mark;
	uint8_t *buffer = run_look_buffer();
	size_t room = len != NULL ? *len : 0;
	int r = TIDE_RESUMED;

	if (buffer == NULL)
		return -ENOMEM;
	if (!run_look_find(run->journal.fd, buffer,
	    run->look.mark_number, &record)) {
		run_look_no_buffer(buffer);
		return -EIO;
	}
	journal_take(&record, &mark, sizeof(mark));
	if (mark.blob > record.bytes - min_u64(record.bytes, sizeof(mark)))
		r = -EIO;
	else if (mark.blob > room && len != NULL)
		r = -EMSGSIZE;
	else if (blob != NULL && mark.blob > 0)
		memcpy(blob, record.payload + sizeof(mark), mark.blob);
	if (len != NULL && r != -EIO)
		*len = mark.blob;
	if (r == TIDE_RESUMED && cursor != NULL)
		*cursor = mark.cursor;
	run_look_no_buffer(buffer);
	return r;
}

int
run_resume(uint64_t *cursor, void *blob, size_t *len)
{
	struct run_state *run = run_state();
	const struct span *failed;
	int r;

	if (blob != NULL && len == NULL)
		return -EINVAL;
	if (!run_enter())
		return -ENOENT;
	if (run->look.mark_number != 0) {
		r = read_mark(cursor, blob, len);
	} else {
		if (cursor != NULL)
			*cursor = 0;
		if (len != NULL)
			*len = 0;
		r = TIDE_FRESH;
	}
	if (r >= 0 && run->redo) {
		r = TIDE_REDO;
		failed = spans_from(&run->parts.failed, 0);
		if (cursor != NULL && failed != NULL)
			*cursor = failed->first;
	}
	run_unlock();
	return r;
}

static void
note_cost(uint64_t bytes, uint64_t ns)
{
	struct run_state *run = run_state();
	struct tide_op_stats *row;

	plan_lock();
	row = op_row(&op_state()->op[run->op]);
	row->checkpoints++;
	row->checkpoint_bytes += bytes;
	row->checkpoint_ns += ns;
	plan_unlock();
}

static const char *
error_words(int r)
{
	switch (-r) {
	case ENOSPC: return "no space is left on its disk";
	case EDQUOT: return "the quota of its disk is used up";
	case EFBIG: return "it may not become so large";
	case EROFS: return "its disk is read-only";
	case EIO: return "an error of its disk";
	default: return "it was refused";
	}
}

/* Told once: it may be so for hours, and the program goes on. */
static void
note_failed(int error)
{
	struct run_state *run = run_state();
	struct tide_room *room = plan_room();

	room->checkpoints_failed++;
	room->checkpoint_error = (uint64_t)-error;
	if (run->told)
		return;
	run->told = true;
	run_say("a checkpoint could not be written: ", error_words(error),
	    "; the one before counts, and each that is due is tried");
}

int
run_checkpoint(uint64_t cursor, const void *blob, size_t len)
{
	struct run_state *run = run_state();
	uint64_t start_ns = sys_clock();
	struct journal_mark mark;
	int r;

	if (blob == NULL && len > 0)
		return -EINVAL;
	if (len > JOURNAL_BLOB_MOST)
		return -E2BIG;
	if (!run_enter())
		return -ENOENT;
	memset(&mark, 0, sizeof(mark));
	/* What failed is apart from how far the run is. */
	mark.cursor = run->redo ? run->cursor : cursor;
	mark.batches = run->batches;
	mark.items = run->items;
	mark.blob = (uint32_t)len;
	mark.by_itself = run->calling;
	if (start_ns - run->model_ns >= MODEL_EVERY_NS)
		put_learned();
	r = journal_mark(&run->journal, JOURNAL_MARK, &mark, sizeof(mark),
	    blob, len);
	if (r == 0) {
		run->mark_number = run->journal.number;
		run->mark_ns = sys_clock();
		run->cursor = mark.cursor;
		run->since = 0;
		note_cost(len + sizeof(mark) + 32,
		    run->mark_ns - start_ns);
	} else {
		note_failed(r);
	}
	run_unlock();
	return r;
}

int
run_on_checkpoint(tide_checkpoint_fn fn, void *context)
{
	struct run_state *run = run_state();

	(void)plan_visit();
	run_lock();
	run->hook = fn;
	run->hook_context = context;
	run_unlock();
	return 0;
}

/* --- batches -------------------------------------------------------------- */

/*
 * By what they cost here and how often it was killed so far, once both are
 * known and nobody has set anything; ns, or 0.  It makes them more frequent
 * only: at most five batches are done again, whatever a law says.
 */
static uint64_t
best_interval(uint32_t every)
{
	struct run_state *run = run_state();

	if (every != 0 || run->costs == 0 || run->between_ns == 0 ||
	    settings_find("CHECKPOINT_EVERY") != NULL)
		return 0;
	return interval_best(max_u64(run->cost_ns / run->costs, 1),
	    run->between_ns);
}

static bool
is_due(uint32_t every)
{
	struct run_state *run = run_state();
	uint64_t batches = every != 0 ? every :
	    settings_number("CHECKPOINT_EVERY", 5);
	uint64_t seconds = settings_number("CHECKPOINT_SECONDS", 0);
	uint64_t best_ns, since_ns;

	if (run->hook == NULL || run->calling)
		return false;
	since_ns = sys_clock() - run->mark_ns;
	if (seconds != 0 && since_ns >= seconds * NS_PER_S)
		return true;
	best_ns = best_interval(every);
	if (best_ns != 0 && since_ns >= best_ns)
		return true;
	return batches != 0 && run->since >= batches;
}

/* The program writes its checkpoint itself, with nothing of ours held. */
static void
call_hook(uint64_t cursor)
{
	struct run_state *run = run_state();
	tide_checkpoint_fn hook = run->hook;
	void *context = run->hook_context;
	uint64_t start_ns = sys_clock();
	int r;

	run->calling = true;
	run_unlock();
	r = hook(context, cursor);
	run_lock();
	run->calling = false;
	if (r == 0) {
		run->cost_ns += sys_clock() - start_ns;
		run->costs++;
	}
}

/*
 * What failed before this batch began, and was in it, is done after all.  That
 * has a record of its own: those of batches are the first to go when a file
 * becomes too long, and what they did would have failed again.
 */
static void
note_done(const struct journal_batch *b)
{
	struct run_state *run = run_state();
	uint64_t at = b->first, end = b->first + b->count;
	const struct span *span;
	struct journal_fail done;

	while ((span = spans_from(&run->failing, at)) != NULL &&
	    span->first < end) {
		memset(&done, 0, sizeof(done));
		done.first = max_u64(span->first, at);
		done.count = min_u64(span->end, end) - done.first;
		done.attempt = run->attempt;
		at = done.first + done.count;
		if (span->stamp > b->begun)
			continue;
		(void)journal_put(&run->journal, JOURNAL_FAIL, &done,
		    sizeof(done), NULL, 0);
		(void)spans_drop(&run->failing, done.first, at, b->begun);
	}
}

void
run_note_batch(const struct journal_batch *batch, const tide_op *op,
    uint32_t every)
{
	struct run_state *run = run_state();
	struct journal_batch b = *batch;

	if (!run_enter())
		return;
	b.attempt = run->attempt;
	run->op = (int)(op - op_state()->op);
	run->batches++;
	run->items += b.count;
	run->since++;
	if (run->journal.sync == JOURNAL_SYNC_BATCH)
		(void)journal_mark(&run->journal, JOURNAL_BATCH, &b,
		    sizeof(b), NULL, 0);
	else
		(void)journal_put(&run->journal, JOURNAL_BATCH, &b,
		    sizeof(b), NULL, 0);
	note_done(&b);
	if (is_due(every))
		call_hook(b.first + b.count);
	run_unlock();
}

void
run_note_fail(uint64_t first, uint64_t count, int reason, const char *why)
{
	struct run_state *run = run_state();
	struct journal_fail fail;

	if (!run_enter())
		return;
	memset(&fail, 0, sizeof(fail));
	fail.first = first;
	fail.count = count;
	fail.reason = reason;
	fail.attempt = run->attempt;
	text_field(fail.why, sizeof(fail.why), why != NULL ? why : "");
	if (journal_put(&run->journal, JOURNAL_FAIL, &fail, sizeof(fail),
	    NULL, 0) == 0)
		(void)spans_put(&run->failing, first, first + min_u64(count,
		    UINT64_MAX - first), run->journal.number);
	run_unlock();
}

/* --- the end -------------------------------------------------------------- */

int
run_finish(int ok)
{
	struct run_state *run = run_state();
	struct journal_end end;
	int r;

	if (!run_enter())
		return -ENOENT;
	put_learned();
	memset(&end, 0, sizeof(end));
	end.cursor = run->cursor;
	end.batches = run->batches;
	end.items = run->items;
	end.ok = ok != 0;
	end.redo = run->redo;
	r = journal_mark(&run->journal, JOURNAL_END, &end, sizeof(end),
	    NULL, 0);
	if (r == 0)
		(void)journal_compact(&run->journal, false);
	journal_close(&run->journal);
	run_failed_close(&run->parts);
	spans_close(&run->failing);
	__atomic_store_n(&run->pid, 0, __ATOMIC_RELAXED);
	run_unlock();
	return r;
}

/* Would a new start have more room?  Then by 2 % of the budget at least. */
static bool
is_useful(void)
{
	const struct tide_room *room = plan_room();

	if ((room->stop & TIDE_STOP_RECYCLE) != 0)
		return true;
	return room->budget != TIDE_NONE &&
	    above_u64(plan_used_now(), plan_start_used()) >
	    room->budget / 50;
}

/* That it went in good order: it was not killed. */
static void
leave(void)
{
	struct run_state *run = run_state();
	struct journal_end end;

	run_put_work();
	memset(&end, 0, sizeof(end));
	end.cursor = run->cursor;
	end.batches = run->batches;
	end.items = run->items;
	end.redo = run->redo;
	(void)journal_mark(&run->journal, JOURNAL_END, &end, sizeof(end),
	    NULL, 0);
}

void
run_recycle(void)
{
	struct run_state *run = run_state();

	if (run_given("RUN") == NULL || !run_enter())
		return;
	if (run->mark_number != 0 && is_useful()) {
		if (run->hook != NULL && run->since > 0 &&
		    !run->calling)
			call_hook(run->cursor);
		leave();
		sys_end(85 /* TIDE_EXIT_CHECKPOINT */);
	}
	run_unlock();
}
