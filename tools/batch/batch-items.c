#include "batch/batch-items.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "batch/batch-tuples.h"
#include "say/need.h"

#define PIECE 65536

void
items_of_words(struct items *items, char *const *word)
{
	*items = (struct items){ .fd = -1, .word = word,
		.limit = UINT64_MAX };
}

void
items_of_tuples(struct items *items, struct tuples *tuples)
{
	*items = (struct items){ .fd = -1, .tuples = tuples,
		.limit = UINT64_MAX };
}

void
items_of_file(struct items *items, int fd, char delimiter)
{
	*items = (struct items){ .fd = fd, .delimiter = delimiter,
		.limit = UINT64_MAX };
}

static void
end(struct items *items)
{
	if (items->fd > STDERR_FILENO)
		close(items->fd);
	items->fd = -1;
	items->ended = true;
}

void
items_close(struct items *items)
{
	end(items);
	free(items->buffer);
	items->buffer = NULL;
}

void
items_limit(struct items *items, uint64_t most)
{
	items->limit = most;
}

/* --- reading -------------------------------------------------------------- */

/* Room for a piece more, what was taken having gone. */
static void
make_room(struct items *items)
{
	if (items->from > 0 && items->from >= items->used / 2) {
		memmove(items->buffer, items->buffer + items->from,
		    items->used - items->from);
		items->used -= items->from;
		items->looked -= items->from;
		items->from = 0;
	}
	if (items->room - items->used > PIECE)
		return;
	items->room = (items->used + PIECE) * 2;
	items->buffer = need(realloc(items->buffer, items->room + 1));
}

/* Read on; false: nothing is there now. */
static bool
read_on(struct items *items, bool wait)
{
	struct pollfd ready = { .fd = items->fd, .events = POLLIN };
	ssize_t n;

	if (!wait && poll(&ready, 1, 0) == 0)
		return false;
	make_room(items);
	n = read(items->fd, items->buffer + items->used, PIECE);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	if (n < 0)
		items->error = -errno;
	if (n <= 0)
		end(items);
	else
		items->used += (size_t)n;
	return true;
}

/* Of the next item in the buffer; SIZE_MAX: it is not whole. */
static size_t
next_bytes(struct items *items)
{
	size_t looked = max_u64(items->looked, items->from);
	const char *at = items->used > looked ? memchr(items->buffer + looked,
	    items->delimiter, items->used - looked) : NULL;

	items->looked = items->used;
	if (at != NULL)
		return (size_t)(at - items->buffer) - items->from;
	/* What stands last needs nothing behind it. */
	return items->ended && items->used > items->from ?
	    items->used - items->from : SIZE_MAX;
}

static int
take_word(struct items *items, char **item)
{
	if (*items->word == NULL)
		return -1;
	*item = need_text("%s", *items->word++);
	items->taken++;
	return 1;
}

static int
take_tuple(struct items *items, char **item)
{
	*item = tuples_take(items->tuples);
	items->taken += *item != NULL;
	return *item != NULL ? 1 : -1;
}

static int
take_bytes(struct items *items, size_t bytes, char **item)
{
	char *start = items->buffer + items->from;

	if (memchr(start, '\0', bytes) != NULL) {
		items->error = -EILSEQ;
		end(items);
		items->from = items->used;
		return -1;
	}
	*item = memcpy(need(malloc(bytes + 1)), start, bytes);
	(*item)[bytes] = '\0';
	items->from = min_u64(items->from + bytes + 1, items->used);
	items->looked = items->from;
	items->taken++;
	return 1;
}

int
items_take(struct items *items, char **item)
{
	size_t bytes;

	if (items->taken >= items->limit)
		return -1;
	if (items->word != NULL)
		return take_word(items, item);
	if (items->tuples != NULL)
		return take_tuple(items, item);
	for (;;) {
		bytes = items->buffer != NULL ? next_bytes(items) : SIZE_MAX;
		if (bytes != SIZE_MAX)
			return take_bytes(items, bytes, item);
		if (items->ended)
			return -1;
		if (!read_on(items, false))
			return 0;
	}
}

/* --- counting ------------------------------------------------------------- */

static uint64_t
count_bytes(const struct items *items, const char *at, size_t bytes)
{
	const char *stop = at + bytes;
	uint64_t n = 0;

	for (; (at = memchr(at, items->delimiter,
	    (size_t)(stop - at))) != NULL; at++)
		n++;
	return n + (bytes > 0 && stop[-1] != items->delimiter);
}

/* Of a regular file, from where it stands; false: it is none. */
static bool
count_file(const struct items *items, uint64_t *n)
{
	char piece[PIECE], last = items->delimiter;
	off_t at = lseek(items->fd, 0, SEEK_CUR);
	struct stat st;
	ssize_t got;

	if (at < 0 || fstat(items->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	for (*n = 0; (got = pread(items->fd, piece, sizeof(piece), at)) > 0;
	    at += got) {
		for (ssize_t i = 0; i < got; i++)
			*n += piece[i] == items->delimiter;
		last = piece[got - 1];
	}
	*n += last != items->delimiter;
	return got == 0;
}

uint64_t
items_count(struct items *items)
{
	uint64_t n = 0;

	if (items->word != NULL) {
		while (items->word[n] != NULL)
			n++;
	} else if (items->tuples != NULL) {
		n = tuples_total(items->tuples);
	} else if (!count_file(items, &n)) {
		while (!items->ended)
			(void)read_on(items, true);
		n = count_bytes(items, items->buffer, items->used);
	}
	return min_u64(n, items->limit);
}
