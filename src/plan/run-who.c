#include "plan/run-who.h"

#include <errno.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>

#include "base/crc.h"
#include "base/text.h"
#include "sys/proc.h"
#include "sys/sys.h"

/* --- where ---------------------------------------------------------------- */

static int
directory_of(char *const *environment, const char *leaf,
    char path[JOURNAL_PATH])
{
	const char *state = text_variable(environment, "HEAPTIDE_STATE");
	const char *xdg = text_variable(environment, "XDG_STATE_HOME");
	const char *home = text_variable(environment, "HOME");
	struct text t;

	text_open(&t, path, JOURNAL_PATH);
	if (state != NULL && *state != '\0') {
		text_put(&t, state);
	} else if (xdg != NULL && *xdg == '/') {
		text_put(&t, xdg);
		text_put(&t, "/heaptide");
	} else if (home != NULL && *home != '\0') {
		text_put(&t, home);
		text_put(&t, "/.local/state/heaptide");
	} else {
		return -ENOENT;
	}
	text_put(&t, leaf);
	return t.cut ? -ENAMETOOLONG : 0;
}

static int
make_directory(char path[JOURNAL_PATH])
{
	char *slash;
	int r;

	for (slash = strchr(path + 1, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)sys_mkdir(path, 0700);
		*slash = '/';
	}
	r = sys_mkdir(path, 0700);
	return r == -EEXIST ? 0 : r;
}

int
run_who_directory(char *const *environment, char path[JOURNAL_PATH])
{
	return directory_of(environment, "/runs", path);
}

int
run_who_make_directory(char *const *environment, char path[JOURNAL_PATH])
{
	int r = directory_of(environment, "/runs", path);

	return r < 0 ? r : make_directory(path);
}

int
run_who_models(char *const *environment, bool make, char path[JOURNAL_PATH])
{
	int r = directory_of(environment, "/models", path);

	return r < 0 || !make ? r : make_directory(path);
}

static bool
is_name_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

static bool
is_id(const char *id)
{
	size_t n;

	for (n = 0; n < JOURNAL_ID_ROOM && is_name_letter(id[n]); n++)
		;
	return n > 0 && n < JOURNAL_ID_ROOM && id[n] == '\0' &&
	    id[0] != '.' && id[0] != '-';
}

int
run_who_path(char *const *environment, const char *id,
    char path[JOURNAL_PATH])
{
	struct text t;
	size_t used;
	int r;

	if (!is_id(id))
		return -EINVAL;
	r = run_who_directory(environment, path);
	if (r < 0)
		return r;
	used = strlen(path);
	text_open(&t, path + used, JOURNAL_PATH - used);
	text_put(&t, "/");
	text_put(&t, id);
	text_put(&t, JOURNAL_SUFFIX);
	return t.cut ? -ENAMETOOLONG : 0;
}

int
run_who_parse(const char *text, char id[JOURNAL_ID_ROOM], uint64_t *number)
{
	const char *at = strchr(text, '@');
	size_t n = at != NULL ? (size_t)(at - text) : strlen(text);

	*number = 0;
	if (n >= JOURNAL_ID_ROOM)
		return -EINVAL;
	memset(id, 0, JOURNAL_ID_ROOM);
	memcpy(id, text, n);
	if (!is_id(id))
		return -EINVAL;
	if (at == NULL)
		return 0;
	return text_parse_u64(at + 1, UINT64_MAX, number) < 0 ||
	    *number == 0 ? -EINVAL : 0;
}

/* --- who ------------------------------------------------------------------ */

/* The sum of a whole file of /proc. */
static uint64_t
hash_of(const char *path)
{
	uint64_t hash = 0, piece[64];
	size_t have = 0;
	ssize_t n;
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	while ((n = sys_read(fd, (char *)piece + have,
	    sizeof(piece) - have)) > 0 || n == -EINTR) {
		have += n > 0 ? (size_t)n : 0;
		if (have < sizeof(piece))
			continue;
		hash = crc_hash(hash, piece, have);
		have = 0;
	}
	(void)sys_close(fd);
	return crc_hash(hash, piece, have);
}

uint64_t
run_who_arguments(void)
{
	return hash_of("/proc/self/cmdline");
}

static bool
begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Of an environment the order means nothing. */
uint64_t
run_who_environment(char *const *environment)
{
	static const char *const changing[] = {
		"HEAPTIDE_", "LD_PRELOAD=", "MEMORY_PRESSURE_", "_=",
		"OLDPWD=", "PWD=", "SHLVL=", "INVOCATION_ID=",
		"JOURNAL_STREAM=", "TERM=", "COLUMNS=", "LINES="
	};
	uint64_t sum = 0;
	size_t i;

	for (; environment != NULL && *environment != NULL; environment++) {
		for (i = 0; i < ARRAY_LENGTH(changing); i++)
			if (begins_with(*environment, changing[i]))
				break;
		if (i == ARRAY_LENGTH(changing))
			sum += crc_hash(1, *environment, strlen(*environment));
	}
	return sum;
}

#define NAME_KEPT 30 /* of a run's name, before its sum */

void
run_who_id(const char *name, char id[JOURNAL_ID_ROOM])
{
	char directory[JOURNAL_PATH];
	uint64_t hash = crc_hash(run_who_arguments(), name, strlen(name));
	ssize_t n = sys_readlink("/proc/self/cwd", directory,
	    sizeof(directory));

	if (n > 0)
		hash = crc_hash(hash, directory, (size_t)n);
	run_who_name(name, hash, id);
}

void
run_who_name(const char *name, uint64_t hash, char id[JOURNAL_ID_ROOM])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;
	int n;

	hash = mix_u64(hash);
	memset(id, 0, JOURNAL_ID_ROOM);
	for (i = 0; i < NAME_KEPT && name[i] != '\0'; i++)
		id[i] = is_name_letter(name[i]) ? name[i] : '_';
	if (id[0] == '.' || id[0] == '-')
		id[0] = '_';
	id[i++] = '-';
	for (n = 28; n >= 0; n -= 4)
		id[i++] = digits[hash >> n & 15];
}

/* The first line of a file, cut to @room. */
static void
read_line(const char *path, char *line, size_t room)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t n = 0;
	char *end;

	memset(line, 0, room);
	if (fd < 0)
		return;
	n = sys_read(fd, line, room - 1);
	(void)sys_close(fd);
	line[n > 0 ? n : 0] = '\0';
	end = strchr(line, '\n');
	if (end != NULL)
		memset(end, 0, room - (size_t)(end - line));
}

static uint64_t
namespace_hash(void)
{
	char text[64];
	ssize_t n = sys_readlink("/proc/self/ns/pid", text, sizeof(text));

	return n > 0 ? crc_hash(0, text, (size_t)n) : 0;
}

void
run_who_am_i(struct journal_holder *holder, const char *supervisor)
{
	struct proc_stat stat;

	memset(holder, 0, sizeof(*holder));
	holder->pid = sys_pid();
	if (proc_stat_read(0, &stat) == 0)
		holder->ticks = stat.ticks;
	holder->pid_namespace = namespace_hash();
	if (supervisor != NULL)
		holder->supervisor = crc_hash(1, supervisor,
		    strlen(supervisor));
	read_line("/proc/sys/kernel/random/boot_id", holder->boot,
	    sizeof(holder->boot));
	read_line("/proc/sys/kernel/hostname", holder->host,
	    sizeof(holder->host));
}

bool
run_who_is_dead(const struct journal_holder *holder)
{
	char boot[sizeof(holder->boot)];

	if (holder->pid <= 0 || holder->ticks == 0 ||
	    holder->pid_namespace == 0 ||
	    holder->pid_namespace != namespace_hash())
		return false;
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	if (memcmp(boot, holder->boot, sizeof(boot)) != 0)
		return false;
	return !proc_is_alive(holder->pid, holder->ticks);
}

/* --- programs ------------------------------------------------------------- */

/* Of @bytes of notes: the one of the build. */
static bool
find_build_id(const uint8_t *notes, size_t bytes,
    uint8_t id[JOURNAL_BUILD_ID])
{
	size_t at = 0, name, desc;
	ElfW(Nhdr) note;

	while (at + sizeof(note) <= bytes) {
		memcpy(&note, notes + at, sizeof(note));
		name = at + sizeof(note);
		if (note.n_namesz > bytes || note.n_descsz > bytes)
			return false;
		desc = name + (size_t)round_up(note.n_namesz, 4);
		if (desc > bytes || note.n_descsz > bytes - desc)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes + name, "GNU", 4) == 0) {
			memcpy(id, notes + desc, (size_t)min_u64(
			    note.n_descsz, JOURNAL_BUILD_ID));
			return true;
		}
		at = desc + (size_t)round_up(note.n_descsz, 4);
	}
	return false;
}

static bool
read_build_id(int fd, uint8_t id[JOURNAL_BUILD_ID])
{
	uint8_t notes[1024];
	ElfW(Ehdr) head;
	ElfW(Phdr) part;
	ssize_t n;
	int i;

	if (sys_pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 :
	    ELFCLASS32) || head.e_phentsize != sizeof(part))
		return false;
	for (i = 0; i < head.e_phnum; i++) {
		if (sys_pread(fd, &part, sizeof(part), head.e_phoff +
		    (uint64_t)i * sizeof(part)) != sizeof(part))
			return false;
		if (part.p_type != PT_NOTE)
			continue;
		n = sys_pread(fd, notes, (size_t)min_u64(part.p_filesz,
		    sizeof(notes)), part.p_offset);
		if (n > 0 && find_build_id(notes, (size_t)n, id))
			return true;
	}
	return false;
}

bool
run_who_build_id(const char *path, uint8_t id[JOURNAL_BUILD_ID])
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	bool found;

	memset(id, 0, JOURNAL_BUILD_ID);
	if (fd < 0)
		return false;
	found = read_build_id(fd, id);
	(void)sys_close(fd);
	return found;
}

/* --- files ---------------------------------------------------------------- */

#define END_BYTES (64 * KIB)

static int
hash_range(int fd, uint64_t from, uint64_t to, uint64_t *hash)
{
	uint64_t piece[512];
	size_t want, have;
	ssize_t n;

	while (from < to) {
		want = (size_t)min_u64(to - from, sizeof(piece));
		for (have = 0; have < want; have += (size_t)n) {
			n = sys_pread(fd, (char *)piece + have, want - have,
			    from + have);
			if (n == -EINTR)
				n = 0;
			else if (n <= 0)
				return n < 0 ? (int)n : -EIO;
		}
		*hash = crc_hash(*hash, piece, want);
		from += want;
	}
	return 0;
}

static void
put_path(const char *path, struct journal_identity *file)
{
	char directory[sizeof(file->path)];
	struct text t;
	ssize_t n = 0;

	if (*path != '/')
		n = sys_readlink("/proc/self/cwd", directory,
		    sizeof(directory));
	text_open(&t, file->path, sizeof(file->path));
	if (n > 0) {
		text_put_bytes(&t, directory, (size_t)n);
		text_put(&t, "/");
	}
	text_put(&t, path);
	if (t.cut || n < 0)
		memset(file->path, 0, sizeof(file->path));
}

int
run_who_file(const char *path, struct journal_identity *file)
{
	struct stat st;
	int fd, r;

	memset(file, 0, sizeof(*file));
	put_path(path, file);
	fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st);
	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0) {
		file->bytes = (uint64_t)st.st_size;
		file->inode = (uint64_t)st.st_ino;
		file->device = (uint64_t)st.st_dev;
		file->changed_ns = (uint64_t)st.st_mtim.tv_sec * NS_PER_S +
		    (uint64_t)st.st_mtim.tv_nsec;
		r = hash_range(fd, 0, min_u64(file->bytes, END_BYTES),
		    &file->hash);
	}
	if (r == 0 && file->bytes > END_BYTES)
		r = hash_range(fd, max_u64(END_BYTES, file->bytes -
		    END_BYTES), file->bytes, &file->hash);
	(void)sys_close(fd);
	return r;
}

const char *
run_who_differs(const struct journal_identity *was,
    const struct journal_identity *is)
{
	if (was->bytes != is->bytes)
		return "it has another size";
	if (was->hash != is->hash)
		return "it has other contents";
	if (was->changed_ns != is->changed_ns)
		return "it was written to since";
	/* A copy that is the same in all of that is as good. */
	return NULL;
}
