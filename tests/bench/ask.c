/*
 * ask.c - put requests to a control socket at a steady rate
 *
 * usage: ask SOCKET SECONDS RATE CLIENTS REQUEST...
 *
 * RATE requests a second, by turns of the list, each over the next of CLIENTS
 * connections that waits for none; 0: as many as are answered.  Prints how many
 * a second there were, and of the first of the list the median of how long the
 * answer took, the 99 % and the longest, in us.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MOST 64
#define TIMES_MOST   (8 * 1024 * 1024)

static struct client {
	int fd;
	int request;  /* that it waits for; -1: none */
	uint64_t asked;
} client[CLIENTS_MOST];

static struct pollfd polled[CLIENTS_MOST];
static uint32_t taken[TIMES_MOST]; /* us */

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int
reach(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die(path);
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
	return fd;
}

static void
ask(struct client *c, char **requests, int request)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "%s\n", requests[request]);

	c->request = request;
	c->asked = now();
	if (write(c->fd, line, (size_t)n) != n)
		die("write");
}

/* Has the answer come to its end? */
static int
hear(struct client *c)
{
	static char room[512 * 1024];
	ssize_t n = read(c->fd, room, sizeof(room));

	if (n <= 0)
		die("read");
	if (strncmp(room, "{\"ok\":false", 11) == 0) {
		fwrite(room, 1, (size_t)n, stderr);
		exit(1);
	}
	return room[n - 1] == '\n';
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	uint64_t start, end, due, t;
	double seconds, rate;
	size_t times = 0;
	long answers = 0, asked = 0;
	int clients, requests = argc - 5;

	if (requests < 1)
		return 2;
	seconds = atof(argv[2]);
	rate = atof(argv[3]);
	clients = atoi(argv[4]);
	if (clients < 1 || clients > CLIENTS_MOST)
		return 2;
	for (int i = 0; i < clients; i++) {
		client[i] = (struct client){ reach(argv[1]), -1, 0 };
		polled[i] = (struct pollfd){ client[i].fd, POLLIN, 0 };
	}
	start = now();
	end = start + (uint64_t)(seconds * 1e9);
	while ((t = now()) < end) {
		struct timespec wait = { 1, 0 };

		for (int i = 0; i < clients; i++) {
			due = rate == 0 ? 0 : start +
			    (uint64_t)((double)asked * 1e9 / rate);
			if (client[i].request < 0 && due <= t)
				ask(&client[i], argv + 5,
				    (int)(asked++ % requests));
			else if (client[i].request < 0)
				wait = (struct timespec){ 0,
					(long)((due - t) % 1000000000) };
		}
		if (ppoll(polled, (nfds_t)clients, &wait, NULL) < 0)
			die("poll");
		for (int i = 0; i < clients; i++) {
			struct client *c = &client[i];

			if (!(polled[i].revents & POLLIN) || !hear(c))
				continue;
			answers++;
			if (c->request == 0 && times < TIMES_MOST)
				taken[times++] =
				    (uint32_t)((now() - c->asked) / 1000);
			c->request = -1;
		}
	}
	qsort(taken, times, sizeof(taken[0]), compare);
	if (times == 0)
		return 1;
	printf("%.0f %u %u %u\n", (double)answers / seconds, taken[times / 2],
	    taken[times * 99 / 100], taken[times - 1]);
	return 0;
}
