/*
 * serve-client.c - what one client says, and is told
 */
#include "control/serve-state.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/text.h"
#include "sys/sys.h"

void
serve_leave(struct client *c)
{
	uintptr_t out = (uintptr_t)c->talk->out;
	uintptr_t start = round_up(out, 4096);
	uintptr_t end = round_down(out + sizeof(c->talk->out), 4096);

	serve_close_handle(&c->handle);
	/* A large answer's pages are not kept for the next. */
	(void)sys_madvise((void *)start, end - start, MADV_DONTNEED);
}

static struct text
answer_room(struct client *c)
{
	struct text t;

	text_open(&t, c->talk->out, sizeof(c->talk->out));
	return t;
}

/* As much of the answer as the client takes now; false: it has gone. */
static bool
send_out(struct client *c)
{
	ssize_t n;

	while (c->at < c->end) {
		n = send(c->handle.fd, c->talk->out + c->at, c->end - c->at,
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

/* What it has asked last; false: it has to wait. */
static bool
answer_once(struct serve *s, struct client *c, struct text *t)
{
	return request_answer(&s->listener[c->listener].control,
	    &c->talk->request, t);
}

static void
answer(struct serve *s, struct client *c, const char *line, size_t bytes,
    uint64_t now)
{
	struct request *request = &c->talk->request;
	struct text t = answer_room(c);
	int error = request_parse(request, line, bytes);

	/* Another request ends a watch. */
	c->interval_ns = error == 0 ? request_interval(request) : 0;
	c->next_ns = now + c->interval_ns;
	if (error != 0)
		request_misread(&t, error);
	else if (!answer_once(s, c, &t))
		wait_on(c, now);
	c->at = 0;
	c->end = t.used;
}

/* The next whole line of what has come, if the last answer is out. */
static bool
next_line(struct serve *s, struct client *c, uint64_t now)
{
	char *in = c->talk->in;
	char *newline = memchr(in, '\n', c->have);
	size_t bytes = newline != NULL ? (size_t)(newline - in) : c->have;

	if (newline == NULL && c->have <= REQUEST_LINE_MOST)
		return false;
	if (newline == NULL) { /* too long: said once, and the rest dropped */
		if (!c->skipping)
			answer(s, c, in, c->have, now);
		c->skipping = true;
		c->have = 0;
		return true;
	}
	if (!c->skipping)
		answer(s, c, in, bytes, now);
	c->skipping = false;
	c->have -= bytes + 1;
	memmove(in, newline + 1, c->have);
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
	struct talk *talk = c->talk;
	ssize_t n = recv(c->handle.fd, talk->in + c->have,
	    sizeof(talk->in) - c->have, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->heard_ns = now;
	if (n > 0) {
		c->have += (size_t)n;
		return serve_line(s, c, now);
	}
	/* It will ask no more; a line without a newline is one as well. */
	if (c->have > 0 && !c->skipping) {
		answer(s, c, talk->in, c->have, now);
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
	if (!answer_once(s, c, &t)) {
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
	(void)answer_once(s, c, &t);
	c->end = t.used;
	c->heard_ns = now;
	/* What it did not take in time is not made up for. */
	c->next_ns += (1 + (now - c->next_ns) / c->interval_ns) *
	    c->interval_ns;
	return send_out(c);
}

bool
serve_attend(struct serve *s, struct client *c, uint64_t now)
{
	bool stays = true;
	short events;

	if (c->handle.fd < 0)
		return true;
	events = s->poll[c->polled].revents;
	if ((events != 0 || c->more || c->interval_ns != 0 || c->waits) &&
	    !serve_is_still_ours(&c->handle))
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
		serve_leave(c);
	return true;
}
