/*
 * ask-page.h - a request to a program that has no library inside, but a page
 *
 * Beside the house (tools/live).  May use: base, sys.  Used by: ask.c.
 */
#ifndef LIVE_ASK_PAGE_H
#define LIVE_ASK_PAGE_H

/*
 * Process @pid, if it is a static program under heaptide run (run-page.c).  Who
 * it is and how it stands is in the page alone, so all that can be asked is
 * `drain`.
 *
 * Return: a line of JSON, to be freed; NULL: there is no page of that process.
 */
char *page_ask(int pid, const char *request);

#endif
