#include "batch/batch-tuples.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"

void
tuples_begin(struct tuples *s, bool linked)
{
	s->column = need(realloc(s->column, (s->count + 1) *
	    sizeof(*s->column)));
	s->column[s->count] = (struct column){
		.linked = linked && s->count > 0 };
	s->count++;
}

void
tuples_add(struct tuples *s, char *value)
{
	struct column *one = &s->column[s->count - 1];

	if ((one->values & (one->values + 1)) == 0)
		one->value = need(realloc(one->value, 2 * (one->values + 1) *
		    sizeof(*one->value)));
	one->value[one->values++] = value;
}

static size_t
values_of(const struct column *one)
{
	return one->values == 0 ? 1 : one->values;
}

static const char *
value_of(const struct column *one, size_t i)
{
	return one->values == 0 ? "" : one->value[i];
}

/* Of those that are linked with @first: how far it goes, and where it ends. */
static size_t
group(const struct tuples *s, size_t first, size_t *end)
{
	size_t least = values_of(&s->column[first]);

	for (*end = first + 1; *end < s->count && s->column[*end].linked;
	    ++*end)
		least = min_u64(least, values_of(&s->column[*end]));
	return least;
}

uint64_t
tuples_total(const struct tuples *s)
{
	uint64_t total = 1;
	size_t at, end, n;

	for (at = 0; at < s->count; at = end) {
		n = group(s, at, &end);
		if (__builtin_mul_overflow(total, n, &total))
			return UINT64_MAX;
	}
	return s->count == 0 ? 0 : total;
}

/* The first source of the group before @end. */
static size_t
group_before(const struct tuples *s, size_t end)
{
	do
		end--;
	while (s->column[end].linked);
	return end;
}

char *
tuples_take(struct tuples *s)
{
	const char **part;
	uint64_t rest = s->next;
	size_t bytes = 0, first, end, all, i;
	char *tuple, *to;

	if (s->next >= tuples_total(s))
		return NULL;
	part = need(malloc(s->count * sizeof(*part)));
	/* From the last, which changes fastest. */
	for (end = s->count; end > 0; end = first) {
		first = group_before(s, end);
		all = group(s, first, &(size_t){ 0 });
		for (i = first; i < end; i++) {
			part[i] = value_of(&s->column[i], rest % all);
			bytes += strlen(part[i]) + 1;
		}
		rest /= all;
	}
	s->next++;
	to = tuple = need(malloc(bytes));
	for (i = 0; i < s->count; i++)
		to = stpcpy(to, part[i]) + 1;
	free(part);
	return tuple;
}

void
tuples_free(struct tuples *s)
{
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < s->column[i].values; k++)
			free(s->column[i].value[k]);
		free(s->column[i].value);
	}
	free(s->column);
	*s = (struct tuples){ .count = 0 };
}
