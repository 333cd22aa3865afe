#include "live/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "control/control.h"
#include "control/request.h"
#include "control/serve.h"
#include "live/ask-page.h"
#include "profile/reader.h"
#include "say/need.h"
#include "settings/config.h"
#include "sys/place.h"
#include "sys/proc.h"

/* Who serves may be stopped as we ask. */
#define PATIENCE_S 5

struct asking {
	int fd;            /* of the socket; -1: nobody serves it */
	struct control control;
	struct request request;
	uint64_t interval_ns; /* of a watch; 0: one line is the answer */
	FILE *from;
};

/* --- at the socket -------------------------------------------------------- */

/*
 * `heaptide run` stops with its program, for the shell's sake, and answers no
 * one then.
 */
static bool
is_stopped(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);
	struct proc_stat stat;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
	    proc_stat_read(peer.pid, &stat) == 0 &&
	    (stat.state == 'T' || stat.state == 't');
}

static int
connect_to(const char *segment, int pid)
{
	const char *name = strrchr(segment, '/');
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address;
	char path[PLACE_ROOM];
	int directory, fd, r;

	if (name == NULL || snprintf(path, sizeof(path), "%.*s/%d.sock",
	    (int)(name - segment), segment, pid) >= (int)sizeof(path) ||
	    serve_address(path, &address, &directory) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		    sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		    sizeof(patience));
		r = connect(fd, (struct sockaddr *)&address, sizeof(address));
		if (r < 0 || is_stopped(fd)) {
			close(fd);
			fd = -1;
		}
	}
	if (directory >= 0)
		close(directory);
	return fd;
}

static bool
send_line(int fd, const char *line)
{
	size_t left = strlen(line);
	ssize_t n;

	while (left > 0) {
		n = send(fd, line, left, MSG_NOSIGNAL);
		if (n < 0)
			return false;
		line += n;
		left -= (size_t)n;
	}
	return send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
}

/* --- the two ways --------------------------------------------------------- */

static bool
refuse(char why[ASK_WHY_ROOM], int pid, const char *what, int error)
{
	snprintf(why, ASK_WHY_ROOM, "process %d %s%s%s", pid, what,
	    error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	return false;
}

static bool
open_asking(struct asking *a, int pid, const char *request,
    char why[ASK_WHY_ROOM])
{
	char path[PLACE_ROOM], wrong[CONFIG_WHY_ROOM];
	struct proc_stat stat;
	int r;

	*a = (struct asking){ .fd = -1 };
	if (strpbrk(request, "\n\r") != NULL)
		return refuse(why, pid, "can be asked one line at a time", 0);
	if (profile_find((uint64_t)pid, path, why) < 0)
		return false;
	if (proc_stat_read(pid, &stat) < 0)
		return refuse(why, pid, "has ended; 'heaptide report' reads "
		    "what it left", 0);
	a->interval_ns = request_parse(&a->request, request,
	    strlen(request)) == 0 ? request_interval(&a->request) : 0;
	a->fd = connect_to(path, pid);
	if (a->fd >= 0 && send_line(a->fd, request)) {
		a->from = fdopen(a->fd, "r");
		if (a->from != NULL)
			return true;
	}
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	r = control_open(&a->control, path, pid);
	if (r < 0)
		return refuse(why, pid, "cannot be asked", -r);
	/* Who reads settings to act on them says what is wrong with them. */
	(void)config_least(&a->control.least, wrong);
	return true;
}

static void
close_asking(struct asking *a)
{
	if (a->from != NULL)
		fclose(a->from);
	else
		control_close(&a->control);
}

static char *
answer_here(struct asking *a, const char *request)
{
	char *room = need(malloc(REQUEST_REPLY_ROOM));
	struct text t;

	text_open(&t, room, REQUEST_REPLY_ROOM);
	request_line(&a->control, request, strlen(request), &t);
	return room;
}

/* The next line; NULL: there is no more. */
static char *
read_line(struct asking *a)
{
	char *line = NULL;
	size_t room = 0;

	if (getline(&line, &room, a->from) > 0)
		return line;
	free(line);
	return NULL;
}

/* --- asking --------------------------------------------------------------- */

char *
ask_line(int pid, const char *request, char why[ASK_WHY_ROOM])
{
	struct asking a;
	char *line;

	if (!open_asking(&a, pid, request, why))
		return page_ask(pid, request);
	line = a.from != NULL ? read_line(&a) : answer_here(&a, request);
	close_asking(&a);
	if (line == NULL)
		(void)refuse(why, pid, "does not answer", 0);
	return line;
}

static void
nap(uint64_t ns)
{
	const struct timespec time = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	nanosleep(&time, NULL);
}

static bool
lives(const struct asking *a)
{
	struct proc_stat stat;

	return proc_stat_read(a->control.pid, &stat) == 0 &&
	    atomic_load(&a->control.segment->end.how) == END_UNKNOWN;
}

int
ask_on(int pid, const char *request, bool (*each)(void *context,
    const char *line), void *context, char why[ASK_WHY_ROOM])
{
	struct timeval forever = { .tv_sec = 0 };
	struct asking a;
	bool goes_on;
	char *line;

	if (!open_asking(&a, pid, request, why)) {
		line = page_ask(pid, request);
		if (line != NULL)
			(void)each(context, line);
		free(line);
		return line != NULL ? 0 : -1;
	}
	if (a.from != NULL)
		setsockopt(a.fd, SOL_SOCKET, SO_RCVTIMEO, &forever,
		    sizeof(forever));
	do {
		line = a.from != NULL ? read_line(&a) :
		    answer_here(&a, request);
		goes_on = line != NULL && each(context, line) &&
		    strncmp(line, "{\"ok\":true", 10) == 0;
		free(line);
		if (goes_on && a.from == NULL && a.interval_ns != 0) {
			nap(a.interval_ns);
			goes_on = lives(&a);
		}
	} while (goes_on && a.interval_ns != 0);
	close_asking(&a);
	return 0;
}

json_t *
ask(int pid, const char *request, char why[ASK_WHY_ROOM])
{
	char *line = ask_line(pid, request, why);
	json_t *answer;

	if (line == NULL)
		return NULL;
	answer = json_loads(line, 0, NULL);
	free(line);
	if (answer == NULL)
		(void)refuse(why, pid, "answers what is no JSON", 0);
	return answer;
}

const char *
ask_refusal(const json_t *answer)
{
	const char *message;

	if (json_is_true(json_object_get(answer, "ok")))
		return NULL;
	message = json_string_value(json_object_get(answer, "message"));
	return message != NULL ? message : "refused, without a reason";
}
