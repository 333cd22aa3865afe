#include "profile/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/base.h"
#include "sys/program.h"

/* Why heaptide will not be inside, as the file tells (sys/program.h). */
static const char *const reasons[UNFOLLOWED_KINDS] = {
	[UNFOLLOWED_CPU] = "it is a program of 32 bits or for another CPU, and "
	    "this libheaptide.so is not",
	[UNFOLLOWED_LIBC] = "it is linked with musl or another libc, and this "
	    "libheaptide.so is made for glibc",
	[UNFOLLOWED_SANITIZER] = "it is built with AddressSanitizer or its "
	    "kin, which must be the first library of a program",
	[UNFOLLOWED_STATIC] = "it is statically linked, so no library can be "
	    "loaded into it",
};

/*
 * By which function one tells an allocator that is linked into a program,
 * whether others can see it or not.  The first is the best name for it.
 */
static const struct {
	const char *function;
	const char *name;
} allocators[] = {
	{ "mallocx", "jemalloc" },
	{ "je_mallocx", "jemalloc" },
	{ "_rjem_mallocx", "jemalloc" },
	{ "mi_malloc", "mimalloc" },
	{ "tc_malloc", "tcmalloc" },
	{ "runtime.mallocgc", "the heap of Go" },
	{ "malloc", "a malloc of its own" },
};

/* What an ELF file says of itself. */
struct elf_facts {
	bool defines_malloc; /* for others to see */
	size_t allocator;    /* its row above, or their number */
};

static char *
text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *
text_of(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

/* --- finding -------------------------------------------------------------- */

static bool
is_runnable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    eaccess(path, X_OK) == 0;
}

static char *
search_path(const char *name)
{
	const char *path = getenv("PATH");

	if (path == NULL)
		path = "/bin:/usr/bin"; /* what execvp() takes */
	for (;;) {
		size_t length = strcspn(path, ":");
		char *file = text_of("%.*s%s%s", (int)length, path,
		    length != 0 ? "/" : "", name);

		if (file != NULL && is_runnable(file))
			return file;
		free(file);
		if (path[length] == '\0')
			return NULL;
		path += length + 1;
	}
}

/* Why the file at @path, which is no command in PATH, cannot be run. */
static char *
find_obstacle(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return text_of("%s", errno == ENOENT ? "there is no such file" :
		    strerror(errno));
	if (S_ISDIR(st.st_mode))
		return text_of("it is a directory");
	if (!S_ISREG(st.st_mode))
		return text_of("it is no regular file");
	return text_of("it is not executable");
}

/* --- ELF ------------------------------------------------------------------ */

static void
look_at_symbols(Elf *elf, Elf_Data *data, const GElf_Shdr *sh,
    struct elf_facts *facts)
{
	GElf_Sym sym;

	for (int i = 1; gelf_getsym(data, i, &sym) != NULL; i++) {
		const char *name;

		if (sym.st_shndx == SHN_UNDEF || sym.st_value == 0)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (name == NULL)
			continue;
		for (size_t k = 0; k < facts->allocator; k++)
			if (strcmp(name, allocators[k].function) == 0)
				facts->allocator = k;
		if (sh->sh_type == SHT_DYNSYM && strcmp(name, "malloc") == 0)
			facts->defines_malloc = true;
	}
}

/* A file without section headers tells nothing. */
static void
look_at_sections(Elf *elf, struct elf_facts *facts)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)) != NULL) {
		GElf_Shdr sh;
		Elf_Data *data;

		if (gelf_getshdr(section, &sh) == NULL ||
		    (sh.sh_type != SHT_DYNSYM && sh.sh_type != SHT_SYMTAB))
			continue;
		data = elf_getdata(section, NULL);
		if (data != NULL)
			look_at_symbols(elf, data, &sh, facts);
	}
}

static void
read_facts(int fd, struct elf_facts *facts)
{
	Elf *elf;

	*facts = (struct elf_facts){ .allocator = ARRAY_LENGTH(allocators) };
	(void)elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf != NULL && elf_kind(elf) == ELF_K_ELF)
		look_at_sections(elf, facts);
	elf_end(elf);
}

static char *
find_warning(int fd)
{
	struct elf_facts facts;

	read_facts(fd, &facts);
	if (facts.defines_malloc)
		return text_of("it has a malloc of its own, which comes before "
		    "heaptide's: what that one gives out is not counted");
	if (facts.allocator < ARRAY_LENGTH(allocators))
		return text_of("it has %s linked into it: what that gives out "
		    "is not counted", allocators[facts.allocator].name);
	return NULL;
}

/* --- privileges ----------------------------------------------------------- */

/*
 * Would the kernel raise privileges, and the dynamic linker therefore ignore
 * LD_PRELOAD (AT_SECURE)?  Not for who has them already.
 */
static char *
find_privilege(int fd)
{
	struct statvfs fs;
	struct stat st;

	if (fstat(fd, &st) != 0 || fstatvfs(fd, &fs) != 0 ||
	    (fs.f_flag & ST_NOSUID) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return NULL;
	if ((st.st_mode & S_ISUID) != 0 && st.st_uid != getuid())
		return text_of("it is set-user-ID, and such programs load no "
		    "foreign library");
	if ((st.st_mode & S_ISGID) != 0 && (st.st_mode & S_IXGRP) != 0 &&
	    st.st_gid != getgid())
		return text_of("it is set-group-ID, and such programs load no "
		    "foreign library");
	if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return text_of("it has file capabilities, and such programs "
		    "load no foreign library");
	return NULL;
}

/* --- the whole ------------------------------------------------------------ */

/* Look at in->path; true: it is a script, and in->path is what runs it. */
static bool
inspect_file(struct inspection *in)
{
	char interpreter[PROGRAM_LINE];
	enum segment_unfollowed why;
	bool script;
	int fd;

	fd = open(in->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false; /* it may be run and not be read */
	script = program_interpreter(fd, interpreter);
	if (script) {
		free(in->path);
		in->path = text_of("%s", interpreter);
	} else {
		why = program_judge(fd, in->path);
		in->may_preload = !program_harms(why);
		in->reason = find_privilege(fd);
		if (in->reason == NULL && why != UNFOLLOWED_NOT)
			in->reason = text_of("%s", reasons[why]);
		if (in->reason == NULL)
			in->warning = find_warning(fd);
	}
	close(fd);
	return script && in->path != NULL;
}

void
inspect_command(const char *name, struct inspection *in)
{
	char *obstacle;

	*in = (struct inspection){ .may_preload = true };
	if (strchr(name, '/') == NULL) {
		in->path = search_path(name);
		if (in->path == NULL)
			in->obstacle = text_of("there is no such command");
	} else {
		in->path = strdup(name);
		if (!is_runnable(name))
			in->obstacle = find_obstacle(name);
	}
	if (in->path == NULL || in->obstacle != NULL)
		return;
	for (int i = 0; i < PROGRAM_LEVELS && inspect_file(in); i++) {
		if (is_runnable(in->path))
			continue;
		obstacle = find_obstacle(in->path);
		in->obstacle = text_of("its interpreter %s cannot be run: %s",
		    in->path, obstacle != NULL ? obstacle : "");
		free(obstacle);
		return;
	}
}

const char *
inspect_allocator(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct elf_facts facts;

	if (fd < 0)
		return NULL;
	read_facts(fd, &facts);
	close(fd);
	return facts.allocator < ARRAY_LENGTH(allocators) ?
	    allocators[facts.allocator].name : NULL;
}

void
inspect_free(struct inspection *in)
{
	free(in->path);
	free(in->obstacle);
	free(in->reason);
	free(in->warning);
}
