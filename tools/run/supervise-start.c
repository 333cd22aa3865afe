#include "run/supervise-start.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

static void
note_descriptor(struct supervise_start *start, int fd)
{
	int *more, flags = fcntl(fd, F_GETFD);

	if (fd <= STDERR_FILENO || flags < 0 || (flags & FD_CLOEXEC) != 0)
		return;
	more = realloc(start->fd, (start->fds + 1) * sizeof(*more));
	if (more == NULL)
		return;
	start->fd = more;
	start->fd[start->fds++] = fd;
}

static void
note_descriptors(struct supervise_start *start)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			note_descriptor(start, atoi(entry->d_name));
	closedir(dir);
}

static void
note_terminal(struct supervise_start *start)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (tcgetpgrp(fd) == getpgrp() &&
		    tcgetattr(fd, &start->modes) == 0) {
			start->terminal = fd;
			return;
		}
	start->terminal = -1;
}

struct supervise_start *
start_note(void)
{
	struct supervise_start *start = calloc(1, sizeof(*start));

	if (start == NULL)
		return NULL;
	note_descriptors(start);
	note_terminal(start);
	start->in = lseek(STDIN_FILENO, 0, SEEK_CUR);
	return start;
}

void
start_restore(const struct supervise_start *start)
{
	if (start->in >= 0)
		(void)lseek(STDIN_FILENO, start->in, SEEK_SET);
	if (start->terminal < 0)
		return;
	if (tcgetpgrp(start->terminal) != getpgrp())
		(void)tcsetpgrp(start->terminal, getpgrp());
	(void)tcsetattr(start->terminal, TCSADRAIN, &start->modes);
}

void
start_hand_down(const struct supervise_start *start)
{
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < start->fds; i++)
		(void)fcntl(start->fd[i], F_SETFD, 0);
}

void
start_free(struct supervise_start *start)
{
	if (start != NULL)
		free(start->fd);
	free(start);
}
