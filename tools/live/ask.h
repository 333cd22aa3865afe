/*
 * ask.h - put a request to a process with heaptide inside
 *
 * Beside the house (tools/live).  May use: base, sys, control, shelf, print.
 * Used by: cmd-*.c that look at or steer what is running.
 *
 * The socket of the process is asked if somebody serves it.  Where nobody does,
 * the answer is made here: it is the same code over the same segment.
 */
#ifndef LIVE_ASK_H
#define LIVE_ASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ASK_WHY_ROOM 512

/*
 * One request of process @pid, as in control/request.h; the answer as an
 * object, to be given back.  NULL: there is none, and @why has the sentence
 * (one line, no full stop).  A refusal is an answer, see ask_refusal().
 */
json_t *ask(int pid, const char *request, char why[ASK_WHY_ROOM]);

/* The message of an answer that is a refusal, or NULL. */
const char *ask_refusal(const json_t *answer);

/*
 * The line itself, as it came, with its newline; to be freed.  NULL as above.
 */
char *ask_line(int pid, const char *request, char why[ASK_WHY_ROOM]);

/*
 * Every line that the answer consists of, also those that come later, goes to
 * @each until it returns false, or the process has ended.  0; -1 with @why.
 */
int ask_on(int pid, const char *request, bool (*each)(void *context,
    const char *line), void *context, char why[ASK_WHY_ROOM]);

#endif
