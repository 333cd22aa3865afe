#include "plan/spans.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "base/room.h"
#include "sys/sys.h"

#define ROOM_FIRST 128 /* ranges */

static int
grow(struct spans *s)
{
	size_t room = s->room == 0 ? ROOM_FIRST : s->room * 2;
	void *p = sys_mmap(NULL, room * sizeof(*s->at),
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (sys_error_of(p) != 0)
		return -ENOMEM;
	if (s->count > 0)
		memcpy(p, s->at, s->count * sizeof(*s->at));
	if (s->at != NULL)
		(void)sys_munmap(s->at, s->room * sizeof(*s->at));
	s->at = (struct span *)p;
	s->room = room;
	return 0;
}

void
spans_close(struct spans *s)
{
	if (s->at != NULL)
		(void)sys_munmap(s->at, s->room * sizeof(*s->at));
	memset(s, 0, sizeof(*s));
}

/* The first that ends behind @item; s->count: none does. */
static size_t
index_from(const struct spans *s, uint64_t item)
{
	return rows_upto(s->at, sizeof(*s->at), offsetof(struct span, end),
	    s->count, item);
}

const struct span *
spans_from(const struct spans *s, uint64_t item)
{
	size_t i = index_from(s, item);

	return i < s->count ? &s->at[i] : NULL;
}

bool
spans_meet(const struct spans *s, uint64_t first, uint64_t end)
{
	const struct span *span = spans_from(s, first);

	return span != NULL && span->first < end;
}

static int
insert(struct spans *s, size_t i, uint64_t first, uint64_t end,
    uint64_t stamp)
{
	int r = s->count == s->room ? grow(s) : 0;

	if (r < 0)
		return r;
	memmove(&s->at[i + 1], &s->at[i], (s->count - i) * sizeof(*s->at));
	s->count++;
	s->at[i].first = first;
	s->at[i].end = end;
	s->at[i].stamp = stamp;
	return 0;
}

static void
remove_at(struct spans *s, size_t i)
{
	s->count--;
	memmove(&s->at[i], &s->at[i + 1], (s->count - i) * sizeof(*s->at));
}

int
spans_drop(struct spans *s, uint64_t first, uint64_t end, uint64_t most)
{
	size_t i = index_from(s, first);
	int r;

	while (i < s->count && s->at[i].first < end) {
		struct span *at = &s->at[i];

		if (at->stamp > most) {
			i++;
		} else if (at->first < first && at->end > end) {
			/* In its middle: it becomes two. */
			r = insert(s, i + 1, end, at->end, at->stamp);
			if (r < 0)
				return r;
			s->at[i].end = first;
			return 0;
		} else if (at->first < first) {
			at->end = first;
			i++;
		} else if (at->end > end) {
			at->first = end;
			return 0;
		} else {
			remove_at(s, i);
		}
	}
	return 0;
}

int
spans_put(struct spans *s, uint64_t first, uint64_t end, uint64_t stamp)
{
	size_t i;
	int r;

	if (first >= end)
		return 0;
	r = spans_drop(s, first, end, UINT64_MAX);
	if (r < 0)
		return r;
	i = index_from(s, first);
	if (i > 0 && s->at[i - 1].end == first &&
	    s->at[i - 1].stamp == stamp) {
		s->at[i - 1].end = end;
		return 0;
	}
	return insert(s, i, first, end, stamp);
}

uint64_t
spans_count(const struct spans *s, uint64_t first, uint64_t end)
{
	uint64_t items = 0;
	size_t i;

	for (i = index_from(s, first); i < s->count && s->at[i].first < end;
	    i++)
		items += min_u64(s->at[i].end, end) -
		    max_u64(s->at[i].first, first);
	return items;
}

uint64_t
spans_items(const struct spans *s)
{
	return spans_count(s, 0, UINT64_MAX);
}

/* A number at *text, which is moved behind it; false: there is none. */
static bool
take_number(const char **text, uint64_t *n)
{
	const char *at = *text;

	*n = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (*n > (TIDE_NONE - 1 - digit) / 10)
			return false;
		*n = *n * 10 + digit;
	}
	if (at == *text)
		return false;
	*text = at;
	return true;
}

int
spans_parse(struct spans *s, const char *text)
{
	uint64_t first, last;
	int r = 0;

	if (*text == '\0')
		return 0;
	for (;;) {
		if (!take_number(&text, &first))
			return -EINVAL;
		last = first;
		if (*text == '-') {
			text++;
			if (!take_number(&text, &last) || last < first)
				return -EINVAL;
		}
		r = spans_put(s, first, last + 1, 0);
		if (r < 0 || *text == '\0')
			return r;
		if (*text++ != ',')
			return -EINVAL;
	}
}
