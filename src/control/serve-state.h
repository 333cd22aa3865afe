/*
 * serve-state.h - what the files of serve have in common
 *
 * Floor 7 (control).  May use: base, sys, control.  Used by: serve*.c.
 */
#ifndef CONTROL_SERVE_STATE_H
#define CONTROL_SERVE_STATE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/base.h"
#include "control/control.h"
#include "control/request.h"
#include "control/seen.h"
#include "control/serve.h"

#define SERVE_LISTENERS 256 /* two descriptors each */
#define SERVE_BACKLOG   128

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
	struct seen seen;
	char path[256]; /* for removal */
};

/* What a client says, and is told. */
struct talk {
	struct request request; /* the last one */
	char in[REQUEST_LINE_MOST + 1];
	char out[REQUEST_REPLY_ROOM];
};

/*
 * Apart from what it says: all of them are gone through at each turn, and shall
 * lie in a few pages.
 */
struct client {
	struct handle handle;
	size_t polled; /* place in poll */
	uint16_t listener;
	bool skipping; /* in a line that is too long */
	bool more;     /* its next line may be there already */
	bool waits;    /* for the program, that its request is about */
	uint64_t heard_ns;
	uint64_t interval_ns, next_ns; /* of a watch; 0: none */
	size_t have;   /* of in */
	size_t at, end; /* of out, what is to be sent */
	struct talk *talk;
};

struct serve {
	struct handle wake, waker; /* a pipe */
	int watched;
	uint64_t deaf_until_ns; /* nobody is let in before */
	size_t listeners; /* places that are or were in use */
	struct listener listener[SERVE_LISTENERS];
	struct client client[SERVE_CLIENTS];
	struct pollfd poll[2 + SERVE_LISTENERS + SERVE_CLIENTS];
	struct talk talk[SERVE_CLIENTS];
};

/* --- serve-socket.c ------------------------------------------------------- */

struct handle serve_take_handle(int fd);

bool serve_is_still_ours(const struct handle *h);

/* What is somebody else's is left open. */
void serve_close_handle(struct handle *h);

/* A descriptor, or a negative errno value. */
int serve_listen_at(const char *path);

/* Does who is at the other end have our uid, or root's? */
bool serve_is_ours(int fd);

/* --- serve-client.c ------------------------------------------------------- */

void serve_leave(struct client *c);

/* What poll() says of it, and what is due; false: it is not ours any more. */
bool serve_attend(struct serve *s, struct client *c, uint64_t now);

#endif
