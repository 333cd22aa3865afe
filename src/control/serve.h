/*
 * serve.h - the control sockets of one or many processes, and who asks there
 *
 * Floor 7 (control).  May use: base, model, sys, control.  Used by: `heaptide
 * run` for its tree, a thread of the library where nobody else does it.
 * Contexts: one thread, which is not inside malloc; only serve_stop() may be
 * called by another.  Allocates nothing; its memory is one mapping.
 *
 * Who asks is not trusted with anything but their turn: of another user they
 * are not heard; a line is bounded, and so is what waits to be read by a
 * client; of more than SERVE_CLIENTS the one goes that has been silent longest,
 * or else the newest.
 */
#ifndef CONTROL_SERVE_H
#define CONTROL_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "control/control.h"
#include "control/request.h"

#define SERVE_CLIENTS 64

struct serve;

/*
 * The address of a socket, however long the path: of a long one the directory
 * is opened, @directory is its descriptor, to be closed after use; else -1.
 * 0, or a negative errno value.
 */
int serve_address(const char *path, struct sockaddr_un *address,
    int *directory);

/* 0, or -ENOMEM, -EMFILE. */
int serve_open(struct serve **serve);

/* All sockets are closed and removed, all clients left. */
void serve_close(struct serve *s);

/* The same in a forked child, to which the sockets do not belong. */
void serve_abandon(struct serve *s);

/*
 * Listen at @path for who asks about the process of @c, which is given over:
 * control_close() is called in the end.  0, or a negative errno value; then
 * @c is the caller's as before.
 */
int serve_add(struct serve *s, const char *path, const struct control *c);

/* Is the process @pid listened for? */
bool serve_has(const struct serve *s, int pid);

/* Processes that have ended are no longer served.  How many still are. */
size_t serve_sweep(struct serve *s);

/*
 * Serve whoever asks, for @wait_ms or until serve_stop().  False: a descriptor
 * is not ours any more, somebody has closed it; then there is only
 * serve_close().
 */
bool serve_turn(struct serve *s, int wait_ms);

/* The turn ends now.  Async-signal-safe. */
void serve_stop(struct serve *s);

/* A descriptor that the turn shall end for when it can be read; -1: none. */
void serve_watch(struct serve *s, int fd);

#endif
