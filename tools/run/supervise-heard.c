/*
 * supervise-heard.c - has the program heard of a signal without us?
 */
#include "run/supervise-heard.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "sys/sys.h"

#define LOOK_NS (5 * NS_PER_MS)

/* Is @signal in the set that is called @name in /proc/PID/status? */
static bool
is_in(int pid, const char *name, int signal)
{
	char path[64], line[256];
	size_t length = strlen(name);
	unsigned long long set = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, length) == 0)
			set = strtoull(line + length, NULL, 16);
	fclose(f);
	return (set & 1ULL << (signal - 1)) != 0;
}

bool
heard_is_caught(int pid, int signal)
{
	return is_in(pid, "SigCgt:", signal);
}

bool
heard_is_ignored(int pid, int signal)
{
	return is_in(pid, "SigIgn:", signal);
}

static bool
has_ended(int child)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG |
	    WNOWAIT) == 0 && info.si_pid == child;
}

bool
heard_by_itself(int program, int signal, int sender)
{
	bool near = sender != getpid() && getpgid(sender) == getpgrp();
	uint64_t until_ns = sys_clock() + HEARD_NS;

	if (!heard_is_caught(program, signal))
		return false;
	do {
		if ((near && heard_is_ignored(sender, signal)) ||
		    has_ended(program))
			return true;
		sys_sleep(LOOK_NS);
	} while (sys_clock() < until_ns);
	return false;
}
