#include "door/preload.h"

#include <string.h>

#include "sys/program.h"

#define SEPARATORS " :" /* ld.so(8) */

/* The last part of a path. */
static const char *
last_part(const char *path, size_t bytes)
{
	const char *slash = memrchr(path, '/', bytes);

	return slash != NULL ? slash + 1 : path;
}

static bool
is_ours(const char *path, size_t bytes, const char *own)
{
	const char *name = last_part(path, bytes);
	size_t n = (size_t)(path + bytes - name);
	const char *self = last_part(own, strlen(own));

	return (n == strlen(self) && memcmp(name, self, n) == 0) ||
	    (n == strlen(PROGRAM_LIBRARY) &&
	    memcmp(name, PROGRAM_LIBRARY, n) == 0);
}

const char *
preload_entry(const char *list, const char *own, size_t *bytes)
{
	for (;;) {
		*bytes = strcspn(list, SEPARATORS);
		if (is_ours(list, *bytes, own))
			return list;
		if (list[*bytes] == '\0')
			return NULL;
		list += *bytes + 1;
	}
}

bool
preload_has(const char *list, const char *own)
{
	size_t bytes;

	return preload_entry(list, own, &bytes) != NULL;
}

size_t
preload_without(char *to, const char *list, const char *own)
{
	size_t used = 0;
	char before = '\0'; /* the separator that @list came behind */

	for (;;) {
		size_t n = strcspn(list, SEPARATORS);

		if (n != 0 && !is_ours(list, n, own)) {
			if (used != 0)
				to[used++] = before;
			memcpy(to + used, list, n);
			used += n;
		}
		before = list[n];
		if (before == '\0')
			break;
		list += n + 1;
	}
	to[used] = '\0';
	return used;
}
