#include "plan/learned.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "base/crc.h"
#include "base/text.h"
#include "model/numbers.h"
#include "model/sizing.h"
#include "plan/journal-file.h"
#include "plan/op-state.h"
#include "plan/op.h"
#include "plan/plan.h"
#include "plan/run-who.h"
#include "plan/settings.h"
#include "sys/proc.h"
#include "sys/sys.h"

extern char **environ;

/* Rooms for the longest file: 226 numbers of at most 19 digits. */
#define LEARNED_ROOM (8 * KIB)
#define LEARNED_MOST UINT64_C(900000000000000000) /* as sizing_load() has it */
#define LEARNED_NS   (10 * NS_PER_S) /* from one to the next */

static struct {
	int32_t busy;  /* the process in which a thread writes, or 0 */
	uint32_t told; /* that it cannot be written */
} learned;

/* --- which file ----------------------------------------------------------- */

/* Forty digits: the build-id, or what else tells one program from another. */
static void
put_program(struct text *t)
{
	static const char digits[] = "0123456789abcdef";
	struct journal_identity file;
	uint8_t id[JOURNAL_BUILD_ID];
	char two[2];
	size_t i;

	if (!run_who_build_id("/proc/self/exe", id)) {
		memset(&file, 0, sizeof(file));
		(void)run_who_file("/proc/self/exe", &file);
		memcpy(id, &file.hash, sizeof(file.hash));
		memcpy(id + sizeof(file.hash), &file.bytes,
		    sizeof(file.bytes));
	}
	for (i = 0; i < sizeof(id); i++) {
		two[0] = digits[id[i] >> 4];
		two[1] = digits[id[i] & 15];
		text_put_bytes(t, two, 2);
	}
}

/* A program that is built anew finds the file of the one before it. */
static int
find_path(const tide_op *op, bool make, char path[JOURNAL_PATH])
{
	char id[JOURNAL_ID_ROOM], program[JOURNAL_PATH];
	ssize_t n = sys_readlink("/proc/self/exe", program, sizeof(program));
	struct text t;
	size_t used;
	int r = run_who_models(environ, make, path);

	if (r < 0)
		return r;
	run_who_name(op_row(op)->name, crc_hash(crc_hash(op->conf.model + 1,
	    op_row(op)->name, strlen(op_row(op)->name)), program,
	    n > 0 ? (size_t)n : 0), id);
	used = strlen(path);
	text_open(&t, path + used, JOURNAL_PATH - used);
	text_put(&t, "/");
	text_put(&t, id);
	text_put(&t, ".json");
	return t.cut ? -ENAMETOOLONG : 0;
}

static char *
open_buffer(void)
{
	void *p = sys_mmap(NULL, LEARNED_ROOM, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return sys_error_of(p) < 0 ? NULL : (char *)p;
}

static void
close_buffer(char *buffer)
{
	(void)sys_munmap(buffer, LEARNED_ROOM);
}

static void
say(const char *before, const char *path, const char *behind)
{
	char line[JOURNAL_PATH + 128];
	struct text t;

	text_open(&t, line, sizeof(line));
	text_put(&t, before);
	text_put(&t, path);
	text_put(&t, behind);
	plan_say(line);
}

/* --- as text -------------------------------------------------------------- */

/* Up to the numbers: whoever reads it expects the very same. */
static void
put_head(struct text *t)
{
	text_put(t, "{\"heaptide\":\"model\",\"schema\":1,\"program\":\"");
	put_program(t);
	text_put(t, "\",\"one\":");
}

static const struct learned_list {
	const char *name;
	size_t at;
	bool heavy;
} learned_lists[] = {
	{ ",\"n\":[", offsetof(struct sizing_saved, n), false },
	{ "],\"g\":[", offsetof(struct sizing_saved, g), false },
	{ "],\"weights\":[", offsetof(struct sizing_saved, heavy_sum), true },
	{ "],\"padded\":[", offsetof(struct sizing_saved, heavy_padded),
	    true },
	{ "],\"weighed_g\":[", offsetof(struct sizing_saved, heavy_g), true },
};

static void
put_model(struct text *t, const struct sizing_saved *saved)
{
	const struct learned_list *l;
	const float *value;
	uint32_t i, count;

	put_head(t);
	text_put_u64(t, numbers_whole(saved->one, LEARNED_MOST));
	for (l = learned_lists; l < learned_lists +
	    ARRAY_LENGTH(learned_lists); l++) {
		value = (const float *)(const void *)((const char *)saved +
		    l->at);
		count = l->heavy ? saved->heavy_count : saved->count;
		text_put(t, l->name);
		for (i = 0; i < count; i++) {
			if (i > 0)
				text_put(t, ",");
			text_put_u64(t, max_u64(1, numbers_whole(
			    (double)value[i], LEARNED_MOST)));
		}
	}
	text_put(t, "]}\n");
}

static bool
take_word(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool
take_number(const char **at, uint64_t *n)
{
	if (**at < '0' || **at > '9')
		return false;
	return proc_number(at, 10, n);
}

/* Its numbers, up to a bracket; false: it is none, or has too many. */
static bool
take_list(const char **at, float *value, uint32_t most, uint32_t *count)
{
	uint64_t n;

	for (*count = 0; **at != ']'; (*count)++) {
		if (*count >= most || (*count > 0 && !take_word(at, ",")) ||
		    !take_number(at, &n))
			return false;
		value[*count] = (float)n;
	}
	return true;
}

/* Behind put_head().  What the numbers may be, sizing_load() says. */
static bool
take_model(const char *at, struct sizing_saved *saved)
{
	const struct learned_list *l;
	uint32_t *count, found;
	uint64_t one;

	memset(saved, 0, sizeof(*saved));
	saved->version = SIZING_VERSION;
	if (!take_number(&at, &one))
		return false;
	saved->one = (double)one;
	for (l = learned_lists; l < learned_lists +
	    ARRAY_LENGTH(learned_lists); l++) {
		bool first = l == learned_lists || (l->heavy && !l[-1].heavy);

		count = l->heavy ? &saved->heavy_count : &saved->count;
		if (!take_word(&at, l->name) || !take_list(&at,
		    (float *)(void *)((char *)saved + l->at), l->heavy ?
		    SIZING_SAVED / 2 : SIZING_SAVED, &found))
			return false;
		if (!first && found != *count)
			return false;
		*count = found;
	}
	return take_word(&at, "]}\n") && *at == '\0';
}

/* --- reading -------------------------------------------------------------- */

enum learned_answer { LEARNED_NONE, LEARNED_TAKEN, LEARNED_BAD };

/* Of another build of the program: none.  @text ends with a zero. */
static enum learned_answer
read_model(const char *text, struct sizing_saved *saved)
{
	char head[160];
	const char *at = text;
	struct text t;
	size_t kept;

	text_open(&t, head, sizeof(head));
	put_head(&t);
	kept = t.used - strlen("\",\"one\":") - 2 * JOURNAL_BUILD_ID;
	if (strncmp(text, head, kept) != 0)
		return LEARNED_BAD;
	if (!take_word(&at, head))
		return LEARNED_NONE;
	return take_model(at, saved) ? LEARNED_TAKEN : LEARNED_BAD;
}

static enum learned_answer
read_file(const char *path, char *buffer, struct sizing_saved *saved)
{
	int fd = journal_look(path);
	ssize_t n = -EINTR;

	if (fd == -ENOENT)
		return LEARNED_NONE;
	if (fd < 0)
		return LEARNED_BAD;
	while (n == -EINTR)
		n = sys_read(fd, buffer, LEARNED_ROOM - 1);
	(void)sys_close(fd);
	if (n < 0 || memchr(buffer, '\0', (size_t)n) != NULL)
		return LEARNED_BAD;
	buffer[n] = '\0';
	return read_model(buffer, saved);
}

void
learned_take(tide_op *op)
{
	char path[JOURNAL_PATH], *buffer;
	enum learned_answer answer;
	struct sizing_saved saved;

	if (!settings_is_on("BATCH_WARM", false) ||
	    find_path(op, false, path) < 0 || (buffer = open_buffer()) == NULL)
		return;
	answer = read_file(path, buffer, &saved);
	close_buffer(buffer);
	plan_lock();
	/* A run may have known more. */
	if (answer == LEARNED_TAKEN && op->sizing.count == 0 &&
	    !sizing_load(&op->sizing, &saved))
		answer = LEARNED_BAD;
	plan_unlock();
	if (answer == LEARNED_BAD)
		say("what was learned before is not used, as this is no such "
		    "file: ", path, "; it will be replaced");
}

/* --- writing -------------------------------------------------------------- */

static int
write_file(const char *path, const struct text *t)
{
	struct journal_new made;
	int r = journal_file_new(&made, path);

	if (r < 0)
		return r;
	r = journal_file_write(made.fd, t->start, t->used, 0);
	if (r == 0)
		r = sys_rename(made.path, path);
	if (r < 0)
		journal_file_drop(&made);
	else
		(void)sys_close(made.fd);
	return r;
}

/* -EBUSY: another process of this program is at it, and knows as much. */
static void
keep(const tide_op *op, const struct sizing_saved *saved)
{
	char path[JOURNAL_PATH], *buffer = open_buffer();
	struct text t;
	int r;

	if (buffer == NULL)
		return;
	r = find_path(op, true, path);
	text_open(&t, buffer, LEARNED_ROOM);
	put_model(&t, saved);
	if (r == 0 && !t.cut)
		r = write_file(path, &t);
	close_buffer(buffer);
	if (r < 0 && r != -EBUSY && r != -ENOENT && learned.told++ == 0)
		say("what was learned of batches cannot be kept: ", path,
		    r == -ENOSPC ? ": no space is left on its disk" :
		    ": it may not be written");
}

/* Soon, as it may have few; and then now and then. */
static bool
is_worth_it(const tide_op *op, uint64_t now_ns)
{
	uint64_t batches = op_row(op)->batches;

	return batches >= 4 && ((batches & (batches - 1)) == 0 ||
	    now_ns - op->kept_ns >= LEARNED_NS);
}

void
learned_keep(tide_op *op)
{
	struct sizing_saved saved;
	uint64_t now_ns = sys_clock();
	int32_t pid = sys_pid(), busy;

	if (!settings_is_on("BATCH_WARM", false) || !is_worth_it(op, now_ns))
		return;
	/* Of a parent's thread nobody is here any more. */
	busy = __atomic_load_n(&learned.busy, __ATOMIC_RELAXED);
	if (busy == pid || !__atomic_compare_exchange_n(&learned.busy, &busy,
	    pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	plan_lock();
	op->kept_ns = now_ns;
	sizing_save(&op->sizing, &saved);
	plan_unlock();
	keep(op, &saved);
	__atomic_store_n(&learned.busy, 0, __ATOMIC_RELEASE);
}
