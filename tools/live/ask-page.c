#include "live/ask-page.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/room.h"
#include "say/need.h"
#include "sys/place.h"
#include "sys/proc.h"

extern char **environ;

/* It may be anybody's, and anything. */
static struct tide_room *
map_page(int directory, const char *name)
{
	struct tide_room *room;
	struct stat st;
	int fd = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);

	if (fd < 0)
		return NULL;
	room = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && st.st_size >= (off_t)sizeof(*room) ?
	    mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0) : MAP_FAILED;
	close(fd);
	return room == MAP_FAILED ? NULL : room;
}

static bool
is_of(const struct tide_room *room, int pid, uint64_t ticks)
{
	return __atomic_load_n(&room->magic, __ATOMIC_ACQUIRE) ==
	    TIDE_ROOM_MAGIC && room->version == TIDE_ROOM_VERSION &&
	    room->bytes == sizeof(*room) && room->pid == pid &&
	    room->start_ticks == ticks;
}

static struct tide_room *
find_page(int pid, uint64_t ticks)
{
	char path[PLACE_ROOM] = "";
	struct tide_room *room = NULL;
	struct dirent *entry;
	const char *dot;
	DIR *directory;

	if (place_look(environ, path) < 0 ||
	    (directory = opendir(path)) == NULL)
		return NULL;
	while (room == NULL && (entry = readdir(directory)) != NULL) {
		dot = strrchr(entry->d_name, '.');
		if (dot == NULL || strcmp(dot, ".page") != 0)
			continue;
		room = map_page(dirfd(directory), entry->d_name);
		if (room == NULL || is_of(room, pid, ticks))
			continue;
		munmap(room, sizeof(*room));
		room = NULL;
	}
	closedir(directory);
	return room;
}

static char *
drain(struct tide_room *room)
{
	char line[64];

	(void)__atomic_fetch_or(&room->stop, TIDE_STOP_DRAIN,
	    __ATOMIC_RELEASE);
	snprintf(line, sizeof(line), "{\"ok\":true,\"drains\":%llu}\n",
	    (unsigned long long)__atomic_add_fetch(&room->drains, 1,
	    __ATOMIC_RELAXED));
	return need(strdup(line));
}

char *
page_ask(int pid, const char *request)
{
	struct proc_stat stat;
	struct tide_room *room;
	char *line;

	if (proc_stat_read(pid, &stat) < 0)
		return NULL;
	room = find_page(pid, stat.ticks);
	if (room == NULL)
		return NULL;
	line = strcasecmp(request, "drain") == 0 ? drain(room) :
	    need(strdup("{\"ok\":false,\"error\":\"ENODEV\",\"message\":"
	    "\"nothing is inside of this process, which has a page only: "
	    "it can be asked to 'drain'\"}\n"));
	munmap(room, sizeof(*room));
	return line;
}
