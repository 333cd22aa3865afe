/*
 * measure.c - what a command costs: CPU time of it and its children, wall
 * time, the largest resident set among them
 *
 * usage: measure [-b COMMAND] RESULT [NAME=VALUE...] COMMAND...
 *
 * Runs COMMAND with the variables added and writes one line into RESULT:
 * user, system and wall seconds, the peak in KiB, the exit status.  With -b
 * the shell runs another command beside it, without the variables, which is
 * not measured.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static pid_t
start(char **command)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (; *command != NULL && strchr(*command, '=') != NULL; command++)
		putenv(*command);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

/* A shell's word for how a process ended. */
static int
status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	char *beside[] = { "sh", "-c", NULL, NULL };
	struct rusage usage;
	double began;
	pid_t other = 0;
	pid_t pid;
	int status;
	FILE *to;

	if (argc > 3 && strcmp(argv[1], "-b") == 0) {
		beside[2] = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 3)
		return 2;
	to = fopen(argv[1], "we");
	if (to == NULL)
		return 2;
	if (beside[2] != NULL)
		other = start(beside);
	began = now();
	pid = start(argv + 2);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 2;
	fprintf(to, "%.6f %.6f %.6f %ld %d\n", seconds(usage.ru_utime),
	    seconds(usage.ru_stime), now() - began, usage.ru_maxrss,
	    status_of(status));
	if (other > 0)
		waitpid(other, NULL, 0);
	return fclose(to) == 0 ? 0 : 2;
}
