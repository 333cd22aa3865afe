/*
 * image-source.c - bytes of a file, or of memory
 */
#include "profile/image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int
image_source_read(const struct image_source *from, uint64_t offset, void *to,
    uint64_t n)
{
	if (offset > from->size || n > from->size - offset)
		return -EINVAL;
	if (from->fd < 0) {
		memcpy(to, from->bytes + offset, n);
		return 0;
	}
	while (n > 0) {
		ssize_t got = pread(from->fd, to, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EINVAL; /* truncated since we asked its size */
		to = (char *)to + got;
		offset += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}
