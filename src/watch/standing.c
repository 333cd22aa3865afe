#include "watch/standing.h"

#include <fcntl.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/proc.h"
#include "sys/sys.h"

static char paper[8192]; /* a thread's status */

static void
path_of(char path[64], int tid, const char *name)
{
	struct text t;

	text_open(&t, path, 64);
	text_put(&t, "/proc/self/task/");
	text_put_i64(&t, tid);
	text_put(&t, "/");
	text_put(&t, name);
}

/* Read at most @room - 1 bytes of a thread's file, a zero behind them. */
static bool
read_of(int tid, const char *name, char *to, size_t room)
{
	char path[64];
	ssize_t n;
	int fd;

	path_of(path, tid, name);
	fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	n = sys_read(fd, to, room - 1);
	sys_close(fd);
	to[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool
take_hex(const char **at, uint64_t *n)
{
	while (**at == ' ')
		(*at)++;
	if ((*at)[0] == '0' && (*at)[1] == 'x')
		*at += 2;
	return proc_number(at, 16, n);
}

bool
standing_read(int tid, struct standing *s)
{
	char line[256];
	const char *at = line;
	uint64_t number = 0;
	int i;

	*s = (struct standing){ .call = -1 };
	if (!read_of(tid, "syscall", line, sizeof(line)))
		return false;
	s->runs = line[0] == 'r';
	if (s->runs)
		return true;
	if (line[0] == '-') {
		at += 2;
		return take_hex(&at, &s->sp) && take_hex(&at, &s->pc);
	}
	if (!proc_number(&at, 10, &number))
		return false;
	s->call = (int64_t)number;
	for (i = 0; i < 6; i++)
		if (!take_hex(&at, &s->argument[i]))
			return false;
	return take_hex(&at, &s->sp) && take_hex(&at, &s->pc);
}

uint64_t
standing_slices(int tid)
{
	char line[96];
	const char *at = line;
	uint64_t n = 0;

	if (!read_of(tid, "schedstat", line, sizeof(line)))
		return 0;
	while (proc_number(&at, 10, &n))
		; /* it is the last one */
	return n;
}

bool
standing_status(int tid, const char *word, unsigned base, uint64_t *n)
{
	const char *at;

	if (!read_of(tid, "status", paper, sizeof(paper)))
		return false;
	at = strstr(paper, word);
	if (at == NULL)
		return false;
	at += strlen(word);
	while (*at == '\t' || *at == ' ')
		at++;
	return proc_number(&at, base, n);
}

uint64_t
standing_sleeps(int tid)
{
	uint64_t n;

	return standing_status(tid, "\nvoluntary_ctxt_switches:", 10, &n) ? n :
	    UINT64_MAX;
}
