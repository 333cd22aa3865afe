/*
 * output.c - what a command writes: to stdout, or a file, whole or not at all
 */
#include "say/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say/need.h"

/* mkstemp() makes it private; what is written is as the umask lets it. */
static int
open_beside(struct output *o)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	o->temporary = need_text("%s.XXXXXX", o->file);
	fd = mkostemp(o->temporary, O_CLOEXEC);
	if (fd >= 0)
		(void)fchmod(fd, 0666 & ~mask);
	return fd;
}

int
output_open(struct output *o, const char *file)
{
	struct stat st;
	int fd;

	*o = (struct output){ .to = stdout };
	if (file == NULL || strcmp(file, "-") == 0)
		return 0;
	o->file = file;
	fd = stat(file, &st) == 0 && !S_ISREG(st.st_mode) ?
	    open(file, O_WRONLY | O_CLOEXEC) : open_beside(o);
	o->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (o->to == NULL) {
		int error = errno;

		free(o->temporary);
		return -error;
	}
	return 0;
}

int
output_close(struct output *o, bool good)
{
	int r = 0;

	/* That of a write that failed earlier is still the last one. */
	if (ferror(o->to))
		r = errno != 0 ? -errno : -EIO;
	if (fflush(o->to) != 0 && r == 0)
		r = -errno;
	if (o->file == NULL) {
		clearerr(stdout); /* it is said by who called us */
		return r;
	}
	if (fclose(o->to) != 0 && r == 0)
		r = -errno;
	if (o->temporary == NULL)
		return r;
	if (r == 0 && good && rename(o->temporary, o->file) != 0)
		r = -errno;
	if (r < 0 || !good)
		unlink(o->temporary); /* the first error is the one to tell */
	free(o->temporary);
	return r;
}

int
output_write(int fd, const void *bytes, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, bytes, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes = (const char *)bytes + put;
		n -= (size_t)put;
	}
	return 0;
}

const char *
output_folder(const char *file)
{
	struct stat st;

	if (stat(file, &st) != 0 || !S_ISDIR(st.st_mode))
		return NULL;
	return file[strlen(file) - 1] == '/' ? "" : "/";
}
