/*
 * fuzz-journal.c - the file of a run from a damaged disk, or from an enemy
 *
 * As it is, and with the sums of its records put right, so that what is behind
 * them is met as well: all that is told of a run, what failed of it, and what a
 * writer makes of the file.
 */
#include "fuzz.h"

#include "base/base.h"
#include "base/crc.h"
#include "plan/journal.h"
#include "plan/run-failed.h"
#include "plan/run-look.h"

static uint8_t buffer[JOURNAL_BUFFER] __attribute__((aligned(8)));

static int
file_of(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(write(fd, bytes, size) == (ssize_t)size);
	return fd;
}

static void
look(int fd, size_t size)
{
	struct journal_reader reader;
	struct journal_record record;
	struct run_failed failed;
	struct run_look look;
	uint64_t number = 0;
	double percent;

	memset(&look, 0, sizeof(look));
	journal_read(&reader, fd, buffer);
	while (journal_next(&reader, &record) > 0) {
		MUST(record.number > number);
		MUST(record.payload >= buffer && record.payload +
		    record.bytes <= buffer + sizeof(buffer));
		MUST(((uintptr_t)record.payload & 7) == 0);
		number = record.number;
		run_look_add(&look, &record);
	}
	MUST(reader.at <= size && reader.error == 0);
	MUST(reader.at == size || reader.why != NULL);
	(void)run_look_settle(&look, fd, buffer);
	MUST(look.mark_number <= number);
	percent = run_look_percent(&look);
	MUST(percent <= 100);
	memset(&failed, 0, sizeof(failed));
	if (run_failed_read(fd, buffer, &failed) == 0)
		MUST(run_failed_to_redo(&failed) == 0);
	for (size_t i = 1; i < failed.failed.count; i++)
		MUST(failed.failed.at[i - 1].end <= failed.failed.at[i].first);
	run_failed_close(&failed);
}

/* As a writer would have left it: every sum is right, every length fits. */
static size_t
put_right(uint8_t *bytes, size_t size)
{
	const size_t head = 24, tail = 8;
	uint64_t number = 0;
	size_t at = 0;

	while (at + head + tail <= size) {
		uint32_t n, magic, crc;
		size_t whole;

		memcpy(&n, bytes + at + 4, sizeof(n));
		n %= (uint32_t)min_u64(size - at - head - tail + 1, 2048);
		whole = head + (size_t)round_up(n, 8);
		if (at + whole + tail > size)
			break;
		magic = JOURNAL_MAGIC | (at == 0 ? JOURNAL_BEGIN :
		    bytes[at]);
		number++;
		memcpy(bytes + at, &magic, sizeof(magic));
		memcpy(bytes + at + 4, &n, sizeof(n));
		memcpy(bytes + at + 8, &number, sizeof(number));
		crc = crc_32c(0, bytes + at, whole);
		memcpy(bytes + at + whole, &crc, sizeof(crc));
		memcpy(bytes + at + whole + 4, &n, sizeof(n));
		at += whole + tail;
	}
	return at;
}

/* Who writes on finds what was there, and what it adds. */
static void
go_on(const uint8_t *bytes, size_t size, size_t good)
{
	static struct journal j;
	static char path[64];
	struct journal_mark mark;
	FILE *f;

	snprintf(path, sizeof(path), "/dev/shm/fuzz-journal.%d",
	    (int)getpid());
	f = fopen(path, "w");
	MUST(f != NULL && fwrite(bytes, 1, size, f) == size);
	MUST(fclose(f) == 0 && chmod(path, 0600) == 0);
	j.fd = -1;
	j.sync = JOURNAL_SYNC_NONE;
	if (journal_open(&j, path, NULL, NULL) == 0) {
		MUST(j.end == good || good == 0);
		memset(&mark, 0, sizeof(mark));
		mark.cursor = 4711;
		MUST(journal_mark(&j, JOURNAL_MARK, &mark, sizeof(mark), "x",
		    1) == 0);
		MUST(journal_compact(&j, true) == 0);
		journal_close(&j);
	}
	unlink(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = (uint8_t *)fuzz_text(bytes, size);
	size_t good;
	int fd = file_of(bytes, size);

	look(fd, size);
	close(fd);
	good = put_right(copy, size);
	fd = file_of(copy, size);
	look(fd, size);
	close(fd);
	go_on(copy, size, good);
	free(copy);
	return 0;
}
