#include "web/web-parse.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* --- hosts ---------------------------------------------------------------- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
parse_port(const char *text, uint16_t *port)
{
	uint64_t n;

	if (!is_digit(*text) || text_parse_u64(text, UINT16_MAX, &n) < 0)
		return false;
	*port = (uint16_t)n;
	return true;
}

static bool
is_name_byte(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
	    c == '_';
}

/* The last dot of a whole name says the same as none. */
static bool
take_name(const char *text, size_t length, struct web_host *host)
{
	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length == 0 || length >= WEB_NAME_ROOM)
		return false;
	for (size_t i = 0; i < length; i++)
		host->name[i] = text_lower(text[i]);
	host->name[length] = '\0';
	return true;
}

static bool
classify_v4(struct web_host *host)
{
	struct in_addr v4;

	host->is_address = inet_pton(AF_INET, host->name, &v4) == 1;
	if (host->is_address)
		host->is_loopback = ntohl(v4.s_addr) >> 24 == 127;
	else
		host->is_loopback = strcmp(host->name, "localhost") == 0;
	for (const char *c = host->name; *c != '\0'; c++)
		if (!is_name_byte(*c))
			return false;
	return true;
}

static bool
classify_v6(struct web_host *host)
{
	static const unsigned char mapped[12] = {
		[10] = 0xff, [11] = 0xff
	};
	struct in6_addr v6;

	if (inet_pton(AF_INET6, host->name, &v6) != 1)
		return false;
	host->is_address = true;
	host->is_loopback = IN6_IS_ADDR_LOOPBACK(&v6) ||
	    (memcmp(&v6, mapped, sizeof(mapped)) == 0 && v6.s6_addr[12] == 127);
	return true;
}

bool
web_parse_host(const char *text, struct web_host *host)
{
	bool bracket = *text == '[';
	const char *end;

	*host = (struct web_host){ .port = 0 };
	text += bracket;
	end = text + strcspn(text, bracket ? "]" : ":");
	if (!take_name(text, (size_t)(end - text), host))
		return false;
	if (bracket && *end++ != ']')
		return false;
	if (!(bracket ? classify_v6(host) : classify_v4(host)))
		return false;
	if (*end == '\0')
		return true;
	host->has_port = true;
	return *end == ':' && parse_port(end + 1, &host->port);
}

bool
web_parse_listen(const char *text, struct web_host *host)
{
	struct web_host h;

	if (parse_port(*text == ':' ? text + 1 : text, &host->port)) {
		host->has_port = true;
		return true;
	}
	if (!web_parse_host(text, &h))
		return false;
	*host = h;
	return true;
}

static bool
is_named(const struct web_host *host, const struct option_list *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcasecmp(names->value[i], host->name) == 0)
			return true;
	return false;
}

/* Whoever came through a tunnel has another port than ours. */
bool
web_may_ask(const char *text, const struct web_host *at,
    const struct option_list *names)
{
	struct web_host host;

	if (!web_parse_host(text, &host))
		return false;
	if (host.is_loopback || strcmp(host.name, at->name) == 0 ||
	    is_named(&host, names))
		return true;
	return host.is_address && !at->is_loopback;
}

bool
web_is_same_origin(const char *origin, const char *text)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t length = strlen(schemes[i]);

		if (strncasecmp(origin, schemes[i], length) == 0)
			return strcasecmp(origin + length, text) == 0;
	}
	return false;
}

/* --- who may -------------------------------------------------------------- */

bool
web_is_secret(const char *secret, const char *given)
{
	size_t length = strlen(secret), bytes = strlen(given);
	volatile unsigned char differs = length != bytes || length == 0;

	/* As many steps as the secret is long, whatever was given. */
	for (size_t i = 0; i < length; i++)
		differs |= (unsigned char)(secret[i] ^
		    (bytes > 0 ? given[i % bytes] : 0));
	return differs == 0;
}

const char *
web_bearer(const char *authorization)
{
	if (strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	authorization += 7;
	return authorization + strspn(authorization, " ");
}

bool
web_has_cookie(const char *cookies, const char *name, const char *secret)
{
	char value[WEB_NAME_ROOM];
	size_t length = strlen(name), bytes;

	for (; *cookies != '\0'; cookies += *cookies == ';') {
		cookies += strspn(cookies, " ");
		bytes = strcspn(cookies, ";");
		if (bytes > length && cookies[length] == '=' &&
		    strncmp(cookies, name, length) == 0 &&
		    bytes - length - 1 < sizeof(value)) {
			memcpy(value, cookies + length + 1,
			    bytes - length - 1);
			value[bytes - length - 1] = '\0';
			if (web_is_secret(secret, value))
				return true;
		}
		cookies += bytes;
	}
	return false;
}

/* --- what is wanted ------------------------------------------------------- */

bool
web_is_type(const char *header, const char *type)
{
	size_t length = strcspn(header, "; \t");

	return length == strlen(type) &&
	    strncasecmp(header, type, length) == 0;
}

/* `;q=0.5` among the parameters of a range, in thousandths. */
static unsigned
quality_of(const char *range, size_t bytes)
{
	const char *end = range + bytes, *at = range;
	unsigned q = 0, scale = 1000;

	while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
		at++;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if (end - at >= 3 && (*at == 'q' || *at == 'Q') &&
		    at[1] == '=')
			break;
	}
	if (at == NULL)
		return 1000;
	for (at += 2; at < end && scale > 0; at++) {
		if (*at == '.')
			continue;
		if (!is_digit(*at))
			break;
		q += (unsigned)(*at - '0') * scale;
		scale /= 10;
	}
	return q < 1000 ? q : 1000;
}

static bool
range_is(const char *range, size_t bytes, const char *type)
{
	size_t length = strlen(type);

	return bytes >= length && strncasecmp(range, type, length) == 0 &&
	    (bytes == length || strchr("; \t", range[length]) != NULL);
}

/* Who does not ask for OpenMetrics by name gets what anybody can read. */
enum metrics_format
web_metrics_format(const char *accept)
{
	unsigned open = 0, plain = 0;

	for (; accept != NULL && *accept != '\0';
	    accept += *accept == ',') {
		size_t bytes;

		accept += strspn(accept, " \t");
		bytes = strcspn(accept, ",");
		if (range_is(accept, bytes, "application/openmetrics-text")) {
			unsigned q = quality_of(accept, bytes);

			open = q > open ? q : open;
		} else if (range_is(accept, bytes, "text/plain")) {
			unsigned q = quality_of(accept, bytes);

			plain = q > plain ? q : plain;
		}
		accept += bytes;
	}
	return open > 0 && open >= plain ? METRICS_OPENMETRICS :
	    METRICS_PROMETHEUS;
}

uint64_t
web_event_number(const char *last_event_id)
{
	uint64_t number;

	return text_parse_u64(last_event_id, UINT64_MAX - 1, &number) == 0 ?
	    number : 0;
}
