/*
 * fuzz-proc.c - what a kernel, or a program's name, may make of /proc
 *
 * The input is files, one behind another, a line `%` between them: stat,
 * smaps, limits, meminfo, cgroup, mountinfo, and those of a control group.
 */
#include "fuzz.h"

#include "sys/cgroup.h"
#include "sys/proc.h"

static char root[64];

/* Where the parsers look below their root; the group is /g of a v2 tree. */
static const char *const files[] = {
	"proc/1/stat", "proc/1/smaps", "proc/1/limits", "proc/meminfo",
	"proc/1/cgroup", "proc/1/mountinfo", "c/g/memory.max",
	"c/g/memory.high", "c/g/memory.current", "c/g/memory.stat",
};

#define FILES (sizeof(files) / sizeof(*files))

static void
remove_root(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	MUST(system(command) == 0);
}

static void
make_root(void)
{
	static const char *const directories[] = {
		"proc", "proc/1", "c", "c/g"
	};
	char path[128];

	snprintf(root, sizeof(root), "/dev/shm/fuzz-proc.XXXXXX");
	MUST(mkdtemp(root) != NULL);
	for (size_t i = 0; i < sizeof(directories) / sizeof(char *); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, directories[i]);
		MUST(mkdir(path, 0700) == 0);
	}
	atexit(remove_root);
}

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	MUST(f != NULL);
	fputs(text, f);
	fclose(f);
}

static void
look_at(void *context, const struct proc_vma *vma)
{
	size_t *bytes = context;

	*bytes += strlen(vma->name);
	MUST(strlen(vma->name) < PROC_LINE_ROOM);
}

static void
read_smaps(const char *text)
{
	struct proc_lines lines;
	char path[64];
	size_t bytes = 0;
	int fd = fuzz_file((const uint8_t *)text, strlen(text), path);

	MUST(proc_lines_open(&lines, path) == 0);
	(void)proc_vmas_parse(&lines, look_at, &bytes);
	(void)proc_lines_close(&lines);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct cgroup_memory memory;
	char *text = fuzz_text(bytes, size);
	char *piece[FILES + 1];
	struct proc_stat stat;
	struct proc_limits limits;
	struct proc_memory machine;
	size_t count;

	if (root[0] == '\0')
		make_root();
	count = fuzz_split(text, '%', piece, FILES + 1);
	for (size_t i = 0; i < FILES; i++)
		write_file(files[i], i < count ? piece[i] : "");
	if (proc_stat_parse(piece[0], &stat) == 0)
		MUST(memchr(stat.name, '\0', sizeof(stat.name)) != NULL);
	if (count > 1)
		read_smaps(piece[1]);
	(void)proc_limits_read(root, 1, &limits);
	(void)proc_memory_read(root, &machine);
	if (cgroup_memory_read(root, 1, &memory) == 0 && memory.version != 0) {
		MUST(memory.levels <= CGROUP_LEVELS);
		MUST(memchr(memory.path, '\0', sizeof(memory.path)) != NULL);
		for (size_t i = 0; i < memory.levels; i++)
			MUST(memory.level[i].path_bytes <=
			    strlen(memory.path));
	}
	free(text);
	return 0;
}
