/*
 * advise.h - what should be changed about a program's memory, with names
 *
 * Beside the house (tools).  May use: base, control, reader, symbol, telling,
 * print, json, settings.  Used by: cmd-recommend.c, cmd-analyze.c, summary.c,
 * report.c.
 *
 * control/counsel.h has the facts, the sentences and the settings; advise.c
 * adds who a site is, advise-write.c makes a configuration of it.
 */
#ifndef TOOLS_ADVISE_H
#define TOOLS_ADVISE_H

#include <jansson.h>
#include <stdbool.h>

#include "control/counsel.h"
#include "print.h"
#include "reader.h"
#include "symbol.h"

struct advised {
	const struct profile *profile;
	struct symbols *symbols; /* NULL: no advice is about a site */
	struct control control;
	struct counsel *counsel;
};

/*
 * @subject: how the user called the profile.  Both must outlive what is
 * advised.
 */
void advise_open(struct advised *a, const struct profile *profile,
    const char *subject);
void advise_close(struct advised *a);

/* The sentence and the setting, names in them. */
char *advise_text(const struct advised *a, const struct advice *advice,
    char text[COUNSEL_TEXT_ROOM]);
char *advise_setting(const struct advised *a, const struct advice *advice,
    char setting[COUNSEL_SETTING_ROOM]);

/* Id, severity, operation, sentence, numbers, setting, key, site. */
json_t *advise_json(const struct advised *a, const struct advice *advice);

/* The strongest that asks for a change, else NULL. */
const struct advice *advise_first(const struct advised *a);

/*
 * `R-BATCH: load: of 100 batches ...; set ...`: lines in a summary, for the
 * strongest that ask for a change; if none does, that all is well, if it is.
 */
void advise_print(const struct profile *profile, const char *subject,
    const struct print *out, unsigned column);

/* --- advise-write.c ------------------------------------------------------- */

/*
 * Write a configuration file to @path, which must not be there yet, with the
 * reason above each line.  An exit status; what went wrong is said by
 * `heaptide recommend`.
 */
int advise_write(const struct advised *a, const char *path);

#endif
