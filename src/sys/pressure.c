#include "sys/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define PATH_ROOM 4096

/* --- PSI ------------------------------------------------------------------ */

/* Move @at behind @word, which has to stand there. */
static bool
skip_word(const char **at, const char *word)
{
	size_t bytes = strlen(word);

	if (strncmp(*at, word, bytes) != 0)
		return false;
	*at += bytes;
	return true;
}

/* `avg10=1.23 avg60=0.00 avg300=0.00 total=4711`; two decimals, always. */
static bool
line_parse(const char *at, struct pressure_line *line)
{
	uint64_t whole, part;

	if (!skip_word(&at, "avg10=") || !proc_number(&at, 10, &whole) ||
	    !skip_word(&at, ".") || !proc_number(&at, 10, &part) ||
	    whole > 100 || part > 99)
		return false;
	at = strstr(at, "total=");
	if (at == NULL || !skip_word(&at, "total=") ||
	    !proc_number(&at, 10, &line->total_us))
		return false;
	line->avg10 = (uint32_t)(whole * 100 + part);
	return true;
}

int
pressure_read(const char *root, const char *path, struct pressure *pressure)
{
	struct proc_lines lines;
	struct pressure p;
	char whole[PATH_ROOM];
	const char *at;
	struct text t;
	bool found = false;
	int r;

	text_open(&t, whole, sizeof(whole));
	text_put(&t, root);
	text_put(&t, path);
	if (t.cut)
		return -ENAMETOOLONG;
	r = proc_lines_open(&lines, whole);
	if (r < 0)
		return r;
	memset(&p, 0, sizeof(p));
	while ((at = proc_lines_next(&lines)) != NULL) {
		if (skip_word(&at, "some "))
			found = line_parse(at, &p.some);
		else if (skip_word(&at, "full "))
			(void)line_parse(at, &p.full);
	}
	r = proc_lines_close(&lines);
	if (r < 0)
		return r;
	if (!found)
		return -ENODATA;
	*pressure = p;
	return 0;
}

uint64_t
pressure_share(const struct pressure_line *before,
    const struct pressure_line *now, uint64_t ns)
{
	uint64_t us = above_u64(now->total_us, before->total_us);
	uint64_t span = ns / 1000;

	if (span == 0)
		return 0;
	/* The kernel adds it up now and then: it may come to more. */
	return us >= span ? 1000000 : us * 1000000 / span;
}

bool
pressure_is_common(const struct proc_memory *memory)
{
	return memory->available < memory->total / 4;
}

/* --- to be told ----------------------------------------------------------- */

/* 64: it is no digit of base64. */
static unsigned
digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Bytes; -EINVAL: no base64, with its padding, or too much of it. */
static int
decode(const char *s, char to[PRESSURE_WRITE_MOST])
{
	size_t length = strlen(s), digits = length, used = 0, i;
	uint32_t bits = 0;

	while (digits > 0 && length - digits < 2 && s[digits - 1] == '=')
		digits--;
	if (length % 4 != 0 || length / 4 * 3 > PRESSURE_WRITE_MOST)
		return -EINVAL;
	for (i = 0; i < digits; i++) {
		if (digit_of(s[i]) == 64)
			return -EINVAL;
		bits = bits << 6 | digit_of(s[i]);
		/* 6, 12, 18, 24 bits: a byte is full from the second on. */
		if (i % 4 != 0)
			to[used++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	return (int)used;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un address;
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memset(&address, 0, sizeof(address));
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path, path, strlen(path));
	fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return fd;
	r = sys_connect(fd, &address, sizeof(address));
	if (r == 0)
		return fd;
	sys_close(fd);
	return r;
}

static int
open_watch(const char *watch, bool writes, short *events)
{
	int how = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;
	int r = sys_stat(watch, &st);

	if (r < 0)
		return r;
	*events = POLLIN;
	if (S_ISSOCK(st.st_mode))
		return connect_to(watch);
	if (S_ISREG(st.st_mode))
		*events = POLLPRI;
	else if (!S_ISFIFO(st.st_mode))
		return -EBADF;
	return sys_open(watch, how | (writes ? O_RDWR : O_RDONLY), 0);
}

int
pressure_client_open(struct pressure_client *client, const char *watch,
    const char *write)
{
	char what[PRESSURE_WRITE_MOST];
	int bytes = 0, fd, r = 0;
	short events = 0;

	client->fd = -1;
	if (strcmp(watch, "/dev/null") == 0)
		return -ENODEV;
	if (write != NULL && *write != '\0')
		bytes = decode(write, what);
	if (bytes < 0)
		return bytes;
	fd = open_watch(watch, bytes > 0, &events);
	if (fd < 0)
		return fd;
	if (bytes > 0) {
		ssize_t n = sys_write(fd, what, (size_t)bytes);

		r = n < 0 ? (int)n : n < bytes ? -EIO : 0;
	}
	if (r < 0) {
		sys_close(fd);
		return r;
	}
	client->fd = fd;
	client->events = events;
	return 0;
}

int
pressure_client_take(struct pressure_client *client)
{
	char room[512];
	ssize_t n;
	int taken = 0, i;

	if (client->events == POLLPRI)
		return 1; /* the kernel says it once in a window */
	/* Who writes faster than this is not waited for. */
	for (i = 0; i < 128; i++) {
		n = sys_read(client->fd, room, sizeof(room));
		if (n == -EAGAIN)
			return taken;
		if (n <= 0)
			return taken != 0 ? taken : -EPIPE;
		taken = 1;
	}
	return taken;
}

void
pressure_client_close(struct pressure_client *client)
{
	if (client->fd >= 0)
		sys_close(client->fd);
	client->fd = -1;
}
