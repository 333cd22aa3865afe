/*
 * advise.h - what should be changed about a program's memory, with names
 *
 * Beside the house (tools/ops).  May use: base, control, reader, symbol,
 * telling, print, json, settings.  Used by: cmd-recommend.c, account.h,
 * summary.c, report-text.c, page-json.c.
 *
 * control/counsel.h has the facts, the sentences and the settings; advise.c
 * adds who a site is, advise-write.c makes a configuration of it.
 */
#ifndef OPS_ADVISE_H
#define OPS_ADVISE_H

#include <jansson.h>
#include <stdbool.h>

#include "control/counsel.h"
#include "profile/reader.h"
#include "say/print.h"
#include "symbols/symbol.h"

struct advised {
	const struct profile *profile; /* NULL: of a run, by its file */
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

/* Of facts that are from no profile, and so without sites. */
void advise_open_of(struct advised *a, const struct advice_facts *facts,
    const char *source, const char *subject);

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
void advise_print_of(const struct advised *a, const struct print *out,
    unsigned column);

/* All of it, a list of objects. */
json_t *advise_json_all(const struct advised *a);

/* --- advise-write.c ------------------------------------------------------- */

/*
 * Write a configuration file to @path, which must not be there yet, with the
 * reason above each line.  @whom: "the process 4711: prog", "the run x-5f3c".
 * An exit status; what went wrong is said by
 * `heaptide recommend`.
 */
int advise_write(const struct advised *a, const char *path,
    const char *whom);

#endif
