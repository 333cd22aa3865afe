#include "control/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define LISTENERS_MOST 256 /* two descriptors each */
#define BACKLOG        128
#define SILENT_NS      (10 * NS_PER_S) /* a client may be put out then */
#define DEAF_NS        (NS_PER_S / 10) /* after there was no descriptor */

/*
 * A descriptor, and what it was when we opened it.  Where we are in a program
 * of others, it may close what it does not know, and open a file of its own
 * under that number: so it is looked at before it is used.
 */
struct handle {
	int fd; /* -1: there is none */
	dev_t device;
	ino_t inode;
};

struct listener {
	struct handle handle;
	size_t polled; /* place in poll; 0: it is not waited for */
	struct control control;
	char path[256]; /* for removal */
};

struct client {
	struct handle handle;
	size_t polled; /* place in poll */
	uint16_t listener;
	bool skipping; /* in a line that is too long */
	bool more;     /* its next line may be there already */
	bool waits;    /* for the program, that @watch is about */
	uint64_t heard_ns;
	uint64_t interval_ns, next_ns; /* of a watch; 0: none */
	struct request watch;
	size_t have;   /* of in */
	size_t at, end; /* of out, what is to be sent */
	char in[REQUEST_LINE_MOST + 1];
	char out[REQUEST_REPLY_ROOM];
};

struct serve {
	struct handle wake, waker; /* a pipe */
	int watched;
	uint64_t deaf_until_ns; /* nobody is let in before */
	size_t listeners; /* places that are or were in use */
	struct listener listener[LISTENERS_MOST];
	struct client client[SERVE_CLIENTS];
	struct pollfd poll[2 + LISTENERS_MOST + SERVE_CLIENTS];
};

static struct handle
take_handle(int fd)
{
	struct handle h = { .fd = fd };
	struct stat st;

	if (fstat(fd, &st) == 0) {
		h.device = st.st_dev;
		h.inode = st.st_ino;
	}
	return h;
}

static bool
is_still_ours(const struct handle *h)
{
	struct stat st;

	return h->fd < 0 || (fstat(h->fd, &st) == 0 &&
	    st.st_dev == h->device && st.st_ino == h->inode);
}

/* What is somebody else's is left open. */
static void
close_handle(struct handle *h)
{
	if (h->fd >= 0 && is_still_ours(h))
		close(h->fd);
	h->fd = -1;
}

/* --- sockets -------------------------------------------------------------- */

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

static int
listen_at(const char *path)
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
		    &address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
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

static bool
is_ours(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
	    (peer.uid == geteuid() || peer.uid == 0);
}

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
	s->wake = take_handle(ends[0]);
	s->waker = take_handle(ends[1]);
	for (i = 0; i < LISTENERS_MOST; i++)
		s->listener[i].handle.fd = -1;
	for (i = 0; i < SERVE_CLIENTS; i++)
		s->client[i].handle.fd = -1;
	*serve = s;
	return 0;
}

static void
leave_client(struct client *c)
{
	uintptr_t start = round_up((uintptr_t)c->out, 4096);
	uintptr_t end = round_down((uintptr_t)c->out + sizeof(c->out), 4096);

	close_handle(&c->handle);
	/* A large answer's pages are not kept for the next. */
	(void)sys_madvise((void *)start, end - start, MADV_DONTNEED);
}

static void
drop_listener(struct serve *s, size_t at)
{
	struct listener *l = &s->listener[at];
	size_t i;

	for (i = 0; i < SERVE_CLIENTS; i++)
		if (s->client[i].handle.fd >= 0 && s->client[i].listener == at)
			leave_client(&s->client[i]);
	close_handle(&l->handle);
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
	close_handle(&s->wake);
	close_handle(&s->waker);
	sys_munmap(s, sizeof(*s));
}

void
serve_abandon(struct serve *s)
{
	size_t i;

	for (i = 0; i < SERVE_CLIENTS; i++)
		close_handle(&s->client[i].handle);
	for (i = 0; i < s->listeners; i++)
		close_handle(&s->listener[i].handle);
	close_handle(&s->wake);
	close_handle(&s->waker);
	sys_munmap(s, sizeof(*s));
}

int
serve_add(struct serve *s, const char *path, const struct control *c)
{
	struct listener *l;
	size_t at;
	int fd;

	for (at = 0; at < LISTENERS_MOST; at++)
		if (s->listener[at].handle.fd < 0)
			break;
	if (at == LISTENERS_MOST)
		return -EMFILE;
	l = &s->listener[at];
	if (strlen(path) >= sizeof(l->path))
		return -ENAMETOOLONG;
	fd = listen_at(path);
	if (fd < 0)
		return fd;
	l->handle = take_handle(fd);
	l->control = *c;
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

	if (is_still_ours(&s->waker))
		(void)!write(s->waker.fd, "", 1);
	errno = error;
}

void
serve_watch(struct serve *s, int fd)
{
	s->watched = fd;
}

/* --- clients -------------------------------------------------------------- */

static struct text
answer_room(struct client *c)
{
	struct text t;

	text_open(&t, c->out, sizeof(c->out));
	return t;
}

/* As much of the answer as the client takes now; false: it has gone. */
static bool
send_out(struct client *c)
{
	ssize_t n;

	while (c->at < c->end) {
		n = send(c->handle.fd, c->out + c->at, c->end - c->at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		c->at += (size_t)n;
	}
	c->at = c->end = 0;
	return true;
}

/* It is asked again soon; what else the client says is not read before. */
static void
wait_on(struct client *c, uint64_t now)
{
	c->waits = true;
	c->next_ns = now + REQUEST_NAP_NS;
}

static void
answer(struct serve *s, struct client *c, const char *line, size_t bytes,
    uint64_t now)
{
	struct control *control = &s->listener[c->listener].control;
	struct text t = answer_room(c);

	int error = request_parse(&c->watch, line, bytes);

	/* Another request ends a watch. */
	c->interval_ns = error == 0 ? request_interval(&c->watch) : 0;
	c->next_ns = now + c->interval_ns;
	if (error != 0)
		request_misread(&t, error);
	else if (!request_answer(control, &c->watch, &t))
		wait_on(c, now);
	c->at = 0;
	c->end = t.used;
}

/* The next whole line of what has come, if the last answer is out. */
static bool
next_line(struct serve *s, struct client *c, uint64_t now)
{
	char *newline = memchr(c->in, '\n', c->have);
	size_t bytes = newline != NULL ? (size_t)(newline - c->in) : c->have;

	if (newline == NULL && c->have <= REQUEST_LINE_MOST)
		return false;
	if (newline == NULL) { /* too long: said once, and the rest dropped */
		if (!c->skipping)
			answer(s, c, c->in, c->have, now);
		c->skipping = true;
		c->have = 0;
		return true;
	}
	if (!c->skipping)
		answer(s, c, c->in, bytes, now);
	c->skipping = false;
	c->have -= bytes + 1;
	memmove(c->in, newline + 1, c->have);
	return true;
}

/* One, and then the others have theirs, however much this client asks. */
static bool
serve_line(struct serve *s, struct client *c, uint64_t now)
{
	c->more = c->at == c->end && !c->waits && next_line(s, c, now);
	return send_out(c);
}

/* False: the client has gone. */
static bool
hear(struct serve *s, struct client *c, uint64_t now)
{
	ssize_t n = recv(c->handle.fd, c->in + c->have, sizeof(c->in) - c->have,
	    MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->heard_ns = now;
	if (n > 0) {
		c->have += (size_t)n;
		return serve_line(s, c, now);
	}
	/* It will ask no more; a line without a newline is one as well. */
	if (c->have > 0 && !c->skipping) {
		answer(s, c, c->in, c->have, now);
		c->have = 0;
		return send_out(c) && (c->at != c->end || c->waits);
	}
	return false;
}

/* The answer, if the program has done what it needs for it. */
static bool
answer_late(struct serve *s, struct client *c, uint64_t now)
{
	struct text t;

	if (!c->waits || now < c->next_ns)
		return true;
	t = answer_room(c);
	if (!request_answer(&s->listener[c->listener].control, &c->watch,
	    &t)) {
		wait_on(c, now);
		return true;
	}
	c->waits = false;
	c->more = true;
	c->heard_ns = now;
	c->end = t.used;
	return send_out(c);
}

static bool
watch_again(struct serve *s, struct client *c, uint64_t now)
{
	struct text t;

	if (c->interval_ns == 0 || now < c->next_ns || c->at != c->end)
		return true;
	t = answer_room(c);
	(void)request_answer(&s->listener[c->listener].control, &c->watch,
	    &t);
	c->end = t.used;
	c->heard_ns = now;
	/* What it did not take in time is not made up for. */
	c->next_ns += (1 + (now - c->next_ns) / c->interval_ns) *
	    c->interval_ns;
	return send_out(c);
}

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
	leave_client(oldest);
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

	for (i = 0; i < BACKLOG; i++) {
		fd = accept4(s->listener[at].handle.fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				be_deaf(s, now);
			return;
		}
		if (!is_ours(fd)) {
			close(fd);
			continue;
		}
		c = find_place(s, now);
		if (c == NULL) {
			turn_away(fd);
			continue;
		}
		c->handle = take_handle(fd);
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

/* False: the descriptor is another's. */
static bool
attend(struct serve *s, struct client *c, uint64_t now)
{
	bool stays = true;
	short events;

	if (c->handle.fd < 0)
		return true;
	events = s->poll[c->polled].revents;
	if ((events != 0 || c->more || c->interval_ns != 0 || c->waits) &&
	    !is_still_ours(&c->handle))
		return false;
	if (events & POLLOUT)
		stays = send_out(c) && serve_line(s, c, now);
	else if (c->more)
		stays = serve_line(s, c, now);
	else if (c->waits)
		stays = (events & (POLLHUP | POLLERR)) == 0 &&
		    answer_late(s, c, now);
	else if (events & (POLLIN | POLLHUP | POLLERR))
		stays = hear(s, c, now);
	if (stays)
		stays = watch_again(s, c, now);
	if (!stays)
		leave_client(c);
	return true;
}

/* What poll() has found; false: a descriptor is not ours any more. */
static bool
attend_all(struct serve *s, uint64_t now)
{
	size_t i;

	for (i = 0; i < SERVE_CLIENTS; i++)
		if (!attend(s, &s->client[i], now))
			return false;
	for (i = 0; i < s->listeners; i++) {
		if (s->listener[i].polled == 0 ||
		    s->poll[s->listener[i].polled].revents == 0)
			continue;
		if (!is_still_ours(&s->listener[i].handle))
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

	return s->poll[0].revents != 0 && is_still_ours(&s->wake) &&
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
