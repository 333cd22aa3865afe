/*
 * web-child.h - children of `heaptide serve`
 *
 * Beside the house (tools/web).  May use: base, sys.  Used by: web-look.c,
 * web-job.c.
 */
#ifndef WEB_WEB_CHILD_H
#define WEB_WEB_CHILD_H

#include <sys/types.h>

/*
 * As fork(); the child ends when we do, takes signals as anybody, and reads
 * nothing on its standard input.
 */
pid_t web_child_fork(void);

/* Close what we have open, beside 0 to 2 and these; -1: none. */
void web_child_keep_only(int a, int b);

#endif
