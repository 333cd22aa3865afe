/*
 * cmd-serve.c - `heaptide serve`: all processes of this user, over HTTP
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "cmd/commands.h"
#include "say/option.h"
#include "say/print.h"
#include "say/signals.h"
#include "web/web.h"

#define PORT_USUAL 9464
#define FILES_MOST 4096 /* descriptors: connections, and some for children */
#define BACKLOG    512

struct serve_options {
	const char *listen, *http;
	const char *token_file;
	struct option_list names;
	uint64_t interval;
};

static const struct serve_options serve_defaults = {
	.interval = NS_PER_S,
};

#define AT(member) .at = offsetof(struct serve_options, member)

static const struct option_row serve_rows[] = {
	{ .name = "listen", .letter = 'l', .kind = OPTION_TEXT, AT(listen),
	  .word = "ADDR:PORT", .help = "where to listen (127.0.0.1:9464); "
	  "port 0: any that is free" },
	{ .name = "http", .kind = OPTION_TEXT, AT(http), .word = "ADDR:PORT",
	  .help = "the same" },
	{ .name = "token-file", .kind = OPTION_TEXT, AT(token_file),
	  .word = "FILE", .help = "who asks must know what stands in FILE" },
	{ .name = "host", .kind = OPTION_LIST, AT(names), .word = "NAME",
	  .help = "a name that clients may know this server by" },
	{ .name = "interval", .letter = 'i', .kind = OPTION_DURATION,
	  AT(interval), .word = "T", .least = 100 * NS_PER_MS,
	  .most = NS_PER_HOUR,
	  .help = "time from one event to the next (1s)" },
	{ .name = NULL }
};

/* --- what is asked for ---------------------------------------------------- */

static bool
read_options(const struct serve_options *o, struct web_options *w)
{
	const char *text = o->listen != NULL ? o->listen : o->http;

	if (o->listen != NULL && o->http != NULL) {
		print_error("serve: --http is another name of --listen; one of "
		    "them is accepted");
		return false;
	}
	*w = (struct web_options){
		.at = { .name = "127.0.0.1", .port = PORT_USUAL },
		.names = &o->names,
		.interval_ns = o->interval,
	};
	if (text != NULL && !web_parse_listen(text, &w->at)) {
		print_error("serve: --%s '%s' is not accepted; ADDR:PORT is, "
		    "as 127.0.0.1:9464, [::1]:0 or 9464",
		    o->listen != NULL ? "listen" : "http", text);
		return false;
	}
	if (text != NULL && !w->at.has_port)
		w->at.port = PORT_USUAL;
	return true;
}

/* --- the token ------------------------------------------------------------ */

static bool
is_token(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' ||
		    strchr("\",;\\", text[i]) != NULL)
			return false;
	return length >= WEB_TOKEN_LEAST;
}

/* An exit status. */
static int
read_token(const char *path, char token[WEB_TOKEN_ROOM])
{
	FILE *in = fopen(path, "re");

	if (in == NULL || fgets(token, WEB_TOKEN_ROOM, in) == NULL)
		token[0] = '\0';
	if (in == NULL || ferror(in)) {
		print_error("serve: --token-file %s cannot be read: %s", path,
		    strerror(errno));
		if (in != NULL)
			fclose(in);
		return COMMAND_FAILED;
	}
	fclose(in);
	token[strcspn(token, "\r\n")] = '\0';
	if (is_token(token))
		return COMMAND_DONE;
	print_error("serve: --token-file %s has no token in its first line; "
	    "16 to 254 letters, digits and signs are accepted, but for blanks "
	    "and \" , ; \\", path);
	return COMMAND_FAILED;
}

/* An exit status. */
static int
make_token(char token[WEB_TOKEN_ROOM])
{
	unsigned char bytes[24];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
		print_error("serve: no random bytes for a token: %s",
		    strerror(errno));
		return COMMAND_FAILED;
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	return COMMAND_DONE;
}

/* --- the socket ----------------------------------------------------------- */

static bool
is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return address->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* What it has become: a port that was 0, a name that was resolved. */
static bool
look_at(int fd, struct web_host *at)
{
	struct sockaddr_storage address = { 0 };
	socklen_t bytes = sizeof(address);
	char port[16];

	if (getsockname(fd, (struct sockaddr *)&address, &bytes) < 0 ||
	    getnameinfo((struct sockaddr *)&address, bytes, at->name,
	    sizeof(at->name), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	at->port = (uint16_t)strtoul(port, NULL, 10);
	at->is_address = true;
	at->is_loopback = is_loopback(&address);
	return true;
}

static int
listen_at(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	const int yes = 1;
	int error;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* Said, if it is negative. */
static int
open_listener(struct web_host *at)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	char port[16];
	int r, fd = -ENOENT;

	snprintf(port, sizeof(port), "%u", at->port);
	r = getaddrinfo(at->name, port, &hints, &found);
	if (r != 0) {
		print_error("serve: cannot listen on '%s': %s", at->name,
		    gai_strerror(r));
		return -1;
	}
	for (const struct addrinfo *a = found; a != NULL && fd < 0;
	    a = a->ai_next)
		fd = listen_at(a);
	freeaddrinfo(found);
	if (fd == -EADDRINUSE)
		print_error("serve: port %u of %s is in use; --listen takes "
		    "another, or port 0 for any", at->port, at->name);
	else if (fd < 0)
		print_error("serve: cannot listen on %s port %u: %s",
		    at->name, at->port, strerror(-fd));
	if (fd < 0 || look_at(fd, at))
		return fd;
	print_error("serve: the address of the socket is not known: %s",
	    strerror(errno));
	close(fd);
	return -1;
}

/* --- around it ------------------------------------------------------------ */

/* Those that end us; who asks and goes away does not. */
static int
open_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	signals_add(&set, SIGINT);
	signals_add(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
take_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur >= FILES_MOST)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_MOST ? limit.rlim_max :
	    FILES_MOST;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* sd_notify(3), where a service manager waits for it. */
static void
say_ready(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = path != NULL ? strlen(path) : 0;
	int fd;

	if (length < 2 || length >= sizeof(address.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, "READY=1", 7, MSG_NOSIGNAL,
	    (struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

static void
say_where(const struct web_options *o, bool made)
{
	bool v6 = strchr(o->at.name, ':') != NULL;
	const char *open = v6 ? "[" : "", *close_ = v6 ? "]" : "";

	print_error("listening on http://%s%s%s:%u/", open, o->at.name,
	    close_, o->at.port);
	if (made)
		print_error("token: %s", o->token);
}

static int
serve_with(struct web_options *o, int listener, int signals, bool made)
{
	static struct web web;
	char why[MHD_WHY_ROOM];

	if (!web_open(&web, o, listener, why)) {
		print_error("serve: %s", why);
		close(listener);
		return COMMAND_FAILED;
	}
	say_where(o, made);
	say_ready();
	web_serve(&web, signals);
	web_close(&web);
	return COMMAND_DONE;
}

static int
serve_run(const void *options, int operands, char **operand)
{
	const struct serve_options *o = options;
	char token[WEB_TOKEN_ROOM] = "", why[MHD_WHY_ROOM];
	struct web_options w;
	int listener, signals, status = COMMAND_DONE;
	bool made;

	(void)operands;
	(void)operand;
	if (!read_options(o, &w))
		return COMMAND_USAGE;
	if (o->token_file != NULL)
		status = read_token(o->token_file, token);
	if (status != COMMAND_DONE)
		return status;
	if (!mhd_load(why)) {
		print_error("serve: %s", why);
		return COMMAND_FAILED;
	}
	take_files();
	listener = open_listener(&w.at);
	if (listener < 0)
		return COMMAND_FAILED;
	/* Beyond this machine nobody is let in without one. */
	made = o->token_file == NULL && !w.at.is_loopback;
	if (made)
		status = make_token(token);
	signals = open_signals();
	w.token = token[0] != '\0' ? token : NULL;
	if (status == COMMAND_DONE)
		status = serve_with(&w, listener, signals, made);
	close(signals);
	return status;
}

const struct command command_serve = {
	.name = "serve",
	.help = "show all processes over HTTP: page, REST, events, metrics",
	.rows = serve_rows,
	.defaults = &serve_defaults,
	.options_bytes = sizeof(struct serve_options),
	.run = serve_run,
};
