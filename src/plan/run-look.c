#include "plan/run-look.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "plan/run-failed.h"
#include "sys/sys.h"

/* --- one record after the other ------------------------------------------- */

static void
add_switch(struct run_look *look, const struct journal_record *record)
{
	struct journal_switch s;

	journal_take(record, &s, sizeof(s));
	look->holder = s.holder;
	look->attempts++;
	look->wanted = s.from;
	look->asked = s.asked;
	look->work_ns += above_u64(look->last_ns, look->process_ns);
	/* Who left in good order has written an end; who goes back wants to. */
	look->crashes += !s.asked && look->last_type != JOURNAL_END;
	look->process_ns = record->time_ns;
	if (!s.redo)
		look->ended = false;
	if (s.total != 0)
		look->total = s.total;
	if (s.from == look->mark_number)
		return;
	/* What came behind that one belongs to what was given up. */
	look->mark_number = s.from;
	look->stale = s.from != 0;
	memset(&look->mark, 0, sizeof(look->mark));
}

static void
add_mark(struct run_look *look, const struct journal_record *record)
{
	journal_take(record, &look->mark, sizeof(look->mark));
	look->mark_number = record->number;
	look->mark_ns = record->time_ns;
	look->stale = false;
}

static void
add_batch(struct run_look *look, const struct journal_record *record)
{
	struct journal_batch b;

	journal_take(record, &b, sizeof(b));
	look->batches++;
	look->items += b.count;
	look->last_n = b.count;
	look->peak = max_u64(look->peak, b.peak);
}

static void
add_fail(struct run_look *look, const struct journal_record *record)
{
	struct journal_fail f;

	journal_take(record, &f, sizeof(f));
	if (record->type == JOURNAL_QUAR)
		look->quarantined += f.count;
	else if (f.reason != 0)
		look->failed += f.count;
}

void
run_look_add(void *context, const struct journal_record *record)
{
	struct run_look *look = (struct run_look *)context;
	struct journal_end end;

	switch (record->type) {
	case JOURNAL_BEGIN:
		journal_take(record, &look->begin, sizeof(look->begin));
		/* Each text ends, whatever is in the file. */
		look->begin.id[sizeof(look->begin.id) - 1] = '\0';
		look->begin.name[sizeof(look->begin.name) - 1] = '\0';
		look->begin.unit[sizeof(look->begin.unit) - 1] = '\0';
		look->begin.conf[sizeof(look->begin.conf) - 1] = '\0';
		look->holder = look->begin.holder;
		look->total = look->begin.total;
		look->begin_ns = look->process_ns = record->time_ns;
		look->attempts = 1;
		break;
	case JOURNAL_BATCH:
		add_batch(look, record);
		break;
	case JOURNAL_FAIL:
	case JOURNAL_QUAR:
		add_fail(look, record);
		break;
	case JOURNAL_MARK:
		add_mark(look, record);
		look->marks++;
		look->mark_bytes += record->bytes;
		break;
	case JOURNAL_MODEL:
		look->model_ns = record->time_ns;
		break;
	case JOURNAL_SWITCH:
		add_switch(look, record);
		break;
	case JOURNAL_END:
		journal_take(record, &end, sizeof(end));
		if (end.redo)
			break;
		look->ended = true;
		look->ok = end.ok != 0;
		break;
	case JOURNAL_WORK:
		journal_take(record, &look->work, sizeof(look->work));
		look->work.source[sizeof(look->work.source) - 1] = '\0';
		look->work_at_ns = record->time_ns;
		break;
	case JOURNAL_COMMAND:
		look->command = true;
		break;
	default:
		break;
	}
	look->last_ns = record->time_ns;
	look->last_type = record->type;
}

/* --- as a whole ----------------------------------------------------------- */

bool
run_look_find(int fd, uint8_t *buffer, uint64_t number,
    struct journal_record *record)
{
	struct journal_reader reader;

	journal_read(&reader, fd, buffer);
	while (journal_next(&reader, record) > 0)
		if (record->number >= number)
			return record->number == number;
	return false;
}

int
run_look_settle(struct run_look *look, int fd, uint8_t *buffer)
{
	struct journal_record record;

	if (!look->stale)
		return 0;
	if (run_look_find(fd, buffer, look->mark_number, &record) &&
	    record.type == JOURNAL_MARK) {
		add_mark(look, &record);
		return 0;
	}
	look->mark_number = 0;
	look->stale = false;
	return -ENOENT;
}

uint8_t *
run_look_buffer(void)
{
	void *p = sys_mmap(NULL, JOURNAL_BUFFER, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return sys_error_of(p) != 0 ? NULL : (uint8_t *)p;
}

void
run_look_no_buffer(uint8_t *buffer)
{
	(void)sys_munmap(buffer, JOURNAL_BUFFER);
}

/* Items that failed and were not done since; only where there are any. */
static void
count_failed(struct run_look *look, int fd, uint8_t *buffer)
{
	struct run_failed failed;

	memset(&failed, 0, sizeof(failed));
	if (look->failed + look->quarantined == 0 ||
	    run_failed_read(fd, buffer, &failed) < 0)
		return;
	look->failed = spans_items(&failed.failed);
	look->quarantined = spans_items(&failed.quarantined);
	run_failed_close(&failed);
}

int
run_look_read(struct run_look *look, const char *path)
{
	struct journal_reader reader;
	struct journal_record record;
	uint8_t *buffer;
	struct stat st;
	int r, fd = journal_look(path);

	memset(look, 0, sizeof(*look));
	if (fd < 0)
		return fd;
	buffer = run_look_buffer();
	r = buffer == NULL ? -ENOMEM : 0;
	if (r == 0) {
		journal_read(&reader, fd, buffer);
		while (journal_next(&reader, &record) > 0)
			run_look_add(look, &record);
		r = reader.error != 0 ? reader.error : reader.at == 0 ?
		    -EBADMSG : 0;
		look->bytes = reader.at;
		look->why = reader.why;
		if (sys_fstat(fd, &st) == 0)
			look->behind = above_u64((uint64_t)st.st_size,
			    reader.at);
		(void)run_look_settle(look, fd, buffer);
		if (r == 0)
			count_failed(look, fd, buffer);
		run_look_no_buffer(buffer);
	}
	(void)sys_close(fd);
	return r;
}

double
run_look_percent(const struct run_look *look)
{
	double percent;

	if (look->ended && look->ok)
		return 100;
	if (look->total == TIDE_NONE || look->total == 0)
		return -1;
	percent = 100 * (double)look->mark.cursor / (double)look->total;
	/* Rounded, all of 6078832729528464400 items are more than that. */
	return percent < 100 ? percent : 100;
}
