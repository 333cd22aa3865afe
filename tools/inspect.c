#include "inspect.h"

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
#include "sys/arch.h"

#define SCRIPT_LEVELS 5   /* BINPRM's: a script may interpret a script */
#define SCRIPT_LINE   256 /* BINPRM_BUF_SIZE: the kernel reads no more */

/* A loader or library by which a program tells that heaptide is no guest. */
static const struct {
	const char *word;
	const char *reason;
} refusals[] = {
	{ "/ld-musl-", "it is linked with musl, and this libheaptide.so is "
	  "made for glibc" },
	{ "libasan.so", "it is built with AddressSanitizer, which must be the "
	  "first library of a program" },
	{ "libhwasan.so", "it is built with HWAddressSanitizer, which must be "
	  "the first library of a program" },
	{ "libtsan.so", "it is built with ThreadSanitizer, which must be the "
	  "first library of a program" },
	{ "liblsan.so", "it is built with LeakSanitizer, which must be the "
	  "first library of a program" },
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
	bool has_interpreter;
	bool has_soname;      /* a library, or the dynamic linker itself */
	bool defines_malloc;  /* for others to see */
	size_t allocator;     /* its row above, or their number */
	const char *refusal;
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

/* --- scripts -------------------------------------------------------------- */

/* The interpreter that a script's first line names, or NULL: no script. */
static char *
read_interpreter(int fd)
{
	char line[SCRIPT_LINE + 1] = "";
	char *start;

	if (pread(fd, line, SCRIPT_LINE, 0) < 3 || strncmp(line, "#!", 2) != 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	start = line + 2 + strspn(line + 2, " \t");
	start[strcspn(start, " \t")] = '\0';
	return *start != '\0' ? strdup(start) : NULL;
}

/* --- ELF ------------------------------------------------------------------ */

static const char *
find_refusal(const char *name)
{
	for (size_t i = 0; name != NULL && i < ARRAY_LENGTH(refusals); i++)
		if (strstr(name, refusals[i].word) != NULL)
			return refusals[i].reason;
	return NULL;
}

static void
look_at_segments(Elf *elf, int fd, struct elf_facts *facts)
{
	size_t count = 0;
	GElf_Phdr ph;

	(void)elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count; i++) {
		char name[PATH_MAX] = "";

		if (gelf_getphdr(elf, (int)i, &ph) == NULL ||
		    ph.p_type != PT_INTERP)
			continue;
		facts->has_interpreter = true;
		if (pread(fd, name, min_u64(ph.p_filesz, sizeof(name) - 1),
		    (off_t)ph.p_offset) > 0 && facts->refusal == NULL)
			facts->refusal = find_refusal(name);
	}
}

static void
look_at_dynamic(Elf *elf, Elf_Data *data, const GElf_Shdr *sh,
    struct elf_facts *facts)
{
	GElf_Dyn dyn;

	for (int i = 0; gelf_getdyn(data, i, &dyn) != NULL; i++) {
		if (dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_SONAME)
			facts->has_soname = true;
		if (dyn.d_tag == DT_NEEDED && facts->refusal == NULL)
			facts->refusal = find_refusal(elf_strptr(elf,
			    sh->sh_link, dyn.d_un.d_val));
	}
}

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

/* A file without section headers tells less, and gets no warning. */
static void
look_at_sections(Elf *elf, struct elf_facts *facts)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)) != NULL) {
		GElf_Shdr sh;
		Elf_Data *data;

		if (gelf_getshdr(section, &sh) == NULL ||
		    (sh.sh_type != SHT_DYNAMIC && sh.sh_type != SHT_DYNSYM &&
		    sh.sh_type != SHT_SYMTAB))
			continue;
		data = elf_getdata(section, NULL);
		if (data == NULL)
			continue;
		if (sh.sh_type == SHT_DYNAMIC)
			look_at_dynamic(elf, data, &sh, facts);
		else
			look_at_symbols(elf, data, &sh, facts);
	}
}

/* This machine's other programs, and those of others. */
static char *
other_architecture(const GElf_Ehdr *eh)
{
	int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;

	if (eh->e_ident[EI_CLASS] != class)
		return text_of("it is a program of %s bits, and this "
		    "libheaptide.so is one of %zu",
		    eh->e_ident[EI_CLASS] == ELFCLASS32 ? "32" : "64",
		    sizeof(void *) * 8);
	if (eh->e_machine != ARCH_ELF_MACHINE)
		return text_of("it is made for another CPU (ELF machine %u)",
		    (unsigned)eh->e_machine);
	return NULL;
}

static void
inspect_elf(Elf *elf, int fd, struct inspection *in)
{
	struct elf_facts facts = { .allocator = ARRAY_LENGTH(allocators) };
	GElf_Ehdr eh;

	if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &eh) == NULL)
		return; /* a script without #!, for the shell */
	in->reason = other_architecture(&eh);
	if (in->reason != NULL) {
		in->may_preload = false; /* its linker would complain aloud */
		return;
	}
	look_at_segments(elf, fd, &facts);
	look_at_sections(elf, &facts);
	if (facts.refusal != NULL) {
		in->reason = text_of("%s", facts.refusal);
		in->may_preload = false;
	} else if (!facts.has_interpreter && !facts.has_soname) {
		in->reason = text_of("it is statically linked, so no library "
		    "can be loaded into it");
	} else if (facts.defines_malloc) {
		in->warning = text_of("it has a malloc of its own, which "
		    "comes before heaptide's: what that one gives out is "
		    "not counted");
	} else if (facts.allocator < ARRAY_LENGTH(allocators)) {
		in->warning = text_of("it has %s linked into it: what that "
		    "gives out is not counted",
		    allocators[facts.allocator].name);
	}
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
	char *interpreter;
	Elf *elf;
	int fd;

	fd = open(in->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false; /* it may be run and not be read */
	interpreter = read_interpreter(fd);
	if (interpreter != NULL) {
		close(fd);
		free(in->path);
		in->path = interpreter;
		return true;
	}
	in->reason = find_privilege(fd);
	elf = in->reason == NULL ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;
	if (elf != NULL)
		inspect_elf(elf, fd, in);
	elf_end(elf);
	close(fd);
	return false;
}

void
inspect_command(const char *name, struct inspection *in)
{
	char *obstacle;

	*in = (struct inspection){ .may_preload = true };
	(void)elf_version(EV_CURRENT);

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
	for (int i = 0; i < SCRIPT_LEVELS && inspect_file(in); i++) {
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
	struct elf_facts facts = { .allocator = ARRAY_LENGTH(allocators) };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	Elf *elf;

	if (fd < 0)
		return NULL;
	(void)elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf != NULL && elf_kind(elf) == ELF_K_ELF)
		look_at_sections(elf, &facts);
	elf_end(elf);
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
