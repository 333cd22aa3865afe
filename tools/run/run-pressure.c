/*
 * run-pressure.c - programs that wait to be told of memory pressure are told
 *
 * By systemd's protocol, sys/pressure.h, unless somebody further out tells them
 * already.  The program is looked at whenever the run looks at its processes;
 * it is told each time that it stands at the warning line or above.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/text.h"
#include "control/limit.h"
#include "run/run.h"
#include "settings/settings.h"

extern char **environ;

void
run_offer_pressure(struct run *run)
{
	const char *given = getenv(PRESSURE_WATCH);
	char path[PRESSURE_PATH_ROOM];
	int n;

	run->pressure.fd = -1;
	run->pressure.path[0] = '\0';
	if (given != NULL && *given != '\0')
		return;
	n = snprintf(path, sizeof(path), "%s/%s.pressure", run->directory,
	    run->id);
	/* Without it, a program misses what it never was promised. */
	if (n < 0 || n >= (int)sizeof(path) ||
	    pressure_server_make(&run->pressure, path) < 0)
		return;
	setenv(PRESSURE_WATCH, path, 1);
	unsetenv(PRESSURE_WRITE);
}

/* The line from which on it is a warning, in millionths of the budget. */
static uint64_t
warning_line(void)
{
	const char *value = text_setting(environ, "warn");
	uint64_t share = 0;

	(void)text_parse_share(value != NULL ? value :
	    setting_find("warn")->fallback, &share);
	return share;
}

static uint64_t
budget_bytes(void)
{
	const char *value = text_setting(environ, "budget");
	uint64_t bytes = 0;

	/* run_configure() has made bytes of it, if there is one. */
	if (value != NULL)
		(void)text_parse_bytes(value, &bytes);
	return bytes;
}

void
run_look_at_pressure(struct run *run)
{
	struct limit limit;

	if (limit_of_pid(run->child.pid, budget_bytes(), &limit) < 0)
		return;
	run->limit = limit;
	if (run->pressure.fd < 0 || limit.bytes == LIMIT_NONE)
		return;
	if (limit.used >= limit.bytes / 1000000 * warning_line())
		(void)pressure_server_notify(&run->pressure);
}
