/*
 * monitor-list.c - which processes are watched, and when they end
 */
#include "top/monitor.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "profile/shelf.h"
#include "say/need.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "sys/sys.h"

extern char **environ;

/* --- one process ---------------------------------------------------------- */

static struct watched *
find_watched(const struct watch_list *list, int pid, uint64_t ticks)
{
	struct watched *w = list->first;

	while (w != NULL && (w->pid != pid || w->ticks != ticks))
		w = w->next;
	return w;
}

/* At the end, so that lines stay in the order in which they were asked for. */
static void
append(struct watch_list *list, struct watched *w)
{
	struct watched **at = &list->first;

	while (*at != NULL)
		at = &(*at)->next;
	*at = w;
}

int
watch_add(struct watch_list *list, int pid)
{
	struct proc_stat stat;
	struct watched *w;
	int r = proc_stat_read(pid, &stat);

	if (r < 0)
		return r;
	if (!proc_is_alive(pid, stat.ticks))
		return -ESRCH;
	if (find_watched(list, pid, stat.ticks) != NULL)
		return 0;
	w = need(calloc(1, sizeof(*w)));
	w->pid = pid;
	w->ticks = stat.ticks;
	w->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	w->seen.stride = 1;
	memcpy(w->name, stat.name, sizeof(w->name));
	print_clean(w->name);
	append(list, w);
	return 0;
}

bool
watch_has_ended(const struct watched *w)
{
	return !proc_is_alive(w->pid, w->ticks);
}

void
watch_drop(struct watch_list *list, struct watched *w)
{
	struct watched **at = &list->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (w->pidfd >= 0)
		close(w->pidfd);
	free(w);
}

void
watch_drop_all(struct watch_list *list)
{
	while (list->first != NULL)
		watch_drop(list, list->first);
}

/* --- by name -------------------------------------------------------------- */

/* What it was started as: the first argument, without its directory. */
static bool
is_started_as(int pid, const char *name)
{
	char path[64], first[PLACE_ROOM];
	size_t got;
	FILE *f;

	if (proc_path(path, sizeof(path), "", pid, "cmdline") < 0)
		return false;
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	got = fread(first, 1, sizeof(first) - 1, f);
	fclose(f);
	first[got] = '\0';
	return strcmp(basename(first), name) == 0;
}

static bool
is_wanted(const struct watch_list *list, int pid)
{
	struct proc_stat stat;

	if (pid == getpid() || proc_stat_read(pid, &stat) < 0)
		return false;
	for (size_t i = 0; i < list->names->count; i++)
		if (strcmp(stat.name, list->names->value[i]) == 0 ||
		    is_started_as(pid, list->names->value[i]))
			return true;
	return false;
}

static int
by_number(const struct dirent **a, const struct dirent **b)
{
	long x = strtol((*a)->d_name, NULL, 10);
	long y = strtol((*b)->d_name, NULL, 10);

	return (x > y) - (x < y);
}

static int
is_number(const struct dirent *entry)
{
	return isdigit((unsigned char)entry->d_name[0]);
}

static void
find_by_name(struct watch_list *list)
{
	struct dirent **entry;
	int n = scandir("/proc", &entry, is_number, by_number);
	uint64_t pid;

	for (int i = 0; i < n; i++) {
		if (text_parse_u64(entry[i]->d_name, INT32_MAX, &pid) == 0 &&
		    is_wanted(list, (int)pid))
			(void)watch_add(list, (int)pid);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

/* --- all with heaptide inside --------------------------------------------- */

/* It may have gone on, by exec, as a program that we are not in. */
static void
add_if_inside(struct watch_list *list, int pid)
{
	struct profile profile;
	char text[16], why[512];

	snprintf(text, sizeof(text), "%d", pid);
	if (profile_open(text, &profile, why) < 0)
		return;
	if (profile.live)
		(void)watch_add(list, pid);
	profile_close(&profile);
}

static void
find_in(struct watch_list *list, const char *directory)
{
	struct dirent **entry;
	int n = scandir(directory, &entry, is_number, by_number);
	struct shelf_name name;
	int pid;

	for (int i = 0; i < n; i++) {
		if (shelf_parse(entry[i]->d_name, &name) &&
		    name.image == SHELF_LAST) {
			pid = shelf_pid(&name);
			if (pid != 0 && find_watched(list, pid,
			    name.ticks) == NULL)
				add_if_inside(list, pid);
		}
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

void
watch_find(struct watch_list *list)
{
	char place[PLACE_ROOM];
	int r;

	if (list->names->count != 0)
		find_by_name(list);
	if (!list->all)
		return;
	for (unsigned n = 0; (r = place_look_at(environ, n, place)) != -ENODEV;
	    n++)
		if (r == 0)
			find_in(list, place);
}

/* --- sleeping ------------------------------------------------------------- */

static size_t
collect_descriptors(const struct watch_list *list, int signals,
    struct pollfd **fds)
{
	const struct watched *w;
	size_t count = 1;

	for (w = list->first; w != NULL; w = w->next)
		count++;
	*fds = need(calloc(count, sizeof(**fds)));
	(*fds)[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	count = 1;
	for (w = list->first; w != NULL; w = w->next)
		(*fds)[count++] = (struct pollfd){
			.fd = w->pidfd, .events = POLLIN,
		};
	return count;
}

bool
watch_sleep(struct watch_list *list, uint64_t until_ns, int signals)
{
	uint64_t left = above_u64(until_ns, sys_clock());
	const struct timespec time = {
		.tv_sec = (time_t)(left / NS_PER_S),
		.tv_nsec = (long)(left % NS_PER_S),
	};
	struct pollfd *fds;
	size_t count = collect_descriptors(list, signals, &fds);
	struct watched *w = list->first;
	bool told;

	(void)ppoll(fds, count, &time, NULL);
	told = fds[0].revents != 0;
	for (size_t i = 1; i < count; i++, w = w->next) {
		if (fds[i].revents == 0 || watch_has_ended(w))
			continue;
		/* It says what is not so: it is not asked again. */
		close(w->pidfd);
		w->pidfd = -1;
	}
	free(fds);
	return told;
}
