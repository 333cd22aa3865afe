/*
 * run.c - a run: where it begins, and from where it goes on
 */
#include "plan/run-state.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "model/interval.h"
#include "plan/host.h"
#include "plan/op-state.h"
#include "plan/plan.h"
#include "plan/run-who.h"
#include "plan/settings.h"
#include "sys/sys.h"

extern char **environ;

/* --- small things --------------------------------------------------------- */

static int
sync_of(void)
{
	const char *sync = settings_find("CHECKPOINT_SYNC");

	return sync == NULL ? JOURNAL_SYNC_MARK :
	    strcmp(sync, "batch") == 0 ? JOURNAL_SYNC_BATCH :
	    strcmp(sync, "none") == 0 ? JOURNAL_SYNC_NONE : JOURNAL_SYNC_MARK;
}

bool
run_has_mark(void)
{
	struct run_state *run = run_state();

	return run->mark_number != 0 &&
	    __atomic_load_n(&run->pid, __ATOMIC_RELAXED) == sys_pid();
}

/* --- the beginning -------------------------------------------------------- */

static void
describe_conf(char *conf, size_t room)
{
	static const char *const names[] = { "BUDGET", "TARGET", "WARN",
		"CRITICAL", "POLICY", "BATCH_INITIAL", "BATCH_MIN",
		"BATCH_MAX", "BATCH_FIXED", "CONCURRENCY_MAX",
		"CHECKPOINT_EVERY", "CHECKPOINT_SYNC", "POOL" };
	const char *value;
	struct text t;
	size_t i;

	memset(conf, 0, room);
	text_open(&t, conf, room);
	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		value = settings_find(names[i]);
		if (value == NULL)
			continue;
		if (t.used > 0)
			text_put(&t, " ");
		text_put(&t, names[i]);
		text_put(&t, "=");
		text_put(&t, value);
	}
}

static void
describe(struct journal_begin *begin, const char *id, const char *name,
    uint64_t total, const char *unit)
{
	memset(begin, 0, sizeof(*begin));
	text_field(begin->id, sizeof(begin->id), id);
	text_field(begin->name, sizeof(begin->name), name);
	text_field(begin->unit, sizeof(begin->unit), unit != NULL &&
	    *unit != '\0' ? unit : "item");
	begin->total = total;
	begin->argv_hash = run_who_arguments();
	begin->env_hash = run_who_environment(environ);
	run_who_am_i(&begin->holder, run_given("RUN"));
	(void)run_who_file("/proc/self/exe", &begin->program);
	(void)run_who_build_id("/proc/self/exe", begin->build_id);
	describe_conf(begin->conf, sizeof(begin->conf));
}

/* "/proc/self/exe" is everybody's: the name behind it. */
static void
name_program(struct journal_begin *begin)
{
	char *path = begin->program.path;
	ssize_t n;

	memset(path, 0, sizeof(begin->program.path));
	n = sys_readlink("/proc/self/exe", path,
	    sizeof(begin->program.path) - 1);
	if (n < 0)
		path[0] = '\0';
}

/* What HEAPTIDE_RESUME_FAILED asks for. */
enum wish { WISH_NOTHING, WISH_FAILED, WISH_QUARANTINED };

static enum wish
wish_of(const char *text)
{
	if (text == NULL || *text == '\0' || strcmp(text, "0") == 0)
		return WISH_NOTHING;
	return strcmp(text, "all") == 0 ? WISH_QUARANTINED : WISH_FAILED;
}

/*
 * Which file: that of HEAPTIDE_RESUME, if that is of a run of this name, or else
 * that of this program.  @number: the mark that is asked for, or 0.
 */
static int
choose(const char *name, char id[JOURNAL_ID_ROOM], uint64_t *number,
    enum wish *wish, char path[JOURNAL_PATH])
{
	struct run_state *run = run_state();
	const char *resume = run_given("RESUME");
	int r;

	*number = 0;
	*wish = WISH_NOTHING;
	if (resume != NULL && *resume != '\0') {
		r = run_who_parse(resume, id, number);
		if (r == 0)
			r = run_who_path(environ, id, path);
		if (r == 0)
			r = run_look_read(&run->look, path);
		if (r < 0) {
			run_say("HEAPTIDE_RESUME=", resume,
			    ": there is no such run");
			return r;
		}
		if (strncmp(run->look.begin.name, name,
		    TIDE_NAME_ROOM - 1) == 0) {
			*wish = wish_of(run_given("RESUME_FAILED"));
			return 0;
		}
		*number = 0;
	}
	run_who_id(name, id);
	return run_who_path(environ, id, path);
}

/* As open, but whoever left it open is dead (journal_seize()). */
static int
open_file(const char *path)
{
	struct run_state *run = run_state();
	int r;

	memset(&run->look, 0, sizeof(run->look));
	r = journal_open(&run->journal, path, &run_look_add,
	    &run->look);
	if (r != -EBUSY || run_look_read(&run->look, path) < 0 ||
	    !run_who_is_dead(&run->look.holder))
		return r;
	memset(&run->look, 0, sizeof(run->look));
	return journal_seize(&run->journal, path, &run_look_add,
	    &run->look);
}

/* From where it shall go on: 0, or -ENOENT: there is no mark @number. */
static int
find_mark(uint64_t number, const struct journal_holder *me, bool *asked)
{
	struct run_state *run = run_state();
	struct run_look *look = &run->look;
	struct journal_record record;
	uint8_t *buffer = run_look_buffer();
	int r = 0;

	*asked = false;
	if (buffer == NULL)
		return -ENOMEM;
	(void)run_look_settle(look, run->journal.fd, buffer);
	/*
	 * A supervisor that starts it again has the same wish as before, which
	 * was granted: from then on the newest counts.
	 */
	if (number != 0 && look->asked != 0 && look->wanted == number &&
	    me->supervisor != 0 && look->holder.supervisor == me->supervisor)
		number = 0;
	if (number != 0) {
		*asked = true;
		if (run_look_find(run->journal.fd, buffer, number,
		    &record) && record.type == JOURNAL_MARK) {
			journal_take(&record, &look->mark,
			    sizeof(look->mark));
			look->mark_number = number;
		} else {
			r = -ENOENT;
		}
	}
	run_look_no_buffer(buffer);
	return r;
}

/* How long it was to the next crash, on average. */
static void
count_crashes(void)
{
	struct run_state *run = run_state();
	const struct run_look *look = &run->look;
	/* That of the one before is not noted yet, which we do just now. */
	uint32_t crashes = look->crashes + (look->last_type != JOURNAL_END);

	run->between_ns = interval_between(look->work_ns +
	    above_u64(look->last_ns, look->process_ns), crashes);
}

/* Go on with what is there.  It is this process' from now on. */
static int
go_on(const struct journal_begin *begin, uint64_t number)
{
	struct run_state *run = run_state();
	struct run_look *look = &run->look;
	struct journal_switch s;
	bool asked;
	int r;

	memset(&s, 0, sizeof(s));
	s.holder = begin->holder;
	r = find_mark(number, &s.holder, &asked);
	if (r < 0) {
		run_say("there is no such checkpoint of ", begin->id, "");
		return r;
	}
	s.from = look->mark_number;
	s.cursor = look->mark.cursor;
	s.redo = run->redo;
	s.asked = asked;
	if (!asked)
		count_crashes();
	s.total = begin->total;
	s.attempt = run->attempt = look->attempts + 1;
	plan_room()->attempts = run->attempt;
	run->same_program = look->begin.program.hash ==
	    begin->program.hash &&
	    look->begin.program.bytes == begin->program.bytes;
	run->mark_number = look->mark_number;
	run->cursor = look->mark.cursor;
	run->batches = look->mark.batches;
	run->items = look->mark.items;
	return journal_mark(&run->journal, JOURNAL_SWITCH, &s, sizeof(s),
	    NULL, 0);
}

/* The one before is over, or there is none. */
static int
start_anew(const struct journal_begin *begin, const char *path)
{
	struct run_state *run = run_state();
	int r = journal_create(&run->journal, path, begin);

	memset(&run->look, 0, sizeof(run->look));
	run->look.begin = *begin;
	run->look.total = begin->total;
	run->attempt = 1;
	plan_room()->attempts = 1;
	return r;
}

/* How to start it again: only if somebody said that it may be kept. */
static void
keep_command(void)
{
	struct run_state *run = run_state();
	const char *keep = run_given("KEEP_COMMAND");
	char directory[JOURNAL_PATH];
	uint8_t *buffer;
	ssize_t n, have = 0;
	int fd;

	if (keep == NULL || (strcmp(keep, "1") != 0 &&
	    strcmp(keep, "on") != 0) || run->look.command)
		return;
	n = sys_readlink("/proc/self/cwd", directory, sizeof(directory) - 1);
	fd = sys_open("/proc/self/cmdline", 02000000 /* O_CLOEXEC */, 0);
	buffer = run_look_buffer();
	if (n > 0 && fd >= 0 && buffer != NULL) {
		ssize_t more;

		directory[n] = '\0';
		while (have < (ssize_t)JOURNAL_BLOB_MOST &&
		    (more = sys_read(fd, buffer + have,
		    (size_t)JOURNAL_BLOB_MOST - (size_t)have)) > 0)
			have += more;
		/* One that is longer is as if not known. */
		if (have > 0 && have < (ssize_t)JOURNAL_BLOB_MOST)
			(void)journal_put(&run->journal, JOURNAL_COMMAND,
			    directory, (size_t)n + 1, buffer, (size_t)have);
	}
	if (fd >= 0)
		(void)sys_close(fd);
	if (buffer != NULL)
		run_look_no_buffer(buffer);
}

/* With the run locked. */
static int
begin_locked(const char *name, uint64_t total, const char *unit)
{
	struct run_state *run = run_state();
	char id[JOURNAL_ID_ROOM], path[JOURNAL_PATH];
	char aside[JOURNAL_PATH + 8];
	struct journal_begin begin;
	enum wish wish;
	uint64_t number;
	struct text t;
	int r = run_who_make_directory(environ, path);

	if (r < 0)
		return r;
	r = choose(name, id, &number, &wish, path);
	if (r < 0)
		return r;
	run->redo = wish != WISH_NOTHING;
	describe(&begin, id, name, total, unit);
	name_program(&begin);
	run->journal.fd = -1;
	run->journal.sync = sync_of();
	r = open_file(path);
	if (r == -EBADMSG) {
		/* Whatever it is, it may be wanted: it goes out of the way. */
		text_open(&t, aside, sizeof(aside));
		text_put(&t, path);
		text_put(&t, ".bad");
		r = sys_rename(path, aside);
		run_say("what is there of ", id, " is no file of checkpoints, "
		    "and was put aside");
		r = r < 0 ? r : -ENOENT;
	}
	if (r == 0 && (!run->look.ended || !run->look.ok ||
	    number != 0 || run->redo))
		r = go_on(&begin, number);
	else if (r == 0 || r == -ENOENT)
		r = start_anew(&begin, path);
	if (r == 0)
		r = run_part_open(wish == WISH_QUARANTINED);
	if (r < 0)
		journal_close(&run->journal);
	else
		keep_command();
	return r;
}

int
run_begin(const char *name, uint64_t total, const char *unit, char *id)
{
	struct run_state *run = run_state();
	int i, r;

	if (name == NULL || *name == '\0')
		return -EINVAL;
	(void)plan_visit();
	if (run->pid != 0 && run->pid != sys_pid())
		run_in_child();
	run_lock();
	if (run->pid != 0) {
		run_unlock();
		return -EALREADY;
	}
	run->batches = run->items = run->cursor = 0;
	run->mark_number = run->since = 0;
	run->model_ns = run->mark_ns = sys_clock();
	run->between_ns = run->cost_ns = run->costs = 0;
	run->same_program = run->told = false;
	run_begin_work();
	r = begin_locked(name, total == 0 ? TIDE_NONE : total, unit);
	if (r == 0) {
		if (id != NULL)
			memcpy(id, run->look.begin.id, JOURNAL_ID_ROOM);
		__atomic_store_n(&run->pid, sys_pid(), __ATOMIC_RELAXED);
	}
	run_unlock();
	for (i = 0; r == 0 && i < TIDE_OPS; i++)
		if (op_state()->op[i].taken)
			run_warm(&op_state()->op[i]);
	return r;
}
