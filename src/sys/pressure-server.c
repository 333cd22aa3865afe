/*
 * pressure-server.c - the side of the protocol that tells
 */
#include "sys/pressure.h"

#include <errno.h>
#include <fcntl.h>

#include "base/text.h"
#include "sys/sys.h"

int
pressure_server_make(struct pressure_server *server, const char *path)
{
	struct text t;
	int r;

	server->fd = -1;
	text_open(&t, server->path, sizeof(server->path));
	text_put(&t, path);
	if (t.cut)
		r = -ENAMETOOLONG;
	else
		r = sys_mkfifo(path, 0600);
	if (r < 0)
		server->path[0] = '\0';
	return r;
}

/* For both, or poll() would tell readers for ever that nobody writes. */
int
pressure_server_open(struct pressure_server *server)
{
	int fd;

	if (server->path[0] == '\0')
		return -ENOENT;
	fd = sys_open(server->path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	server->fd = fd;
	return 0;
}

int
pressure_server_notify(const struct pressure_server *server)
{
	ssize_t n;

	if (server->fd < 0)
		return -EBADF;
	n = sys_write(server->fd, "", 1);
	return n < 0 && n != -EAGAIN ? (int)n : 0;
}

void
pressure_server_close(struct pressure_server *server)
{
	if (server->fd >= 0)
		sys_close(server->fd);
	server->fd = -1;
	if (server->path[0] != '\0')
		(void)sys_unlink(server->path);
	server->path[0] = '\0';
}
