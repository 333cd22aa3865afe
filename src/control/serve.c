#include "control/serve-state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/sys.h"

#define SILENT_NS (10 * NS_PER_S) /* a client may be put out then */
#define DEAF_NS   (NS_PER_S / 10) /* after there was no descriptor */

/* --- the whole ------------------------------------------------------------ */

int
serve_open(struct serve **serve)
{
	struct serve *s = sys_mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int ends[2];
	size_t i;

	if (sys_error_of(s) < 0)
		return sys_error_of(s);
	s->watched = -1;
	/* Not an eventfd, whose inode is every other's as well. */
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		int r = -errno;

		sys_munmap(s, sizeof(*s));
		return r;
	}
	s->wake = serve_take_handle(ends[0]);
	s->waker = serve_take_handle(ends[1]);
	for (i = 0; i < SERVE_CLIENTS; i++) {
		s->client[i].handle.fd = -1;
		s->client[i].talk = &s->talk[i];
	}
	*serve = s;
	return 0;
}

static void
drop_listener(struct serve *s, size_t at)
{
	struct listener *l = &s->listener[at];
	size_t i;

	for (i = 0; i < SERVE_CLIENTS; i++)
		if (s->client[i].handle.fd >= 0 && s->client[i].listener == at)
			serve_leave(&s->client[i]);
	serve_close_handle(&l->handle);
	(void)unlink(l->path);
	control_close(&l->control);
}

void
serve_close(struct serve *s)
{
	size_t i;

	for (i = 0; i < s->listeners; i++)
		if (s->listener[i].handle.fd >= 0)
			drop_listener(s, i);
	serve_close_handle(&s->wake);
	serve_close_handle(&s->waker);
	sys_munmap(s, sizeof(*s));
}

void
serve_abandon(struct serve *s)
{
	size_t i;

	for (i = 0; i < SERVE_CLIENTS; i++)
		serve_close_handle(&s->client[i].handle);
	for (i = 0; i < s->listeners; i++)
		serve_close_handle(&s->listener[i].handle);
	serve_close_handle(&s->wake);
	serve_close_handle(&s->waker);
	sys_munmap(s, sizeof(*s));
}

int
serve_add(struct serve *s, const char *path, const struct control *c)
{
	struct listener *l;
	size_t at;
	int fd;

	for (at = 0; at < s->listeners; at++)
		if (s->listener[at].handle.fd < 0)
			break;
	if (at == SERVE_LISTENERS)
		return -EMFILE;
	l = &s->listener[at];
	if (strlen(path) >= sizeof(l->path))
		return -ENAMETOOLONG;
	fd = serve_listen_at(path);
	if (fd < 0)
		return fd;
	l->handle = serve_take_handle(fd);
	l->control = *c;
	l->seen = (struct seen){ 0 };
	l->control.seen = &l->seen;
	memcpy(l->path, path, strlen(path) + 1);
	if (at >= s->listeners)
		s->listeners = at + 1;
	return 0;
}

bool
serve_has(const struct serve *s, int pid)
{
	size_t i;

	for (i = 0; i < s->listeners; i++)
		if (s->listener[i].handle.fd >= 0 &&
		    s->listener[i].control.pid == pid)
			return true;
	return false;
}

/* Its segment says that it has ended, or /proc that it is not there. */
static bool
has_ended(const struct control *c)
{
	const struct segment *s = c->segment;

	return c->pid != 0 && (atomic_load(&s->end.how) != END_UNKNOWN ||
	    sys_thread_exists(c->pid) == -ESRCH);
}

size_t
serve_sweep(struct serve *s)
{
	size_t i, left = 0;

	for (i = 0; i < s->listeners; i++) {
		if (s->listener[i].handle.fd < 0)
			continue;
		if (has_ended(&s->listener[i].control))
			drop_listener(s, i);
		else
			left++;
	}
	return left;
}

void
serve_stop(struct serve *s)
{
	int error = errno;

	if (serve_is_still_ours(&s->waker))
		(void)!write(s->waker.fd, "", 1);
	errno = error;
}

void
serve_watch(struct serve *s, int fd)
{
	s->watched = fd;
}

/* --- newcomers ------------------------------------------------------------ */

/* Put out the one that has been silent longest, and too long; or NULL. */
static struct client *
leave_silent(struct serve *s, uint64_t now)
{
	struct client *oldest = NULL;
	size_t i;

	for (i = 0; i < SERVE_CLIENTS; i++)
		if (s->client[i].handle.fd >= 0 && (oldest == NULL ||
		    s->client[i].heard_ns < oldest->heard_ns))
			oldest = &s->client[i];
	if (oldest == NULL || above_u64(now, oldest->heard_ns) < SILENT_NS)
		return NULL;
	serve_leave(oldest);
	return oldest;
}

/* A place for a newcomer, or NULL. */
static struct client *
find_place(struct serve *s, uint64_t now)
{
	size_t i;

	for (i = 0; i < SERVE_CLIENTS; i++)
		if (s->client[i].handle.fd < 0)
			return &s->client[i];
	return leave_silent(s, now);
}

static void
turn_away(int fd)
{
	char room[256];
	struct text t;

	text_open(&t, room, sizeof(room));
	request_refuse(&t, -EBUSY, "64 clients are being served; come again");
	(void)send(fd, t.start, t.used, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

/* They wait in line: without a pause, poll() would tell of them for ever. */
static void
be_deaf(struct serve *s, uint64_t now)
{
	(void)leave_silent(s, now);
	s->deaf_until_ns = now + DEAF_NS;
}

static void
accept_some(struct serve *s, size_t at, uint64_t now)
{
	struct client *c;
	int fd, i;

	for (i = 0; i < SERVE_BACKLOG; i++) {
		fd = accept4(s->listener[at].handle.fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				be_deaf(s, now);
			return;
		}
		if (!serve_is_ours(fd)) {
			close(fd);
			continue;
		}
		c = find_place(s, now);
		if (c == NULL) {
			turn_away(fd);
			continue;
		}
		c->handle = serve_take_handle(fd);
		c->listener = (uint16_t)at;
		c->skipping = c->more = c->waits = false;
		c->heard_ns = now;
		c->interval_ns = 0;
		c->have = c->at = c->end = 0;
	}
}

/* --- a turn --------------------------------------------------------------- */

static size_t
wait_for(struct serve *s, size_t *n, int fd, short events)
{
	s->poll[*n] = (struct pollfd){ fd, events, 0 };
	return (*n)++;
}

/*
 * What to wait for.  Only what is there: of more than RLIMIT_NOFILE, poll()
 * will not hear.
 */
static size_t
fill_poll(struct serve *s, uint64_t now)
{
	size_t n = 0, i;

	(void)wait_for(s, &n, s->wake.fd, POLLIN);
	(void)wait_for(s, &n, s->watched, POLLIN);
	for (i = 0; i < s->listeners; i++)
		s->listener[i].polled = s->listener[i].handle.fd < 0 ||
		    now < s->deaf_until_ns ? 0 :
		    wait_for(s, &n, s->listener[i].handle.fd, POLLIN);
	for (i = 0; i < SERVE_CLIENTS; i++) {
		struct client *c = &s->client[i];

		if (c->handle.fd >= 0)
			c->polled = wait_for(s, &n, c->handle.fd,
			    c->at != c->end ? POLLOUT :
			    c->waits ? 0 : POLLIN);
	}
	return n;
}

static int
time_to_wait(const struct serve *s, uint64_t now, uint64_t until)
{
	uint64_t next = until;
	size_t i;

	if (now < s->deaf_until_ns)
		next = min_u64(next, s->deaf_until_ns);
	for (i = 0; i < SERVE_CLIENTS; i++) {
		const struct client *c = &s->client[i];

		if (c->handle.fd < 0 || c->at != c->end)
			continue;
		if (c->more)
			return 0;
		if (c->interval_ns != 0 || c->waits)
			next = min_u64(next, c->next_ns);
	}
	return (int)min_u64((above_u64(next, now) + NS_PER_MS - 1) / NS_PER_MS,
	    INT32_MAX);
}

/* What poll() has found; false: a descriptor is not ours any more. */
static bool
attend_all(struct serve *s, uint64_t now)
{
	size_t i;

	for (i = 0; i < SERVE_CLIENTS; i++)
		if (!serve_attend(s, &s->client[i], now))
			return false;
	for (i = 0; i < s->listeners; i++) {
		if (s->listener[i].polled == 0 ||
		    s->poll[s->listener[i].polled].revents == 0)
			continue;
		if (!serve_is_still_ours(&s->listener[i].handle))
			return false;
		accept_some(s, i, now);
	}
	return true;
}

/* True: serve_stop() was called. */
static bool
is_stopped(struct serve *s)
{
	char stops[64];

	return s->poll[0].revents != 0 && serve_is_still_ours(&s->wake) &&
	    read(s->wake.fd, stops, sizeof(stops)) > 0;
}

bool
serve_turn(struct serve *s, int wait_ms)
{
	uint64_t now = sys_clock();
	uint64_t until = now + (uint64_t)wait_ms * NS_PER_MS;
	size_t n;

	do {
		n = fill_poll(s, now);
		if (poll(s->poll, n, time_to_wait(s, now, until)) < 0) {
			if (errno != EINTR)
				return false;
			continue;
		}
		now = sys_clock();
		if (!attend_all(s, now))
			return false;
		if (is_stopped(s))
			return true;
		/* Closed under our feet: that is no news for ever. */
		if (s->poll[0].revents != 0)
			return false;
	} while (s->poll[1].revents == 0 && now < until);
	return true;
}
