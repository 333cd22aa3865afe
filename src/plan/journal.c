#include "plan/journal.h"

#include <errno.h>
#include <string.h>

#include "base/crc.h"
#include "base/text.h"
#include "plan/journal-file.h"
#include "sys/sys.h"

/* Around the payload of a record. */
struct journal_head {
	uint32_t magic, bytes;
	uint64_t number, time_ns;
};

struct journal_tail {
	uint32_t crc, bytes;
};

#define JOURNAL_AROUND (sizeof(struct journal_head) + \
	sizeof(struct journal_tail))

typedef char journal_is_aligned[
    sizeof(struct journal_head) == 24 && sizeof(struct journal_tail) == 8 &&
    JOURNAL_BUFFER % 8 == 0 ? 1 : -1];

static uint64_t
whole_bytes(uint64_t payload)
{
	return JOURNAL_AROUND + round_up(payload, 8);
}

/* --- reading -------------------------------------------------------------- */

void
journal_read(struct journal_reader *r, int fd, uint8_t *buffer)
{
	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->buffer = buffer;
}

/*
 * Have @bytes from r->at on in the buffer.  How many there are, which is less
 * at the end of the file.
 */
static uint64_t
fill(struct journal_reader *r, uint64_t bytes)
{
	uint64_t before = r->at - r->window;
	ssize_t n;

	if (before + bytes <= r->filled)
		return bytes;
	r->window = r->at;
	r->filled = 0;
	while (r->filled < JOURNAL_BUFFER) {
		n = sys_pread(r->fd, r->buffer + r->filled,
		    (size_t)(JOURNAL_BUFFER - r->filled),
		    r->window + r->filled);
		if (n == -EINTR)
			continue;
		if (n < 0)
			r->error = (int)n;
		if (n <= 0)
			break;
		r->filled += (uint64_t)n;
	}
	return min_u64(bytes, r->filled);
}

/* Where the record is, for as long as the buffer is not filled anew. */
static const uint8_t *
record_at(const struct journal_reader *r)
{
	return r->buffer + (r->at - r->window);
}

/* What is wrong about the record at r->at, or NULL. */
static const char *
judge(struct journal_reader *r, struct journal_head *head)
{
	struct journal_tail tail;
	uint64_t bytes, there;
	const uint8_t *at;

	there = fill(r, sizeof(*head));
	if (there == 0)
		return "";
	if (there < sizeof(*head))
		return "it is torn in the middle of a record";
	memcpy(head, record_at(r), sizeof(*head));
	if ((head->magic & ~UINT32_C(255)) != JOURNAL_MAGIC)
		return "what follows is no record";
	bytes = whole_bytes(head->bytes);
	if (bytes > JOURNAL_BUFFER)
		return "a record is too long";
	if (fill(r, bytes) < bytes)
		return "it is torn in the middle of a record";
	at = record_at(r);
	memcpy(&tail, at + bytes - sizeof(tail), sizeof(tail));
	if (tail.bytes != head->bytes ||
	    tail.crc != crc_32c(0, at, (size_t)bytes - sizeof(tail)))
		return "the sum of a record is wrong";
	/* Behind the last number there could be no other. */
	if (head->number <= r->number || head->number == UINT64_MAX)
		return "a record is out of order";
	if (r->at == 0 && (head->magic & 255) != JOURNAL_BEGIN)
		return "it does not begin like a file of checkpoints";
	return NULL;
}

int
journal_next(struct journal_reader *r, struct journal_record *record)
{
	struct journal_head head;
	const char *why = judge(r, &head);

	if (why != NULL) {
		r->why = *why != '\0' ? why : NULL;
		return 0;
	}
	record->type = head.magic & 255;
	record->bytes = head.bytes;
	record->number = head.number;
	record->time_ns = head.time_ns;
	record->payload = record_at(r) + sizeof(head);
	r->number = head.number;
	r->at += whole_bytes(head.bytes);
	return 1;
}

void
journal_take(const struct journal_record *record, void *into, size_t bytes)
{
	size_t there = (size_t)min_u64(record->bytes, bytes);

	memcpy(into, record->payload, there);
	memset((char *)into + there, 0, bytes - there);
}

/* --- records -------------------------------------------------------------- */

/* Write one at @at; its bytes. */
static size_t
encode(uint8_t *at, int type, uint64_t number, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes)
{
	const size_t bytes = (size_t)whole_bytes(head_bytes + blob_bytes);
	struct journal_head h;
	struct journal_tail t;

	h.magic = JOURNAL_MAGIC | (uint32_t)type;
	h.bytes = t.bytes = (uint32_t)(head_bytes + blob_bytes);
	h.number = number;
	h.time_ns = (uint64_t)sys_clock_wall();
	memset(at, 0, bytes);
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), head, head_bytes);
	if (blob_bytes > 0)
		memcpy(at + sizeof(h) + head_bytes, blob, blob_bytes);
	t.crc = crc_32c(0, at, bytes - sizeof(t));
	memcpy(at + bytes - sizeof(t), &t, sizeof(t));
	return bytes;
}

/* --- opening -------------------------------------------------------------- */

static void
begin_at(struct journal *j, int fd, const char *path, uint64_t end,
    uint64_t number)
{
	const int sync = j->sync;
	struct text t;

	memset(j, 0, offsetof(struct journal, buffer));
	j->fd = fd;
	j->sync = sync;
	j->end = end;
	j->number = number;
	j->compact_at = JOURNAL_MOST;
	j->unsynced = true;
	text_open(&t, j->path, sizeof(j->path));
	text_put(&t, path);
}

/* Tell all that is whole.  0, or a negative errno value. */
static int
read_all(struct journal_reader *r, void (*each)(void *context,
    const struct journal_record *record), void *context)
{
	struct journal_record record;

	while (journal_next(r, &record) > 0)
		if (each != NULL)
			each(context, &record);
	return r->error != 0 ? r->error : r->at == 0 ? -EBADMSG : 0;
}

int
journal_open(struct journal *j, const char *path,
    void (*each)(void *context, const struct journal_record *record),
    void *context)
{
	struct journal_reader reader;
	struct stat st;
	int fd, r;

	if (strlen(path) + 8 > sizeof(j->path))
		return -ENAMETOOLONG;
	fd = journal_file_open(path, 0);
	if (fd < 0)
		return fd;
	journal_read(&reader, fd, j->buffer);
	r = read_all(&reader, each, context);
	if (r == 0)
		r = sys_fstat(fd, &st);
	/* Or what is behind would count, once something fits before it. */
	if (r == 0 && (uint64_t)st.st_size > reader.at)
		r = sys_ftruncate(fd, reader.at);
	if (r < 0) {
		(void)sys_close(fd);
		return r;
	}
	begin_at(j, fd, path, reader.at, reader.number);
	return 0;
}

int
journal_create(struct journal *j, const char *path,
    const struct journal_begin *begin)
{
	const int before = j->fd;
	struct journal_new fresh;
	size_t bytes;
	int r;

	if (strlen(path) + 8 > sizeof(j->path))
		return -ENAMETOOLONG;
	r = journal_file_new(&fresh, path);
	if (r < 0)
		return r;
	bytes = encode(j->buffer, JOURNAL_BEGIN, 1, begin, sizeof(*begin),
	    NULL, 0);
	r = journal_file_write(fresh.fd, j->buffer, bytes, 0);
	if (r == 0)
		r = journal_file_settle(&fresh, path, before, j->sync);
	if (r < 0) {
		journal_file_drop(&fresh);
		return r;
	}
	begin_at(j, fresh.fd, path, bytes, 1);
	j->unsynced = false;
	if (before >= 0)
		(void)sys_close(before);
	return 0;
}

void
journal_close(struct journal *j)
{
	if (j->fd >= 0)
		(void)sys_close(j->fd);
	j->fd = -1;
	j->held = 0;
}

/* --- writing -------------------------------------------------------------- */

/* All that is held.  It stays held if that cannot be. */
static int
flush(struct journal *j)
{
	int r;

	if (j->held == 0)
		return 0;
	r = journal_file_write(j->fd, j->buffer, j->held, j->end);
	if (r < 0) {
		/* What has come through is as good as torn. */
		(void)sys_ftruncate(j->fd, j->end);
		return r;
	}
	j->end += j->held;
	j->held = 0;
	j->unsynced = true;
	return 0;
}

static int
synchronise(struct journal *j)
{
	int r;

	if (!j->unsynced)
		return 0;
	r = sys_fdatasync(j->fd);
	if (r < 0) {
		j->doubted = true;
		return r;
	}
	j->unsynced = false;
	j->synced_ns = sys_clock();
	return 0;
}

int
journal_put(struct journal *j, enum journal_type type, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes)
{
	int r;

	if (j->fd < 0)
		return -EBADF;
	if (head_bytes > JOURNAL_HEAD_MOST || blob_bytes > JOURNAL_BLOB_MOST)
		return -E2BIG;
	if (j->held + whole_bytes(head_bytes + blob_bytes) > JOURNAL_BUFFER) {
		r = flush(j);
		if (r < 0) {
			j->lost++;
			return r;
		}
	}
	j->held += encode(j->buffer + j->held, type, ++j->number, head,
	    head_bytes, blob, blob_bytes);
	return 0;
}

/* The last record was not to be: in the buffer, or in the file already. */
static void
take_back(struct journal *j, uint64_t bytes)
{
	j->number--;
	if (j->held >= bytes) {
		j->held -= (size_t)bytes;
		return;
	}
	j->end -= bytes;
	(void)sys_ftruncate(j->fd, j->end);
}

static bool
is_sync_due(const struct journal *j)
{
	return j->sync == JOURNAL_SYNC_BATCH ||
	    (j->sync == JOURNAL_SYNC_MARK && (j->synced_ns == 0 ||
	    sys_clock() - j->synced_ns >= NS_PER_S));
}

int
journal_mark(struct journal *j, enum journal_type type, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes)
{
	int r = 0;

	if (j->doubted)
		r = journal_compact(j, true);
	if (r == 0)
		r = journal_put(j, type, head, head_bytes, blob, blob_bytes);
	if (r < 0)
		return r;
	r = flush(j);
	if (r == 0 && (is_sync_due(j) || (type == JOURNAL_END &&
	    j->sync != JOURNAL_SYNC_NONE)))
		r = synchronise(j);
	if (r < 0) {
		take_back(j, whole_bytes(head_bytes + blob_bytes));
		return r;
	}
	/* That it has become long is no reason to fail. */
	if (j->end > j->compact_at && journal_compact(j, false) < 0)
		j->compact_at = j->end + j->end / 4;
	return 0;
}

/* --- compaction ----------------------------------------------------------- */

/* How much of each is kept, the newest first; 27 MiB in all.  Bytes. */
static uint64_t
kept_of(uint32_t type)
{
	switch (type) {
	case JOURNAL_BATCH: return 1 * MIB;
	case JOURNAL_FAIL: return 4 * MIB;
	case JOURNAL_MARK: return 16 * MIB;
	case JOURNAL_MODEL: return 128 * KIB;
	case JOURNAL_QUAR: return 4 * MIB;
	case JOURNAL_BEGIN: return JOURNAL_BUFFER;
	default: return 256 * KIB;
	}
}

/* Those to come are of one kind. */
static uint32_t
kind_of(uint32_t type)
{
	return type < JOURNAL_TYPES ? type : 0;
}

/* What each type comes to, and what has been met of it on the way. */
struct journal_sums {
	uint64_t all[JOURNAL_TYPES], met[JOURNAL_TYPES];
};

static void
sum_up(void *context, const struct journal_record *record)
{
	struct journal_sums *sums = (struct journal_sums *)context;

	sums->all[kind_of(record->type)] += whole_bytes(record->bytes);
}

static bool
is_kept(struct journal_sums *sums, const struct journal_record *record)
{
	uint32_t kind = kind_of(record->type);
	uint64_t behind = sums->all[kind] - sums->met[kind];

	sums->met[kind] += whole_bytes(record->bytes);
	return behind <= kept_of(record->type);
}

/* @sums NULL: all of it. */
static int
copy(struct journal_reader *from, struct journal_new *to,
    struct journal_sums *sums)
{
	struct journal_record record;
	int r;

	while (journal_next(from, &record) > 0) {
		if (sums != NULL && !is_kept(sums, &record))
			continue;
		r = journal_file_write(to->fd, record.payload -
		    sizeof(struct journal_head),
		    (size_t)whole_bytes(record.bytes), to->end);
		if (r < 0)
			return r;
		to->end += whole_bytes(record.bytes);
		to->number = record.number;
	}
	return from->error != 0 ? from->error : to->end == 0 ? -EBADMSG : 0;
}

/* Into a file of its own, which then is the one. */
static int
rewrite(int fd, const char *path, int sync, uint8_t *buffer,
    struct journal_sums *sums, struct journal_new *fresh)
{
	struct journal_reader reader;
	int r = journal_file_new(fresh, path);

	if (r < 0)
		return r;
	journal_read(&reader, fd, buffer);
	r = copy(&reader, fresh, sums);
	if (r == 0)
		r = journal_file_settle(fresh, path, fd, sync);
	if (r < 0)
		journal_file_drop(fresh);
	return r;
}

static bool
all_is_kept(const struct journal_sums *sums)
{
	uint32_t type;

	for (type = 0; type < JOURNAL_TYPES; type++)
		if (sums->all[type] > kept_of(type))
			return false;
	return true;
}

int
journal_compact(struct journal *j, bool all)
{
	struct journal_reader reader;
	struct journal_sums sums;
	struct journal_new fresh;
	int r = flush(j);

	if (r < 0)
		return r;
	memset(&sums, 0, sizeof(sums));
	journal_read(&reader, j->fd, j->buffer);
	r = read_all(&reader, &sum_up, &sums);
	if (r < 0 || (!all && all_is_kept(&sums)))
		return r;
	r = rewrite(j->fd, j->path, j->sync, j->buffer, all ? NULL : &sums,
	    &fresh);
	if (r < 0)
		return r;
	(void)sys_close(j->fd);
	j->fd = fresh.fd;
	j->end = fresh.end;
	j->number = max_u64(j->number, fresh.number);
	j->compact_at = max_u64(JOURNAL_MOST, j->end * 2);
	j->doubted = false;
	j->unsynced = false;
	j->synced_ns = sys_clock();
	return 0;
}

int
journal_seize(struct journal *j, const char *path,
    void (*each)(void *context, const struct journal_record *record),
    void *context)
{
	struct journal_new fresh;
	int fd, r;

	fd = journal_look(path);
	if (fd < 0)
		return fd;
	r = rewrite(fd, path, JOURNAL_SYNC_MARK, j->buffer, NULL, &fresh);
	(void)sys_close(fd);
	if (r < 0)
		return r;
	/* Who comes meanwhile finds it locked, or has it. */
	(void)sys_close(fresh.fd);
	return journal_open(j, path, each, context);
}

int
journal_remove(const char *path)
{
	int fd = journal_file_open(path, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_unlink(path);
	(void)sys_close(fd);
	return r;
}
