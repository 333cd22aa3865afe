#include "web/web-look.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "say/need.h"
#include "sys/sys.h"
#include "web/web-child.h"

#define PATIENCE_NS  (20 * NS_PER_S) /* of 1000 processes, on a slow machine */
#define REBIRTH_NS   (1 * NS_PER_S)  /* one that crashes at once */
#define LOOK_MOST    (256 * MIB)

/* --- one look ------------------------------------------------------------- */

struct web_look *
web_look_keep(struct web_look *look)
{
	look->users++;
	return look;
}

void
web_look_drop(struct web_look *look)
{
	if (look == NULL || --look->users > 0)
		return;
	free(look->bytes);
	free(look);
}

static void
read_head(const struct web_look *look, size_t at, struct web_look_head *head)
{
	memcpy(head, look->bytes + at, sizeof(*head));
}

const char *
web_look_next(const struct web_look *look, enum web_kind_of_look kind,
    size_t *at, int *pid, size_t *bytes)
{
	struct web_look_head head;

	while (look->used - *at >= sizeof(head)) {
		const char *text = look->bytes + *at + sizeof(head);

		read_head(look, *at, &head);
		*at += sizeof(head) + (size_t)head.bytes;
		if (head.kind == (uint32_t)kind) {
			*pid = head.pid;
			*bytes = (size_t)head.bytes;
			return text;
		}
	}
	return NULL;
}

const char *
web_look_find(const struct web_look *look, enum web_kind_of_look kind,
    int pid, size_t *bytes)
{
	const char *text;
	size_t at = 0;
	int found;

	while ((text = web_look_next(look, kind, &at, &found, bytes)) != NULL)
		if (pid == 0 || found == pid)
			return text;
	return NULL;
}

/* Is the last text there, and every length true? */
static bool
is_whole(struct web_look *look)
{
	struct web_look_head head;
	size_t at = 0;

	while (look->used - at >= sizeof(head)) {
		read_head(look, at, &head);
		at += sizeof(head);
		if (head.bytes > look->used - at)
			return false;
		at += (size_t)head.bytes;
		if (head.kind == LOOK_END)
			look->whole = true;
	}
	return look->whole;
}

/* --- the child ------------------------------------------------------------ */

void
web_looks_open(struct web_looks *l)
{
	*l = (struct web_looks){ .to = -1, .from = -1 };
}

static void
start_child(struct web_looks *l, uint64_t now_ns)
{
	int ask[2], answer[2];

	l->born_ns = now_ns; /* also of one that cannot be had */
	if (pipe2(ask, O_CLOEXEC) < 0)
		return;
	if (pipe2(answer, O_CLOEXEC) < 0) {
		close(ask[0]);
		close(ask[1]);
		return;
	}
	l->child = web_child_fork();
	if (l->child == 0) {
		web_child_keep_only(ask[0], answer[1]);
		web_looker(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	l->to = ask[1];
	l->from = answer[0];
	(void)fcntl(l->from, F_SETFL, O_NONBLOCK);
	if (l->child < 0) {
		close(l->to);
		close(l->from);
		l->to = l->from = -1;
		l->child = 0;
	}
}

static void
end_child(struct web_looks *l)
{
	if (l->child == 0)
		return;
	(void)kill(l->child, SIGKILL);
	while (waitpid(l->child, NULL, 0) < 0 && errno == EINTR)
		;
	close(l->to);
	close(l->from);
	l->to = l->from = -1;
	l->child = 0;
}

/* Who waits for it is told; the next one gets another child. */
static void
lose(struct web_looks *l, uint64_t now_ns)
{
	l->failed_ns = l->now->begun_ns;
	l->lost_ns = now_ns;
	web_look_drop(l->now);
	l->now = NULL;
	end_child(l);
}

void
web_looks_close(struct web_looks *l)
{
	web_look_drop(l->now);
	web_look_drop(l->last);
	end_child(l);
	web_looks_open(l);
}

/* --- taking them ---------------------------------------------------------- */

static uint64_t
milliseconds_since_1970(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 +
	    (uint64_t)now.tv_nsec / 1000000;
}

void
web_looks_begin(struct web_looks *l, uint64_t now_ns)
{
	unsigned char wanted = (unsigned char)l->wanted;

	if (l->now != NULL || wanted == 0)
		return;
	if (l->child == 0 && (l->born_ns == 0 ||
	    now_ns - l->born_ns >= REBIRTH_NS))
		start_child(l, now_ns);
	if (l->child == 0)
		return;
	l->now = need(calloc(1, sizeof(*l->now)));
	l->now->users = 1;
	l->now->wanted = l->wanted;
	l->now->begun_ns = now_ns;
	l->now->number = max_u64(milliseconds_since_1970(),
	    l->last != NULL ? l->last->number + 1 : 0);
	l->wanted = 0;
	if (write(l->to, &wanted, 1) != 1)
		lose(l, now_ns);
}

/* False: it will not come to an end. */
static bool
read_some(struct web_looks *l)
{
	struct web_look *look = l->now;
	ssize_t n;

	for (;;) {
		if (look->room - look->used < 64 * KIB) {
			look->room = look->room * 2 + 128 * KIB;
			look->bytes = need(realloc(look->bytes, look->room));
		}
		n = read(l->from, look->bytes + look->used,
		    look->room - look->used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		look->used += (size_t)n;
		if (look->used > LOOK_MOST)
			return false;
	}
}

static void
finish(struct web_looks *l)
{
	web_look_drop(l->last);
	l->last = l->now;
	l->now = NULL;
}

void
web_looks_read(struct web_looks *l, uint64_t now_ns)
{
	bool goes_on;

	if (l->now == NULL)
		return;
	goes_on = read_some(l);
	if (is_whole(l->now))
		finish(l);
	else if (!goes_on || now_ns - l->now->begun_ns > PATIENCE_NS)
		lose(l, now_ns);
}

uint64_t
web_looks_deadline(const struct web_looks *l)
{
	if (l->now != NULL)
		return l->now->begun_ns + PATIENCE_NS;
	return l->wanted != 0 ? l->born_ns + REBIRTH_NS : UINT64_MAX;
}

struct web_look *
web_looks_ask(struct web_looks *l, unsigned wanted, uint64_t since_ns)
{
	if (l->last != NULL && l->last->begun_ns >= since_ns &&
	    (l->last->wanted & wanted) == wanted)
		return l->last;
	if (l->now == NULL || l->now->begun_ns < since_ns ||
	    (l->now->wanted & wanted) != wanted)
		l->wanted |= wanted;
	return NULL;
}

bool
web_looks_failed(const struct web_looks *l, uint64_t since_ns)
{
	return l->lost_ns != 0 && l->failed_ns >= since_ns;
}
