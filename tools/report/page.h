/*
 * page.h - a profile as one page of HTML, and as the object that is in it
 *
 * Beside the house (tools/report).  May use: base, control, report, leaks,
 * lives, ops, advise, json.  Used by: cmd-report.c.
 *
 * page.c has the template, which web/ is made into, and puts the object there;
 * page-json.c makes the object, page-paths.c its tables of sites and paths,
 * page-time.c those over time.  web/README.md is the contract of both sides.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "report/report.h"

/* --- page.c --------------------------------------------------------------- */

/*
 * The template as a fresh text.  NULL: it is not there, and a sentence in @why
 * says what is missing.
 */
char *page_template(char why[512]);

/*
 * Write @template to @to with @data in it; @served: it may ask whom it came
 * from for more.  0 or a negative errno.
 */
int page_write(FILE *to, const char *template, const json_t *data,
    bool served);

/* The page of @r into the file @path, whole or not at all; an exit status. */
int page_print(const struct report *r, const char *path);

/* --- page-json.c ---------------------------------------------------------- */

/* All that the page knows of a profile. */
json_t *page_json(const struct report *r);

/* --- page-paths.c --------------------------------------------------------- */

/* Add "strings", "frames", "paths" and "sites" to @object. */
void page_json_sites(const struct report *r, json_t *object);

/* Who has allocated there, by thread; null: all was one thread's. */
json_t *page_json_by_thread(const struct report *r);

/* --- page-time.c ---------------------------------------------------------- */

json_t *page_json_series(const struct profile *profile);
json_t *page_json_moments(const struct profile *profile);
json_t *page_json_history(const struct report *r);
json_t *page_json_lives(const struct profile *profile);
json_t *page_json_budget(const struct profile *profile);

#endif
