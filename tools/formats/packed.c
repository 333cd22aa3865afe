/*
 * packed.c - a file that may be compressed, by gzip or zstd, as a stream
 */
#include "formats/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "say/need.h"

static const unsigned char zstd_magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };

/* --- gzip, and what is not compressed ------------------------------------- */

static ssize_t
read_gzip(void *cookie, char *to, size_t room)
{
	int got = gzread(cookie, to, room > 1 << 30 ? 1 << 30 : (unsigned)room);
	int error = Z_OK;

	/* Cut off is no error to zlib until somebody asks. */
	if (got == 0)
		(void)gzerror(cookie, &error);
	if (got < 0 || error == Z_BUF_ERROR) {
		errno = EIO;
		return -1;
	}
	return got;
}

static int
close_gzip(void *cookie)
{
	gzclose_r(cookie);
	return 0;
}

/* --- zstd ----------------------------------------------------------------- */

struct zstd {
	int fd;
	ZSTD_DStream *stream;
	ZSTD_inBuffer in;
	size_t wanted; /* 0: a frame is complete */
	char bytes[1 << 17];
};

/* 0: there is no more. */
static ssize_t
refill(struct zstd *z)
{
	ssize_t got;

	do
		got = read(z->fd, z->bytes, sizeof(z->bytes));
	while (got < 0 && errno == EINTR);
	if (got > 0)
		z->in = (ZSTD_inBuffer){ z->bytes, (size_t)got, 0 };
	return got;
}

static ssize_t
read_zstd(void *cookie, char *to, size_t room)
{
	ZSTD_outBuffer out = { to, room, 0 };
	struct zstd *z = cookie;

	while (out.pos == 0) {
		if (z->in.pos == z->in.size) {
			ssize_t got = refill(z);

			if (got == 0 && z->wanted != 0) {
				errno = EIO; /* cut off */
				return -1;
			}
			if (got <= 0)
				return got;
		}
		z->wanted = ZSTD_decompressStream(z->stream, &out, &z->in);
		if (ZSTD_isError(z->wanted)) {
			errno = EIO;
			return -1;
		}
	}
	return (ssize_t)out.pos;
}

static int
close_zstd(void *cookie)
{
	struct zstd *z = cookie;

	ZSTD_freeDStream(z->stream);
	close(z->fd);
	free(z);
	return 0;
}

/* --- opening -------------------------------------------------------------- */

static FILE *
open_zstd(int fd)
{
	const cookie_io_functions_t io = {
		.read = read_zstd, .close = close_zstd,
	};
	struct zstd *z = need(calloc(1, sizeof(*z)));

	z->fd = fd;
	z->stream = need(ZSTD_createDStream());
	ZSTD_initDStream(z->stream);
	return need(fopencookie(z, "r", io));
}

static FILE *
open_gzip(int fd)
{
	const cookie_io_functions_t io = {
		.read = read_gzip, .close = close_gzip,
	};
	gzFile z = need(gzdopen(fd, "r"));

	gzbuffer(z, 1 << 17);
	return need(fopencookie(z, "r", io));
}

FILE *
packed_open(const char *path)
{
	unsigned char magic[sizeof(zstd_magic)];
	struct stat st;
	int fd;

	/* A FIFO without a writer must not hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	if (pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	    memcmp(magic, zstd_magic, sizeof(magic)) == 0)
		return open_zstd(fd);
	return open_gzip(fd);
}
