#include "sys/program.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>

#include "base/base.h"
#include "sys/arch.h"
#include "sys/sys.h"

#define HEADERS_MOST 256 /* of a file that may say anything */
#define DYNAMIC_MOST 4096
#define NAME_ROOM    128

/* True: all of it could be read. */
static bool
read_at(int fd, void *to, size_t bytes, uint64_t offset)
{
	return sys_pread(fd, to, bytes, offset) == (ssize_t)bytes;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool
starts_with(const char *name, const char *start)
{
	return strncmp(name, start, strlen(start)) == 0;
}

static bool
header_at(int fd, const ElfW(Ehdr) *eh, unsigned i, ElfW(Phdr) *ph)
{
	return i < HEADERS_MOST && i < eh->e_phnum &&
	    read_at(fd, ph, sizeof(*ph), eh->e_phoff + i * sizeof(*ph));
}

static bool
find_header(int fd, const ElfW(Ehdr) *eh, uint32_t type, ElfW(Phdr) *ph)
{
	unsigned i;

	for (i = 0; header_at(fd, eh, i, ph); i++)
		if (ph->p_type == type)
			return true;
	return false;
}

/* Where in the file is what will be loaded at @address?  0: nowhere. */
static uint64_t
offset_of(int fd, const ElfW(Ehdr) *eh, uint64_t address)
{
	ElfW(Phdr) ph;
	unsigned i;

	for (i = 0; header_at(fd, eh, i, &ph); i++)
		if (ph.p_type == PT_LOAD && address - ph.p_vaddr < ph.p_filesz)
			return address - ph.p_vaddr + ph.p_offset;
	return 0;
}

/* The next entry with @tag, from @i on. */
static bool
find_entry(int fd, const ElfW(Phdr) *dynamic, int64_t tag, unsigned *i,
    ElfW(Dyn) *d)
{
	for (; *i < DYNAMIC_MOST; (*i)++) {
		if ((*i + 1) * sizeof(*d) > dynamic->p_filesz ||
		    !read_at(fd, d, sizeof(*d),
		    dynamic->p_offset + *i * sizeof(*d)) ||
		    d->d_tag == DT_NULL)
			return false;
		if (d->d_tag == tag)
			return true;
	}
	return false;
}

/* They end a program that has another library in front of them. */
static bool
is_sanitizer(const char *name)
{
	static const char *const names[] = {
		"libasan.so", "libhwasan.so", "libtsan.so", "liblsan.so",
		"libclang_rt.asan", "libclang_rt.hwasan", "libclang_rt.tsan",
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (starts_with(name, names[i]))
			return true;
	return false;
}

static bool
needs_sanitizer(int fd, const ElfW(Ehdr) *eh)
{
	char name[NAME_ROOM];
	ElfW(Phdr) dynamic;
	uint64_t strings;
	unsigned i = 0;
	ElfW(Dyn) d;

	if (!find_header(fd, eh, PT_DYNAMIC, &dynamic) ||
	    !find_entry(fd, &dynamic, DT_STRTAB, &i, &d))
		return false;
	strings = offset_of(fd, eh, d.d_un.d_ptr);
	for (i = 0; strings != 0 &&
	    find_entry(fd, &dynamic, DT_NEEDED, &i, &d); i++) {
		ssize_t n = sys_pread(fd, name, sizeof(name) - 1,
		    strings + d.d_un.d_val);

		name[n > 0 ? n : 0] = '\0';
		if (is_sanitizer(name))
			return true;
	}
	return false;
}

/* glibc's has had these names on every CPU and in every distribution. */
static bool
is_glibc(const char *interpreter)
{
	const char *name = last_part(interpreter);

	return starts_with(name, "ld-linux") || starts_with(name, "ld-lsb") ||
	    starts_with(name, "ld-2.") || starts_with(name, "ld64.so") ||
	    starts_with(name, "ld.so");
}

enum segment_unfollowed
program_judge(int fd, const char *path)
{
	static const unsigned char class =
	    sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	char interpreter[NAME_ROOM];
	ElfW(Ehdr) eh;
	ElfW(Phdr) ph;
	ssize_t n;

	/* The first 20 bytes are the same in both classes. */
	if (!read_at(fd, &eh, offsetof(ElfW(Ehdr), e_version), 0) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0)
		return UNFOLLOWED_NOT;
	if (eh.e_ident[EI_CLASS] != class || eh.e_machine != ARCH_ELF_MACHINE)
		return UNFOLLOWED_CPU;
	if (!read_at(fd, &eh, sizeof(eh), 0) ||
	    eh.e_phentsize != sizeof(ElfW(Phdr)))
		return UNFOLLOWED_NOT;
	if (!find_header(fd, &eh, PT_INTERP, &ph)) {
		/* A dynamic linker may be run like a program. */
		path = path != NULL ? last_part(path) : "";
		if (starts_with(path, "ld-musl"))
			return UNFOLLOWED_LIBC;
		return starts_with(path, "ld") ? UNFOLLOWED_NOT :
		    UNFOLLOWED_STATIC;
	}
	n = sys_pread(fd, interpreter, min_u64(ph.p_filesz,
	    sizeof(interpreter) - 1), ph.p_offset);
	interpreter[n > 0 ? n : 0] = '\0';
	if (n > 0 && !is_glibc(interpreter))
		return UNFOLLOWED_LIBC;
	return needs_sanitizer(fd, &eh) ? UNFOLLOWED_SANITIZER :
	    UNFOLLOWED_NOT;
}

bool
program_interpreter(int fd, char line[PROGRAM_LINE])
{
	ssize_t n = sys_pread(fd, line, PROGRAM_LINE - 1, 0);
	char *start = line + 2;
	size_t length;

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = '\0';
	start += strspn(start, " \t");
	length = strcspn(start, " \t\n");
	memmove(line, start, length);
	line[length] = '\0';
	return length != 0;
}

static bool
raises_privileges(int fd)
{
	struct stat st;

	return sys_fstat(fd, &st) == 0 && (st.st_mode & S_ISUID) != 0 &&
	    st.st_uid != sys_uid();
}

/* True: it is a script, and @line is now the path of what runs it. */
static bool
look_at_file(int fd, const char *path, char line[PROGRAM_LINE],
    enum segment_unfollowed *why)
{
	char first[PROGRAM_LINE];

	*why = UNFOLLOWED_NOT;
	if (program_interpreter(fd, first)) {
		memcpy(line, first, sizeof(first));
		return true;
	}
	*why = program_judge(fd, path);
	if (*why == UNFOLLOWED_NOT && raises_privileges(fd))
		*why = UNFOLLOWED_PRIVILEGED;
	return false;
}

enum segment_unfollowed
program_look(int directory, const char *path, int flags)
{
	/* Nothing may be waited for: it may be a pipe. */
	const int how = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	enum segment_unfollowed why = UNFOLLOWED_NOT;
	char line[PROGRAM_LINE];
	bool script;
	int level;
	int fd;

	if (path == NULL)
		return UNFOLLOWED_NOT;
	if ((flags & AT_EMPTY_PATH) != 0 && path[0] == '\0') {
		script = look_at_file(directory, NULL, line, &why);
	} else {
		fd = sys_openat(directory, path, how);
		if (fd < 0)
			return UNFOLLOWED_NOT;
		script = look_at_file(fd, path, line, &why);
		sys_close(fd);
	}
	for (level = 0; script && level < PROGRAM_LEVELS; level++) {
		fd = sys_open(line, how, 0);
		if (fd < 0)
			return UNFOLLOWED_NOT;
		script = look_at_file(fd, line, line, &why);
		sys_close(fd);
	}
	return why;
}

bool
program_harms(enum segment_unfollowed why)
{
	return why == UNFOLLOWED_CPU || why == UNFOLLOWED_LIBC ||
	    why == UNFOLLOWED_SANITIZER || why == UNFOLLOWED_REACH;
}
