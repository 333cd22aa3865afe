/*
 * family.c - a process and its children, however they are made; each says of
 * itself what it allocated
 *
 * usage: family HOW
 *
 * The account of process P goes to the file account.P, that of what it was
 * before its n-th exec to account.P.n; standard output tells nothing that
 * differs from run to run.  After a fork an account begins anew, but for what
 * was inherited: a child frees a part of it, and so does its parent.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "account.h"

extern char **environ;

#define HELD    64   /* blocks of the first process that children know */
#define THREADS 8
#define MANY    200

struct inheritance {
	uint64_t blocks, bytes;
};

static char *self;
static struct account mine;
static struct inheritance inherited;
static int images; /* this process has been so many programs before */
static char *held[HELD];

/* --- allocating, and saying so -------------------------------------------- */

/* @n blocks of ever other sizes; every third is kept. */
static void
live_on(struct account *a, int n)
{
	for (int i = 0; i < n; i++) {
		size_t bytes = 10 + (size_t)i % 500 * 7;
		char *block = account_alloc(a, malloc(bytes), bytes);

		block[0] = 1;
		if (i % 3 == 0)
			continue;
		account_free(a, block, bytes);
		free(block);
	}
}

static void
hold(void)
{
	for (size_t i = 0; i < HELD; i++)
		held[i] = account_alloc(&mine, malloc(100 + i), 100 + i);
}

/* Free those of @held from @first on, every @step-th: ours or inherited. */
static void
let_go(size_t first, size_t step)
{
	for (size_t i = first; i < HELD; i += step) {
		if (inherited.blocks == 0) {
			account_free(&mine, held[i], 100 + i);
		} else {
			inherited.blocks--;
			inherited.bytes -= malloc_usable_size(held[i]);
		}
		free(held[i]);
	}
}

static void
say(void)
{
	char name[64];
	int fd;

	if (images == 0)
		snprintf(name, sizeof(name), "account.%d", getpid());
	else
		snprintf(name, sizeof(name), "account.%d.%d", getpid(),
		    images - 1);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0)
		abort();
	close(fd);
	account_say("allocations", mine.allocations);
	account_say("allocated_bytes", mine.allocated);
	account_say("live_blocks", mine.allocations - mine.frees +
	    inherited.blocks);
	account_say("live_bytes", mine.allocated - mine.freed +
	    inherited.bytes);
}

/* In a child, first of all. */
static void
begin_anew(void)
{
	inherited.blocks += mine.allocations - mine.frees;
	inherited.bytes += mine.allocated - mine.freed;
	memset(&mine, 0, sizeof(mine));
}

/* Nothing of libc's allocates on this way out. */
static _Noreturn void
leave(int status)
{
	say();
	_exit(status);
}

/* A line of output without stdio's buffer. */
static void
tell(const char *what, int status)
{
	account_say(what, (uint64_t)status);
}

static int
await(pid_t child)
{
	int status = -1;

	if (child > 0 && waitpid(child, &status, __WALL) != child)
		abort();
	return status;
}

/* --- by forks of all kinds ------------------------------------------------ */

static pid_t
fork_by_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static pid_t
fork_by_clone3(void)
{
	/* struct clone_args of the kernel's first version */
	uint64_t arguments[8] = { [4] = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, arguments, sizeof(arguments));
}

static pid_t
fork_by_number(void)
{
#ifdef SYS_fork
	return (pid_t)syscall(SYS_fork);
#else
	return fork_by_clone();
#endif
}

static pid_t (*fork_in_this_way)(void) = fork;

/* A child that has a child, and lets go of a part of what it inherited. */
static void
divide(void)
{
	pid_t child;

	hold();
	live_on(&mine, 3000);
	child = fork_in_this_way();
	if (child == 0) {
		begin_anew();
		let_go(0, 4);
		live_on(&mine, 2000);
		child = fork_in_this_way();
		if (child == 0) {
			begin_anew();
			live_on(&mine, 1000);
			let_go(1, 4);
			leave(3);
		}
		tell("grandchild", await(child));
		leave(4);
	}
	tell("child", await(child));
	let_go(0, 2); /* the same blocks that the child has freed, and more */
	live_on(&mine, 500);
}

static void
by_fork(void)
{
	divide();
}

static void
by_clone(void)
{
	fork_in_this_way = fork_by_clone;
	divide();
}

static void
by_clone3(void)
{
	fork_in_this_way = fork_by_clone3;
	divide();
}

static void
by_number(void)
{
	fork_in_this_way = fork_by_number;
	divide();
}

static void
by__Fork(void)
{
	fork_in_this_way = _Fork;
	divide();
}

/* In a handler, which may have come in the middle of malloc's caller only. */
static void
divide_in_handler(int signal)
{
	pid_t child = fork();

	(void)signal;
	if (child == 0) {
		begin_anew();
		live_on(&mine, 1000);
		leave(5);
	}
	tell("child", await(child));
}

static void
by_handler(void)
{
	signal(SIGUSR1, divide_in_handler);
	hold();
	live_on(&mine, 1000);
	raise(SIGUSR1);
	let_go(0, 1);
	raise(SIGUSR1);
}

static void
by_many(void)
{
	pid_t child[MANY];
	int sum = 0;

	hold();
	for (int i = 0; i < MANY; i++) {
		child[i] = fork();
		if (child[i] != 0)
			continue;
		begin_anew();
		live_on(&mine, 200 + i);
		let_go(0, 3);
		leave(i % 100);
	}
	for (int i = 0; i < MANY; i++)
		sum += WEXITSTATUS(await(child[i]));
	tell("sum", sum);
	let_go(0, 1);
}

/* --- while threads allocate ----------------------------------------------- */

static volatile int stop;
static struct account theirs[THREADS];

static void *
run_thread(void *account)
{
	/* As many as can be in flight, and few enough to be forked. */
	for (int i = 0; !stop; i++) {
		size_t bytes = 10 + (size_t)i % 500 * 7;
		void *block = account_alloc(account, malloc(bytes), bytes);

		account_free(account, block, bytes);
		free(block);
	}
	return NULL;
}

static void
by_threads(void)
{
	pthread_t thread[THREADS];

	hold();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, run_thread, &theirs[i]);
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (child == 0) {
			/* What the threads held is not known to anybody. */
			begin_anew();
			live_on(&mine, 1000);
			child = fork();
			if (child == 0) {
				begin_anew();
				live_on(&mine, 500);
				leave(1);
			}
			leave(await(child) >> 8);
		}
		tell("child", await(child));
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		account_add(&mine, &theirs[i]);
	}
}

/* --- on the parent's memory ----------------------------------------------- */

static __attribute__((noinline)) pid_t
allocate_in_vfork(void)
{
	pid_t child = vfork();

	if (child == 0) {
		live_on(&mine, 700);
		_exit(6);
	}
	return child;
}

static __attribute__((noinline)) pid_t
exec_in_vfork(void)
{
	pid_t child = vfork();

	if (child == 0) {
		live_on(&mine, 300);
		execl(self, self, "leaf", (char *)NULL);
		_exit(99);
	}
	return child;
}

static void
by_vfork(void)
{
	live_on(&mine, 1000);
	tell("child", await(allocate_in_vfork()));
	live_on(&mine, 1000);
	tell("program", await(exec_in_vfork()));
	live_on(&mine, 1000);
}

/* A child whose memory is first allocated from by a child in its memory. */
static void
by_fork_and_vfork(void)
{
	pid_t child;

	live_on(&mine, 1000);
	child = fork();
	if (child == 0) {
		begin_anew();
		tell("program", await(exec_in_vfork()));
		tell("child", await(allocate_in_vfork()));
		live_on(&mine, 1000);
		leave(4);
	}
	tell("child", await(child));
}

static int
allocate_there(void *unused)
{
	(void)unused;
	live_on(&mine, 700);
	return 6;
}

static void
by_shared_memory(void)
{
	static char stack[2][256 * 1024] __attribute__((aligned(64)));
	const int flags[2] = { CLONE_VM | CLONE_VFORK | SIGCHLD,
		CLONE_VM | SIGCHLD };

	live_on(&mine, 1000);
	for (int i = 0; i < 2; i++)
		tell("child", await(clone(allocate_there,
		    stack[i] + sizeof(stack[i]), flags[i], NULL)));
	live_on(&mine, 1000);
}

/* --- by libc's ways to start a program ------------------------------------ */

static void
by_posix_spawn(void)
{
	char leaf[] = "leaf";
	char *arguments[] = { self, leaf, NULL };
	pid_t child = -1;

	live_on(&mine, 1000);
	tell("error", posix_spawn(&child, self, NULL, NULL, arguments,
	    environ));
	tell("child", await(child));
}

static void
by_system(void)
{
	char command[4096];

	live_on(&mine, 1000);
	snprintf(command, sizeof(command), "%s leaf; exit $?", self);
	tell("child", system(command));
}

/* popen() itself allocates, and that is not known here. */
static void
by_popen(void)
{
	char command[4096];
	FILE *f;

	snprintf(command, sizeof(command), "%s leaf >&2; exit $?", self);
	f = popen(command, "r");
	tell("child", pclose(f));
	mine.allocations = 0;
}

static void
be_leaf(void)
{
	hold();
	live_on(&mine, 1500);
	let_go(0, 2);
	leave(7);
}

/* --- one process, several programs ---------------------------------------- */

static void
become(const char *what)
{
	live_on(&mine, 400 * (images + 1));
	images++;
	say();
	execl(self, self, what, (char *)NULL);
	_exit(99);
}

static void
by_exec(void)
{
	become("second");
}

static void
be_second(void)
{
	images = 1;
	become("third");
}

static void *
exec_in_thread(void *unused)
{
	execl(self, self, "leaf", (char *)NULL);
	return unused;
}

static void
be_third(void)
{
	pthread_t thread;

	/* What a thread costs is libc's affair, so there is no account. */
	pthread_create(&thread, NULL, exec_in_thread, NULL);
	pthread_join(thread, NULL);
}

/* --- daemons -------------------------------------------------------------- */

static void
close_everything(int how)
{
	int fd;

	for (fd = 0; how == 0 && fd < 1024; fd++)
		close(fd);
	if (how == 1)
		closefrom(0);
	for (fd = 0; fd < 3; fd++)
		open("/dev/null", O_RDWR);
	/* And whatever number might be somebody's is now ours. */
	for (fd = 3; fd < 64; fd++)
		dup2(0, fd);
}

/* By two forks, and goes to work when nobody is left above it. */
static void
be_daemon(int how)
{
	pid_t parent;

	if (fork() != 0)
		leave(0);
	begin_anew();
	setsid();
	live_on(&mine, 10);
	parent = getpid();
	if (fork() != 0)
		leave(0);
	begin_anew();
	while (getppid() == parent)
		usleep(1000);
	close_everything(how);
	/* Enough for its profile to grow, several times. */
	for (int i = 0; i < 200; i++)
		live_on(&mine, 500);
	let_go(0, 2);
	close_everything(how);
	leave(8);
}

static void
by_daemon(void)
{
	int status;

	/* What has lost its parent comes to us, so we know when all is over. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	hold();
	for (int how = 0; how < 2; how++) {
		pid_t child = fork();

		if (child == 0) {
			begin_anew();
			live_on(&mine, 100);
			be_daemon(how);
		}
		tell("child", await(child));
	}
	while (wait(&status) > 0)
		if (WEXITSTATUS(status) != 0)
			tell("daemon", status);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = {
		{ "fork", by_fork },
		{ "clone", by_clone },
		{ "clone3", by_clone3 },
		{ "SYS_fork", by_number },
		{ "_Fork", by__Fork },
		{ "handler", by_handler },
		{ "many", by_many },
		{ "threads", by_threads },
		{ "vfork", by_vfork },
		{ "fork-vfork", by_fork_and_vfork },
		{ "shared-memory", by_shared_memory },
		{ "posix_spawn", by_posix_spawn },
		{ "system", by_system },
		{ "popen", by_popen },
		{ "exec", by_exec },
		{ "second", be_second },
		{ "third", be_third },
		{ "leaf", be_leaf },
		{ "daemon", by_daemon },
	};

	self = argv[0];
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (argc == 2 && strcmp(argv[1], ways[i].name) == 0) {
			ways[i].run();
			images = 0;
			leave(0);
		}
	return 2;
}
