/*
 * run-page.c - a page for programs that nothing can be preloaded into, and the
 * word to all of a run that they should come to an end
 *
 * A program that includes heaptide.h and is static finds the page by
 * HEAPTIDE_PAGE: it stores there what it knows of its budget, and reads what
 * we have to say.  It is a struct tide_room in a file of its own, which ends
 * with the run; whose it is is written by the new process itself, before it
 * becomes the program.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/message.h"
#include "run/run.h"
#include "run/supervise-heard.h"
#include "say/print.h"
#include "symbols/json.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define VARIABLE "HEAPTIDE_PAGE"

/* --- the page ------------------------------------------------------------- */

static void
give_up(struct run *run)
{
	unlink(run->page_path);
	free(run->page_path);
	run->page_path = NULL;
	run->page = NULL;
}

void
run_offer_page(struct run *run)
{
	void *page;
	int fd;

	unsetenv(VARIABLE);
	if (asprintf(&run->page_path, "%s/%s.page", run->directory,
	    run->id) < 0) {
		run->page_path = NULL;
		return;
	}
	fd = open(run->page_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0) {
		free(run->page_path);
		run->page_path = NULL;
		return;
	}
	/* All of it, now: a full disk must not end the program later; and not
	 * if files may not become so large, which would end us. */
	page = sys_limit(RLIMIT_FSIZE) >= sizeof(*run->page) &&
	    posix_fallocate(fd, 0, sizeof(*run->page)) == 0 ?
	    mmap(NULL, sizeof(*run->page), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0) : MAP_FAILED;
	close(fd);
	if (page == MAP_FAILED) {
		give_up(run);
		return;
	}
	run->page = page;
	setenv(VARIABLE, run->page_path, 1);
}

void
run_sign_page(void *context)
{
	struct run *run = context;
	struct tide_room *page = run->page;
	struct proc_stat stat;

	if (page == NULL || proc_stat_read(0, &stat) < 0)
		return;
	page->version = TIDE_ROOM_VERSION;
	page->bytes = sizeof(*page);
	page->level = TIDE_PAGE;
	page->pid = sys_pid();
	page->start_ticks = stat.ticks;
	__atomic_store_n(&page->magic, TIDE_ROOM_MAGIC, __ATOMIC_RELEASE);
}

void
run_close_page(struct run *run)
{
	if (run->page == NULL)
		return;
	munmap(run->page, sizeof(*run->page));
	give_up(run);
}

/* Has the program ever asked?  Then it has looked at its memory. */
static bool
is_used(const struct tide_room *page)
{
	return page != NULL && page->looks != 0;
}

/* --- the end is wanted ---------------------------------------------------- */

/* Would the signal end it there and then? */
static bool
dies_of(int pid, int signal)
{
	return !heard_is_caught(pid, signal) && !heard_is_ignored(pid, signal);
}


/*
 * A program that takes its work in batches finds out at the next of them, and
 * would be killed in the middle of one by the signal; so it is given time.
 */
uint64_t
run_heed_signal(void *context, int signal)
{
	struct run *run = context;
	bool told = false;

	if (signal != SIGTERM || run->terminated)
		return 0;
	run->terminated = true;
	if (is_used(run->page)) {
		(void)__atomic_fetch_or(&run->page->stop, TIDE_STOP_TERM,
		    __ATOMIC_RELEASE);
		told = gather_has_batches(run->page);
	}
	if (run->gather.run != NULL &&
	    gather_stop(&run->gather, TIDE_STOP_TERM))
		told = true;
	return told && dies_of(run->child.pid, signal) ? run->options->grace :
	    0;
}

/* --- what it came to ------------------------------------------------------ */

/* The program may have written anything: names end, and rows are counted. */
static size_t
copy_page(const struct run *run, struct tide_room *copy)
{
	size_t i, count = 0;

	*copy = *run->page;
	for (i = 0; i < TIDE_OPS; i++) {
		copy->op[i].name[TIDE_NAME_ROOM - 1] = '\0';
		if (copy->op[i].batches != 0)
			copy->op[count++] = copy->op[i];
	}
	return count;
}

static void
print_op(const struct print *out, const struct tide_op_stats *op)
{
	char growth[TEXT_BYTES_ROOM];

	print_line(out, PRINT_PLAIN, "  %-14s %llu items in %llu batches of "
	    "%llu to %llu, of %s at most; %llu cut", op->name,
	    (unsigned long long)op->items, (unsigned long long)op->batches,
	    (unsigned long long)op->n_least, (unsigned long long)op->n_most,
	    text_format_bytes(growth, op->growth_most),
	    (unsigned long long)op->cuts);
}

static void
print_text(struct run *run, const struct tide_room *room, size_t ops)
{
	const struct print out = print_open(stderr);
	char words[RUN_ATTEMPTS_ROOM];
	char used[TEXT_BYTES_ROOM], budget[TEXT_BYTES_ROOM];
	size_t i;

	print_line(&out, PRINT_STRONG, "heaptide: %s, pid %d, asked for its "
	    "budget; there is no profile", run->argv[0], run->child.pid);
	print_line(&out, PRINT_PLAIN, "  %-14s %10s%s%s, %s", "peak used",
	    text_format_bytes(used, room->peak_used),
	    room->budget == TIDE_NONE ? "" : " of ",
	    room->budget == TIDE_NONE ? "" :
	    text_format_bytes(budget, room->budget),
	    message_state(room->state));
	for (i = 0; i < ops; i++)
		print_op(&out, &room->op[i]);
	if (run_attempts_words(run, words)[0] != '\0')
		print_line(&out, PRINT_PLAIN, "  %-14s %s", "attempts", words);
	if (run_left_out_words(run, words)[0] != '\0')
		print_line(&out, PRINT_WARN, "  %-14s %s", "left out", words);
}

static json_t *
json_op(const struct tide_op_stats *op)
{
	const struct json_member members[] = {
		{ "name", json_text(op->name) },
		{ "batches", json_number(op->batches) },
		{ "items", json_number(op->items) },
		{ "items_failed", json_number(op->items_failed) },
		{ "items_least", json_number(op->n_least) },
		{ "items_most", json_number(op->n_most) },
		{ "growth_most", json_number(op->growth_most) },
		{ "cuts", json_number(op->cuts) },
		{ "aborts", json_number(op->aborts) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static void
print_json(struct run *run, const struct tide_room *room, size_t ops)
{
	json_t *o, *more, *list = json_array();
	size_t i;

	for (i = 0; i < ops; i++)
		json_array_append_new(list, json_op(&room->op[i]));
	const struct json_member members[] = {
		{ "command", json_text(run->argv[0]) },
		{ "pid", json_integer(run->child.pid) },
		{ "level", json_text("page") },
		{ "peak_used", json_number(room->peak_used) },
		{ "budget", room->budget == TIDE_NONE ? json_null() :
		    json_number(room->budget) },
		{ "state", json_text(message_state(room->state)) },
		{ "operations", list },
	};

	o = json_fill(json_object(), members, ARRAY_LENGTH(members));
	more = run_json_outcome(run);
	json_object_update(o, more);
	json_decref(more);
	json_dumpf(o, stderr, JSON_COMPACT | JSON_REAL_PRECISION(15));
	fputc('\n', stderr);
	json_decref(o);
}

bool
run_tell_page(struct run *run)
{
	struct tide_room room;
	size_t ops;

	if (!is_used(run->page) || run->options->quiet ||
	    run->options->summary == SUMMARY_OFF)
		return false;
	ops = copy_page(run, &room);
	if (run->options->summary == SUMMARY_JSON)
		print_json(run, &room, ops);
	else
		print_text(run, &room, ops);
	return true;
}
