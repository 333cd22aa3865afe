/*
 * held.c - threads that wait and work in all the ways that a signal could
 * disturb, and keep a strict account
 *
 * held ENOUGH: runs until there is a file ENOUGH, and then says `undisturbed`;
 * or it says what was not as it must be, and returns 1.  No call may end with
 * EINTR, none before its time, nothing may be short, and no child or signal may
 * come that is not its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIECE (256 * 1024)

static const char *enough;
static _Atomic int over, wrong;
static _Atomic uint64_t rounds[32];
static _Atomic int children_told, children_made;
static int pipes[2], sockets[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static uint64_t first_sum;

static void
say(const char *what, long value)
{
	printf("%s: %ld (%s)\n", what, value, strerror(errno));
	fflush(stdout);
	wrong = 1;
}

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- those that wait ------------------------------------------------------ */

/* Each waits for 20 ms, and must have waited that long; its result. */
static long
by_poll(void)
{
	struct pollfd none = { -1, 0, 0 };

	return poll(&none, 1, 20);
}

static long
by_nanosleep(void)
{
	struct timespec t = { 0, 20000000 };

	return nanosleep(&t, NULL);
}

static long
by_clock_nanosleep(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 20000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static long
by_select(void)
{
	struct timeval t = { 0, 20000 };

	return select(0, NULL, NULL, NULL, &t);
}

static long
by_epoll(void)
{
	static _Thread_local int fd = -1;
	struct epoll_event event;

	if (fd < 0)
		fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_wait(fd, &event, 1, 20);
}

static long
by_semaphore(void)
{
	struct timespec t;
	sem_t s;

	sem_init(&s, 0, 0);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 20000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return sem_timedwait(&s, &t) == -1 && errno == ETIMEDOUT ? 0 : -1;
}

static long
by_receive(void)
{
	char c;

	return recv(sockets[0], &c, 1, 0) == -1 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
}

static long
by_condition(void)
{
	struct timespec t;
	int r;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 20000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	pthread_mutex_lock(&mutex);
	do {
		r = pthread_cond_timedwait(&condition, &mutex, &t);
	} while (r == 0);
	pthread_mutex_unlock(&mutex);
	return r == ETIMEDOUT ? 0 : -1;
}

static const struct {
	const char *name;
	long (*wait)(void);
} waits[] = {
	{ "poll", by_poll }, { "nanosleep", by_nanosleep },
	{ "clock_nanosleep", by_clock_nanosleep }, { "select", by_select },
	{ "epoll_wait", by_epoll }, { "sem_timedwait", by_semaphore },
	{ "recv", by_receive }, { "cond_timedwait", by_condition },
};
#define WAITS (sizeof(waits) / sizeof(waits[0]))

static void *
wait_on(void *number)
{
	size_t i = (size_t)(uintptr_t)number;

	while (!over) {
		uint64_t start = now_us(), took;
		long r;

		errno = 0;
		r = waits[i].wait();
		took = now_us() - start;
		if (r != 0)
			say(waits[i].name, r);
		/* Clocks of the kernel's may differ by a tick. */
		if (took < 15000)
			say(waits[i].name, (long)took);
		rounds[i]++;
	}
	return NULL;
}

/* --- those that work ------------------------------------------------------ */

/* More than a pipe holds, each time: short, if it is interrupted. */
static void *
write_all(void *unused)
{
	char *piece = malloc(PIECE);
	uint64_t n;

	(void)unused;
	for (n = 0; !over; n++) {
		ssize_t r;

		memset(piece, (int)n, PIECE);
		r = write(pipes[1], piece, PIECE);
		if (r != PIECE)
			say("write", (long)r);
	}
	close(pipes[1]);
	free(piece);
	return NULL;
}

static void *
read_all(void *unused)
{
	unsigned char *piece = malloc(PIECE);
	uint64_t at = 0;
	ssize_t r, i;

	(void)unused;
	while ((r = read(pipes[0], piece, PIECE)) > 0)
		for (i = 0; i < r; i++, at++)
			if (piece[i] != (unsigned char)(at / PIECE))
				say("read", (long)at);
	if (r < 0)
		say("read", (long)r);
	rounds[20] = at;
	free(piece);
	return NULL;
}

static uint64_t
compute(void)
{
	uint64_t x = 88172645463325252u, sum = 0;
	double y = 1;
	int i;

	for (i = 0; i < 1000000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		sum += x;
		y = y * 1.0000001 + (double)(x & 1);
	}
	return sum ^ (uint64_t)y;
}

static void *
compute_on(void *unused)
{
	(void)unused;
	while (!over) {
		uint64_t sum = compute();

		if (sum != first_sum)
			say("sum", (long)sum);
		rounds[21]++;
	}
	return NULL;
}

static void *
allocate_on(void *seed)
{
	enum { SLOTS = 512 };
	uint64_t *slot[SLOTS] = { NULL };
	uint64_t random = (uint64_t)(uintptr_t)seed * 77 + 1;
	size_t i;

	while (!over) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		i = random >> 33 & (SLOTS - 1);
		if (slot[i] != NULL && *slot[i] != (i ^ (uintptr_t)slot[i]))
			say("content", (long)i);
		free(slot[i]);
		slot[i] = malloc(8 + (random >> 20) % 3000);
		*slot[i] = i ^ (uintptr_t)slot[i];
		rounds[22]++;
	}
	for (i = 0; i < SLOTS; i++)
		free(slot[i]);
	return NULL;
}

/* --- children ------------------------------------------------------------- */

static void
on_child(int number)
{
	(void)number;
	children_told++;
}

static void *
fork_on(void *unused)
{
	(void)unused;
	while (!over) {
		int status = -1;
		pid_t child = fork(), ended;

		if (child == 0)
			_exit(7);
		if (child < 0) {
			say("fork", child);
			break;
		}
		children_made++;
		ended = wait(&status);
		if (ended != child || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != 7)
			say("wait", ended);
		if (wait(&status) != -1 || errno != ECHILD)
			say("another child", status);
		usleep(3000);
	}
	return NULL;
}

/* A signal per child, on this thread alone, so that no other is disturbed. */
static void
block_child_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(how, &set, NULL);
}

static int
count_files(void)
{
	int n = 0, fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

int
main(int argc, char **argv)
{
	const struct timeval patience = { 0, 20000 };
	struct sigaction action = { .sa_handler = on_child,
		.sa_flags = SA_RESTART };
	pthread_t thread[32];
	size_t threads = 0, i;
	int files;

	if (argc < 2)
		return 2;
	enough = argv[1];
	first_sum = compute();
	if (pipe(pipes) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0,
	    sockets) != 0)
		return 2;
	setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	sigaction(SIGCHLD, &action, NULL);
	files = count_files();
	block_child_signal(SIG_BLOCK);
	for (i = 0; i < WAITS; i++)
		pthread_create(&thread[threads++], NULL, wait_on,
		    (void *)(uintptr_t)i);
	pthread_create(&thread[threads++], NULL, write_all, NULL);
	pthread_create(&thread[threads++], NULL, read_all, NULL);
	pthread_create(&thread[threads++], NULL, compute_on, NULL);
	pthread_create(&thread[threads++], NULL, allocate_on, (void *)1);
	pthread_create(&thread[threads++], NULL, allocate_on, (void *)2);
	pthread_create(&thread[threads++], NULL, fork_on, NULL);
	block_child_signal(SIG_UNBLOCK);
	puts("ready");
	fflush(stdout);
	while (access(enough, F_OK) != 0)
		usleep(10000);
	over = 1;
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < WAITS; i++)
		if (rounds[i] == 0)
			say("never", (long)i);
	if (rounds[20] == 0 || rounds[21] == 0 || rounds[22] == 0)
		say("no work", 0);
	/* Signals of one kind that wait are one. */
	if (children_told > children_made || children_told == 0)
		say("told of children", children_told - children_made);
	/* The writing end of the pipe has been closed, and epoll's opened. */
	if (count_files() != files)
		say("files", count_files() - files);
	if (!wrong)
		puts("undisturbed");
	return wrong;
}
