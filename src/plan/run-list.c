#include "plan/run-list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/text.h"
#include "sys/sys.h"

/* As the kernel has it (getdents64(2)). */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* False: it is no file of a run, or cannot be read. */
static bool
look_at(const char *directory, const char *name, struct run_listed *run)
{
	const size_t end = strlen(JOURNAL_SUFFIX), n = strlen(name);
	char path[JOURNAL_PATH];
	struct text t;
	int fd;

	if (n <= end || n - end >= sizeof(run->id) ||
	    strcmp(name + n - end, JOURNAL_SUFFIX) != 0)
		return false;
	memset(run->id, 0, sizeof(run->id));
	memcpy(run->id, name, n - end);
	text_open(&t, path, sizeof(path));
	text_put(&t, directory);
	text_put(&t, "/");
	text_put(&t, name);
	if (t.cut || run_look_read(&run->look, path) < 0)
		return false;
	fd = journal_look(path);
	run->locked = fd >= 0 && sys_is_locked(fd) == 1;
	if (fd >= 0)
		(void)sys_close(fd);
	return true;
}

int
run_list(const char *directory, void (*each)(void *context,
    const struct run_listed *run), void *context)
{
	char room[2048] __attribute__((aligned(8)));
	struct run_listed run;
	ssize_t n, at;
	int fd = sys_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	while ((n = sys_list(fd, room, sizeof(room))) > 0) {
		for (at = 0; at < n; ) {
			const struct entry *e = (const void *)(room + at);

			if (look_at(directory, e->name, &run))
				each(context, &run);
			at += e->bytes;
		}
	}
	(void)sys_close(fd);
	return (int)n;
}
