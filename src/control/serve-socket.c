/*
 * serve-socket.c - the descriptors of who serves, and where he listens
 */
#include "control/serve-state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/place.h"

struct handle
serve_take_handle(int fd)
{
	struct handle h = { .fd = fd };
	struct stat st;

	if (fstat(fd, &st) == 0) {
		h.device = st.st_dev;
		h.inode = st.st_ino;
	}
	return h;
}

bool
serve_is_still_ours(const struct handle *h)
{
	struct stat st;

	return h->fd < 0 || (fstat(h->fd, &st) == 0 &&
	    st.st_dev == h->device && st.st_ino == h->inode);
}

void
serve_close_handle(struct handle *h)
{
	if (h->fd >= 0 && serve_is_still_ours(h))
		close(h->fd);
	h->fd = -1;
}

int
serve_address(const char *path, struct sockaddr_un *address, int *directory)
{
	const char *name = strrchr(path, '/');
	char folder[PLACE_ROOM];
	struct text t;

	*directory = -1;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) < sizeof(address->sun_path)) {
		memcpy(address->sun_path, path, strlen(path));
		return 0;
	}
	if (name == NULL || (size_t)(name - path) >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, (size_t)(name - path));
	folder[name - path] = '\0';
	*directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*directory < 0)
		return -errno;
	text_open(&t, address->sun_path, sizeof(address->sun_path));
	text_put(&t, "/proc/self/fd/");
	text_put_i64(&t, *directory);
	text_put(&t, name);
	if (!t.cut)
		return 0;
	close(*directory);
	*directory = -1;
	return -ENAMETOOLONG;
}

int
serve_listen_at(const char *path)
{
	struct sockaddr_un address;
	int directory;
	int fd, r;

	r = serve_address(path, &address, &directory);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = fd < 0 ? -errno : 0;
	if (r == 0) {
		(void)unlink(path); /* of one that was killed */
		/* What a socket's file is made with, whatever the umask. */
		if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)
		    &address, sizeof(address)) < 0 || listen(fd, SERVE_BACKLOG) < 0)
			r = -errno;
	}
	if (directory >= 0)
		close(directory);
	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

bool
serve_is_ours(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
	    (peer.uid == geteuid() || peer.uid == 0);
}
