/*
 * say.h - the library's one line to the user
 *
 * Floor 2 (sys).  May use: base.  Used by: door only; other floors return
 * what they found out.
 * Contexts: anywhere; neither allocates nor waits, leaves errno alone.
 */
#ifndef SYS_SAY_H
#define SYS_SAY_H

#include <stdint.h>

/*
 * Where lines go: a file of $HEAPTIDE_LOG, opened anew for each line, so that
 * no descriptor of ours stays in the program.  Unset or empty, lines are kept
 * to ourselves: the program's standard error is the program's.
 */
void say_set_log(const char *path);

/*
 * Say `heaptide[PID]: @what: error N; @means`, once for each @what of the
 * process.  @error is a negative errno value, told by its number; 0: none.
 */
void say_once(const char *what, int error, const char *means);

/* Say `heaptide[PID]: @what`. */
void say_line(const char *what);

/* Say `heaptide[PID]: @what: @n`, for the tests. */
void say_number(const char *what, uint64_t n);

#endif
