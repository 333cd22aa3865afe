/*
 * starter.c - starts a program by every function there is, from every place
 *
 * usage: starter PLACE PROGRAM      by each function in turn
 *        starter here FUNCTION PROGRAM  becomes it
 *        starter failures           what each function says of what cannot be
 *        starter many PROGRAM       500 times from one place, by vfork()
 *
 * PLACE is fork, vfork, handler (a signal's, in a child), or thread (of many,
 * with the least stack there may be).  The program gets two arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *program;
static char one[] = "one", two[] = "two words", nothing[] = "";
static char *arguments[] = { one, two, nothing, NULL };

/* --- the functions: -1 and errno, or the child's pid, or no return -------- */

static int
by_execve(void)
{
	return execve(program, arguments, environ);
}

static int
by_execv(void)
{
	return execv(program, arguments);
}

static int
by_execvp(void)
{
	return execvp(program, arguments);
}

static int
by_execvpe(void)
{
	return execvpe(program, arguments, environ);
}

static int
by_execl(void)
{
	return execl(program, "one", "two words", "", (char *)NULL);
}

static int
by_execle(void)
{
	return execle(program, "one", "two words", "", (char *)NULL, environ);
}

static int
by_execlp(void)
{
	return execlp(program, "one", "two words", "", (char *)NULL);
}

static int
by_fexecve(void)
{
	int fd = open(program, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fexecve(fd, arguments, environ);
}

static int
by_execveat(void)
{
	return execveat(AT_FDCWD, program, arguments, environ, 0);
}

/* It answers with the error itself. */
static int
spawned(int error, pid_t pid)
{
	errno = error;
	return error != 0 ? -1 : pid;
}

static int
by_posix_spawn(void)
{
	pid_t pid = -1;
	int r = posix_spawn(&pid, program, NULL, NULL, arguments, environ);

	return spawned(r, pid);
}

static int
by_posix_spawnp(void)
{
	pid_t pid = -1;
	int r = posix_spawnp(&pid, program, NULL, NULL, arguments, environ);

	return spawned(r, pid);
}

static const struct {
	const char *name;
	int (*start)(void);
	int spawns;
} functions[] = {
	{ "execve", by_execve, 0 },
	{ "execv", by_execv, 0 },
	{ "execvp", by_execvp, 0 },
	{ "execvpe", by_execvpe, 0 },
	{ "execl", by_execl, 0 },
	{ "execle", by_execle, 0 },
	{ "execlp", by_execlp, 0 },
	{ "fexecve", by_fexecve, 0 },
	{ "execveat", by_execveat, 0 },
	{ "posix_spawn", by_posix_spawn, 1 },
	{ "posix_spawnp", by_posix_spawnp, 1 },
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

/* --- the places ----------------------------------------------------------- */

static void
await(const char *name, pid_t pid)
{
	int status = -1;

	if (pid > 0 && waitpid(pid, &status, 0) != pid)
		abort();
	printf("%s: %d\n", name, status);
	fflush(stdout);
}

static __attribute__((noinline)) pid_t
start_by_fork(int (*function)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		function();
		_exit(99);
	}
	return pid;
}

static __attribute__((noinline)) pid_t
start_by_vfork(int (*function)(void))
{
	pid_t pid = vfork();

	if (pid == 0) {
		function();
		_exit(99);
	}
	return pid;
}

typedef pid_t divide(int (*function)(void));

/* In a child of its own, unless the function makes one. */
static void
start_each(divide *start_by)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		await(functions[i].name, functions[i].spawns ?
		    functions[i].start() : start_by(functions[i].start));
}

static volatile size_t now;

static void
handle(int signal)
{
	int status;
	int pid = functions[now].start();

	(void)signal;
	if (pid > 0)
		waitpid(pid, &status, 0);
	_exit(pid > 0 ? WEXITSTATUS(status) : 99);
}

static void
start_in_handlers(void)
{
	for (now = 0; now < FUNCTIONS; now++) {
		pid_t pid = fork();

		if (pid == 0)
			raise(SIGUSR1);
		await(functions[now].name, pid);
	}
}

static void *
start_each_by_vfork(void *unused)
{
	start_each(start_by_vfork);
	return unused;
}

static void *
allocate(void *stop)
{
	while (!*(volatile int *)stop)
		free(malloc(1000));
	return NULL;
}

static void
start_in_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread[4];
	int stop = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 4 * PTHREAD_STACK_MIN);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, allocate, &stop);
	pthread_create(&thread[3], &attributes, start_each_by_vfork, NULL);
	pthread_join(thread[3], NULL);
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}

/* --- what cannot be ------------------------------------------------------- */

static void
say_failures(const char *what, const char *path, char **argv)
{
	size_t i;

	program = path;
	memcpy(arguments, argv, 3 * sizeof(*argv));
	for (i = 0; i < FUNCTIONS; i++) {
		int r, error;

		errno = 0;
		r = functions[i].start();
		error = errno;
		printf("%s, %s: %d %d\n", what, functions[i].name, r > 0,
		    error);
	}
	fflush(stdout);
}

static void
fail(void)
{
	static char *words[] = { one, two, NULL };
	static const char *volatile nowhere[] = { NULL, (const char *)8 };
	static char large[8 * 1024 * 1024];
	char *argv[3];

	memcpy(argv, words, sizeof(argv));
	say_failures("no such file", "./no-such-file", argv);
	say_failures("a directory", "/", argv);
	say_failures("not executable", "./plain", argv);
	say_failures("below a file", "./plain/x", argv);
	say_failures("an orphan", "./orphan", argv);
	memset(large, 'x', sizeof(large) - 1);
	argv[1] = large;
	say_failures("too long", "/bin/true", argv);
	for (int i = 0; i < 2; i++) {
		printf("bad address: %d", execve(nowhere[i], words, environ));
		printf(" %d\n", errno);
	}
	printf("bad descriptor: %d", fexecve(77, words, environ));
	printf(" %d\n", errno);
}

/* --- many ----------------------------------------------------------------- */

/* Address space in use, in pages. */
static long
count_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (f == NULL || fscanf(f, "%ld", &pages) != 1)
		abort();
	fclose(f);
	return pages;
}

static void
start_many(void)
{
	long before = 0;

	for (int i = 0; i < 500; i++) {
		waitpid(start_by_vfork(by_execve), NULL, 0);
		if (i == 10)
			before = count_pages();
	}
	printf("more memory: %s\n",
	    count_pages() > before + 1000 ? "much" : "no");
}

int
main(int argc, char **argv)
{
	const char *place = argc > 1 ? argv[1] : "";

	setenv("HEAPTIDE_OF_ITS_OWN", "kept", 1);
	program = argc > 2 ? argv[argc - 1] : NULL;
	signal(SIGUSR1, handle);
	if (strcmp(place, "fork") == 0)
		start_each(start_by_fork);
	else if (strcmp(place, "vfork") == 0)
		start_each(start_by_vfork);
	else if (strcmp(place, "handler") == 0)
		start_in_handlers();
	else if (strcmp(place, "thread") == 0)
		start_in_thread();
	else if (strcmp(place, "failures") == 0)
		fail();
	else if (strcmp(place, "many") == 0)
		start_many();
	for (size_t i = 0; strcmp(place, "here") == 0 && i < FUNCTIONS; i++)
		if (strcmp(argv[2], functions[i].name) == 0)
			return functions[i].start();
	return 0;
}
