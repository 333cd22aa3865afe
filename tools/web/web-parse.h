/*
 * web-parse.h - what comes over the network, taken apart: headers and addresses
 *
 * Beside the house (tools/web).  May use: base, control/metrics.h.  Used by:
 * web-*.c, web.h, the fuzzer.
 *
 * Pure: no state, no I/O.  The text is anybody's.
 */
#ifndef WEB_WEB_PARSE_H
#define WEB_WEB_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/metrics.h"
#include "say/option.h"

#define WEB_NAME_ROOM 256 /* of a host's name: at most 253 bytes in DNS */

/* Where to listen, or whom a client believes to talk to. */
struct web_host {
	char name[WEB_NAME_ROOM]; /* in lower case, without brackets */
	bool is_address;          /* of IPv4 or IPv6, not a name */
	bool is_loopback;         /* 127.0.0.0/8, ::1, localhost */
	bool has_port;
	uint16_t port;
};

/* `HOST`, `HOST:PORT`, `[V6]:PORT`; false: it is none of these. */
bool web_parse_host(const char *text, struct web_host *host);

/* The same, and `PORT` or `:PORT` alone: of @host only the port is written. */
bool web_parse_listen(const char *text, struct web_host *host);

/*
 * May a client that asks for @text, its Host header, be answered?  A browser
 * is talked into asking us by a name that somebody else's DNS says is ours; an
 * address, or a name that we know, cannot be that.  @at: where we listen;
 * @names: allowed beside it.
 */
bool web_may_ask(const char *text, const struct web_host *at,
    const struct option_list *names);

/* Is the page that @origin names one that came from here?  @text: as above. */
bool web_is_same_origin(const char *origin, const char *text);

/* Compared in a time that does not tell how much of @given is right. */
bool web_is_secret(const char *secret, const char *given);

/* The token in `Bearer TOKEN`, or NULL. */
const char *web_bearer(const char *authorization);

/* Is there a cookie @name of the value @secret? */
bool web_has_cookie(const char *cookies, const char *name,
    const char *secret);

/* Of what `Accept` says, or NULL, the format that is liked most. */
enum metrics_format web_metrics_format(const char *accept);

/* Is a Content-Type @type, parameters left aside? */
bool web_is_type(const char *header, const char *type);

/* The number of an event; 0: it is none of ours. */
uint64_t web_event_number(const char *last_event_id);

#endif
