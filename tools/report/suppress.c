#include "report/suppress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"
#include "say/print.h"

/*
 * What glibc and the C++ runtime take once for all of the program: stream
 * buffers, locales, time zones, name services, the dynamic linker's own.
 */
static const char *const built_in_patterns[] = {
	"_IO_file_doallocate",
	"^setlocale$",
	"_nl_find_locale",
	"^tzset*",
	"__tzfile_read",
	"__nss_*",
	"nss_parse_*",
	"__libc_res_*",
	"__gconv_*",
	"^_dl_new_object$",
	"^_dl_map_object*",
	"^_dl_check_map_versions$",
	"^_dl_allocate_tls*",
	"^allocate_dtv$",
	"^add_to_global*",
	"__cxa_get_globals",
	"__cxa_thread_atexit*",
	"(anonymous namespace)::pool::pool",
	"__libc_alloc_buffer_*",
	"__register_frame_info*",
	"^__new_exitfn$",
	"^__add_to_environ$",
};

/* --- patterns ------------------------------------------------------------- */

/* Is @pattern at @text?  @open: more of @text may follow. */
static bool
is_at(const char *pattern, const char *text, bool open)
{
	for (; *pattern != '\0'; pattern++, text++) {
		if (*pattern == '*')
			break;
		if (*pattern == '$' && pattern[1] == '\0')
			return *text == '\0';
		if (*pattern != *text)
			return false;
	}
	if (*pattern == '\0')
		return open || *text == '\0';
	for (pattern++; ; text++) {
		if (is_at(pattern, text, open))
			return true;
		if (*text == '\0')
			return false;
	}
}

bool
suppress_match(const char *pattern, const char *text)
{
	bool plain;

	if (*pattern == '^')
		return is_at(pattern + 1, text, true);
	/* Every frame of every path is asked: only where it may begin. */
	plain = *pattern != '*' && *pattern != '$';
	for (; ; text++) {
		if (plain && (text = strchr(text, *pattern)) == NULL)
			return false;
		if (is_at(pattern, text, true))
			return true;
		if (*text == '\0')
			return false;
	}
}

static bool
is_in_frame(const char *pattern, const struct frame *f)
{
	return suppress_match(pattern, f->function) ||
	    (f->file[0] != '\0' && suppress_match(pattern, f->file)) ||
	    (f->module[0] != '\0' && suppress_match(pattern, f->module));
}

bool
suppress_match_frames(const char *pattern, const struct frame *frames,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_in_frame(pattern, &frames[i]))
			return true;
	return false;
}

const struct suppress_rule *
suppress_find(const struct suppress *s, const struct frame *frames,
    size_t count)
{
	for (size_t i = 0; i < s->rules; i++)
		if (suppress_match_frames(s->rule[i].pattern, frames, count))
			return &s->rule[i];
	return NULL;
}

/* --- where they come from ------------------------------------------------- */

static void
add_rule(struct suppress *s, const char *pattern, const char *file,
    unsigned line)
{
	s->rule = need(realloc(s->rule, (s->rules + 1) * sizeof(*s->rule)));
	s->rule[s->rules++] = (struct suppress_rule){
		.pattern = need_text("%s", pattern),
		.file = file != NULL ? need_text("%s", file) : NULL,
		.line = line,
	};
}

void
suppress_open(struct suppress *s, bool built_in)
{
	*s = (struct suppress){ .rule = NULL };
	for (size_t i = 0; built_in && i < ARRAY_LENGTH(built_in_patterns);
	    i++)
		add_rule(s, built_in_patterns[i], NULL, 0);
}

/* Without blanks around it, in place. */
static char *
trim(char *line)
{
	char *end = line + strlen(line);

	while (end > line && strchr(" \t\r\n", end[-1]) != NULL)
		*--end = '\0';
	return line + strspn(line, " \t");
}

static bool
read_line(struct suppress *s, char *line, const char *file, unsigned number,
    const char *name)
{
	static const char kind[] = "leak:";
	char *pattern;

	line = trim(line);
	if (line[0] == '\0' || line[0] == '#')
		return true;
	if (strncmp(line, kind, sizeof(kind) - 1) == 0) {
		pattern = trim(line + sizeof(kind) - 1);
		if (pattern[0] != '\0') {
			add_rule(s, pattern, file, number);
			return true;
		}
	}
	print_error("%s: '%s' line %u is '%s'; 'leak:PATTERN' is accepted",
	    name, file, number, line);
	return false;
}

bool
suppress_read(struct suppress *s, const char *file, const char *name)
{
	FILE *from = fopen(file, "re");
	char *line = NULL;
	unsigned number = 0;
	bool good = true;
	size_t room = 0;

	if (from == NULL) {
		print_error("%s: suppressions '%s' cannot be opened: %s", name,
		    file, strerror(errno));
		return false;
	}
	while (good && getline(&line, &room, from) >= 0)
		good = read_line(s, line, file, ++number, name);
	if (good && ferror(from)) {
		print_error("%s: suppressions '%s' cannot be read: %s", name,
		    file, strerror(errno));
		good = false;
	}
	free(line);
	fclose(from);
	return good;
}

void
suppress_close(struct suppress *s)
{
	for (size_t i = 0; i < s->rules; i++) {
		free((char *)s->rule[i].pattern);
		free((char *)s->rule[i].file);
	}
	free(s->rule);
}
