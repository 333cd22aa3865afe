/*
 * import.c - what the readers of all formats share
 */
#include "formats/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"

/* --- lines ---------------------------------------------------------------- */

bool
import_line(struct import *in)
{
	ssize_t n = getline(&in->text, &in->text_room, in->from);

	/* A line may have come before it. */
	if (ferror(in->from))
		return import_refuse(in, "it cannot be read on: it is cut off, "
		    "or its compression is broken");
	if (n < 0)
		return false;
	in->line++;
	while (n > 0 && (in->text[n - 1] == '\n' || in->text[n - 1] == '\r'))
		in->text[--n] = '\0';
	return true;
}

bool
import_refuse(struct import *in, const char *format, ...)
{
	char *words;
	va_list args;

	va_start(args, format);
	words = need_text_list(format, args);
	va_end(args);
	if (in->line != 0)
		snprintf(in->why, sizeof(in->why), "'%.200s', line %llu: %s",
		    in->path, (unsigned long long)in->line, words);
	else
		snprintf(in->why, sizeof(in->why), "'%.200s': %s", in->path,
		    words);
	free(words);
	return false;
}

bool
import_number(const char **at, int base, uint64_t *value)
{
	char *end;

	while (**at == ' ')
		++*at;
	if (**at == '-' || **at == '+')
		return false;
	errno = 0;
	*value = strtoull(*at, &end, base);
	if (end == *at || errno != 0)
		return false;
	*at = end;
	return true;
}

/* --- the course ----------------------------------------------------------- */

static void
thin_out(struct import *in)
{
	size_t n = 0;

	for (size_t i = 0; i < in->points; i += 2)
		in->point[n++] = in->point[i];
	in->points = n;
	in->distance_ns = in->distance_ns * 2 + NS_PER_MS;
}

void
import_point(struct import *in, uint64_t at_ns, uint64_t live_bytes,
    uint64_t resident)
{
	struct import_point *last = in->points != 0 ?
	    &in->point[in->points - 1] : NULL;

	if (last != NULL && (at_ns < last->at_ns ||
	    at_ns - last->at_ns < in->distance_ns))
		return;
	if (in->points == IMPORT_POINTS)
		thin_out(in);
	in->point[in->points++] = (struct import_point){
		at_ns, live_bytes, resident,
	};
}

/* --- what it is ----------------------------------------------------------- */

void
import_origin(struct import *in, const char *origin, uint32_t unknown)
{
	struct segment_identity *id = &forge_segment(in->forge)->identity;

	id->origin = forge_text(in->forge, origin);
	id->unknown = unknown;
}

void
import_command(struct import *in, const char *command)
{
	struct segment_identity *id = &forge_segment(in->forge)->identity;
	size_t bytes = strlen(command);
	char *copy = need_text("%s", command);

	for (char *c = copy; *c != '\0'; c++)
		if (*c == ' ')
			*c = '\0';
	id->executable = forge_text(in->forge, copy);
	id->arguments = forge_bytes(in->forge, copy, bytes + 1);
	free(copy);
}

void
import_end(struct import *in, uint64_t peak_bytes, uint64_t peak_ns,
    uint64_t end_ns)
{
	struct segment *s = forge_segment(in->forge);
	uint64_t start = s->identity.clock_ns;

	for (size_t i = 0; i < in->points; i++)
		forge_point(in->forge, in->point[i].at_ns,
		    in->point[i].live_bytes, in->point[i].resident);
	forge_tally_sites(in->forge);
	s->live.peak_bytes = (int64_t)peak_bytes;
	s->live.peak_requested_bytes = (int64_t)peak_bytes;
	s->live.peak_at_ns = start + peak_ns;
	s->end.at_ns = start + end_ns;
	/* What is live in it stays so: it is not running, nor lost. */
	s->watch.taken_ns = s->end.at_ns;
}

bool
import_allocates(const char *function)
{
	static const char *const names[] = {
		"malloc", "calloc", "realloc", "memalign", "posix_memalign",
		"aligned_alloc", "valloc", "pvalloc", "__libc_malloc",
		"__libc_calloc", "__libc_realloc", "__libc_memalign",
		"reallocarray", "tc_malloc", "tc_calloc", "tc_realloc",
		"tc_new", "tc_newarray", "tc_memalign", "tc_posix_memalign",
	};

	if (strncmp(function, "operator new", 12) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (strcmp(function, names[i]) == 0)
			return true;
	return false;
}
