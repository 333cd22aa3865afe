/*
 * web-guard.c - who may ask, and from where: before anything is looked at; and
 * what browsers are told to guard
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "say/print.h"
#include "web/web.h"

/* --- headers, of what is asked and what is answered ----------------------- */

const char *
web_header(const struct web_exchange *e, const char *name)
{
	return mhd.lookup_connection_value(e->connection, MHD_HEADER_KIND,
	    name);
}

void
web_add_header(struct MHD_Response *response, const char *name,
    const char *value)
{
	(void)mhd.add_response_header(response, name, value);
}

/*
 * Nothing of it may be kept, framed, or taken for another type.  A page brings
 * its own policy for scripts (web-page.c), and has here what is never allowed.
 */
void
web_add_headers(struct MHD_Response *response, const char *type)
{
	bool page = strcmp(type, WEB_HTML) == 0;

	web_add_header(response, "Content-Type", type);
	web_add_header(response, "Cache-Control", "no-store");
	web_add_header(response, "X-Content-Type-Options", "nosniff");
	web_add_header(response, "X-Frame-Options", "DENY");
	web_add_header(response, "Referrer-Policy", "no-referrer");
	web_add_header(response, "Cross-Origin-Resource-Policy",
	    "same-origin");
	web_add_header(response, "Content-Security-Policy", page ?
	    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
	    "connect-src 'self'; object-src 'none'" :
	    "default-src 'none'; frame-ancestors 'none'");
	if (page)
		web_add_header(response, "Cross-Origin-Opener-Policy",
		    "same-origin");
}

/* --- who may -------------------------------------------------------------- */

static unsigned refuse(struct web_exchange *e, unsigned status,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

static unsigned
refuse(struct web_exchange *e, unsigned status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->task.why, sizeof(e->task.why), format, args);
	va_end(args);
	print_clean(e->task.why);
	return status;
}

/*
 * Without a Host it is no browser, and HTTP/1.0: of 1.1 libmicrohttpd has
 * refused it.
 */
static unsigned
check_host(struct web_exchange *e)
{
	const char *host = web_header(e, "Host");

	if (host == NULL || web_may_ask(host, &e->web->options.at,
	    e->web->options.names))
		return 0;
	return refuse(e, 403, "Host '%.64s' is not this server's; ask by its "
	    "address or by localhost, or start it with --host", host);
}

/* A page of somebody else's in a browser of the user's. */
static unsigned
check_origin(struct web_exchange *e)
{
	const char *origin = web_header(e, "Origin");
	const char *host = web_header(e, "Host");
	const char *site = web_header(e, "Sec-Fetch-Site");

	if (origin != NULL && (host == NULL ||
	    !web_is_same_origin(origin, host)))
		return refuse(e, 403, "Origin '%.64s' may not ask: only pages "
		    "of this server may", origin);
	if (site == NULL || strcasecmp(site, "same-origin") == 0 ||
	    strcasecmp(site, "none") == 0)
		return 0;
	/* A link to the page may be anywhere. */
	if (strcmp(e->request.path, "/") == 0 &&
	    e->request.method == WEB_GET)
		return 0;
	return refuse(e, 403, "pages of other sites may not ask");
}

/* /metrics is for who collects them, often a user of its own. */
static unsigned
check_user(struct web_exchange *e)
{
	if (e->line == NULL || !e->web->options.at.is_loopback ||
	    strcmp(e->request.path, "/metrics") == 0)
		return 0;
	if (!e->line->looked) {
		e->line->looked = true;
		e->line->foreign = web_is_foreign(e->line->fd);
	}
	return e->line->foreign ? refuse(e, 403, "another user of this "
	    "machine has but /metrics; with --token-file who knows the token "
	    "has all") : 0;
}

static unsigned
check_token(struct web_exchange *e)
{
	const char *token = e->web->options.token;
	const char *authorization = web_header(e, "Authorization");
	const char *cookies = web_header(e, "Cookie");
	const char *given = authorization != NULL ?
	    web_bearer(authorization) : NULL;

	if (token == NULL)
		return check_user(e);
	if (given != NULL && web_is_secret(token, given))
		return 0;
	if (cookies != NULL && web_has_cookie(cookies, e->web->cookie, token))
		return 0;
	/* The page takes it out of its address, see web-answer.c. */
	if (strcmp(e->request.path, "/") == 0)
		for (size_t i = 0; i < e->request.queries; i++)
			if (strcmp(e->request.query[i].name, "token") == 0 &&
			    web_is_secret(token, e->request.query[i].value))
				return 0;
	return refuse(e, 401, "a token is due: 'Authorization: Bearer TOKEN', "
	    "or '/?token=TOKEN' in a browser");
}

/* What a form of any page can send without asking is not taken. */
static unsigned
check_post(struct web_exchange *e)
{
	if (e->request.method != WEB_POST || e->request.is_json ||
	    web_header(e, "X-Heaptide") != NULL)
		return 0;
	return refuse(e, 415, "a body of 'Content-Type: application/json' is "
	    "accepted, or any with the header 'X-Heaptide: 1'");
}

/* Of a process that is not there, who asks for it will say so. */
unsigned
web_guard_task(struct web_exchange *e)
{
	struct stat st;
	char path[32];

	if (e->task.pid == 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d", e->task.pid);
	return stat(path, &st) < 0 || st.st_uid == geteuid() ? 0 :
	    refuse(e, 404, "there is no process %d of this user",
	    e->task.pid);
}

unsigned
web_guard(struct web_exchange *e)
{
	unsigned status = check_host(e);

	if (status == 0)
		status = check_origin(e);
	if (status == 0)
		status = check_token(e);
	if (status == 0)
		status = check_post(e);
	return status;
}
