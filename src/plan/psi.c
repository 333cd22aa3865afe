#include "plan/psi.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "model/states.h"
#include "sys/cgroup.h"
#include "sys/pressure.h"
#include "sys/sys.h"

extern char **environ;

#define LOOK_NS (NS_PER_S / 2)
#define SPAN_NS (2 * NS_PER_S) /* the window of states.h, S2 */
#define LOOKS   (SPAN_NS / LOOK_NS + 1)

static struct {
	bool begun;
	char path[CGROUP_ROOM + 32]; /* of the group's PSI; "": the machine's */
	struct cgroup_memory groups; /* version 0: no group */
	struct pressure_client client; /* fd -1: none */
	dev_t device;                /* what it is; a program may close all */
	ino_t inode;                 /* descriptors, and get ours again */
	struct pressure seen[LOOKS]; /* a ring */
	uint64_t seen_ns[LOOKS];
	uint32_t looks;
	uint64_t told_ns;            /* when the client was last told */
	struct host_pressure now;
} psi;

/*
 * What systemd has us watch, MEMORY_PRESSURE_WATCH.  Not a fifo: who reads it
 * first has what is in it, and that is to be the program.
 */
static void
open_client(void)
{
	const char *watch = text_variable(environ, PRESSURE_WATCH);
	struct stat st;

	psi.client.fd = -1;
	if (watch == NULL || *watch == '\0' || sys_stat(watch, &st) < 0 ||
	    S_ISFIFO(st.st_mode))
		return;
	if (pressure_client_open(&psi.client, watch,
	    text_variable(environ, PRESSURE_WRITE)) < 0 ||
	    sys_fstat(psi.client.fd, &st) < 0) {
		psi.client.fd = -1;
		return;
	}
	psi.device = st.st_dev;
	psi.inode = st.st_ino;
}

/* Is it still what we opened? */
static bool
has_client(void)
{
	struct stat st;

	if (psi.client.fd >= 0 && (sys_fstat(psi.client.fd, &st) < 0 ||
	    st.st_dev != psi.device || st.st_ino != psi.inode))
		psi.client.fd = -1;
	return psi.client.fd >= 0;
}

static void
begin(void)
{
	psi.begun = true;
	if (cgroup_memory_read("", 0, &psi.groups) < 0)
		psi.groups.version = 0;
	if (psi.groups.version != 2 || cgroup_pressure_path(&psi.groups,
	    psi.path, sizeof(psi.path)) < 0)
		psi.path[0] = '\0';
	open_client();
}

void
psi_in_child(void)
{
	if (psi.begun && has_client())
		pressure_client_close(&psi.client);
	memset(&psi, 0, sizeof(psi));
}

/* Somebody waits for memory: is that of any concern to us? */
static bool
is_heeded(void)
{
	struct proc_memory memory;

	return psi.path[0] != '\0' || proc_memory_read("", &memory) < 0 ||
	    pressure_is_common(&memory);
}

/* The share of the last two seconds, or of as long as it is known. */
static void
measure(uint64_t now_ns)
{
	uint32_t at = psi.looks % LOOKS;
	uint32_t from = psi.looks < LOOKS ? 0 : (at + 1) % LOOKS;
	uint64_t ns;

	if (pressure_read("", psi.path[0] != '\0' ? psi.path :
	    PRESSURE_SYSTEM, &psi.seen[at]) < 0)
		return;
	psi.seen_ns[at] = now_ns;
	psi.looks++;
	ns = now_ns - psi.seen_ns[from];
	psi.now.some = (double)pressure_share(&psi.seen[from].some,
	    &psi.seen[at].some, ns) / 1e6;
	psi.now.full = (double)pressure_share(&psi.seen[from].full,
	    &psi.seen[at].full, ns) / 1e6;
	if (psi.now.some > 0 && !is_heeded())
		psi.now.some = psi.now.full = 0;
}

/* Was it told, lately?  Then it is as some waiting is. */
static bool
is_told(uint64_t now_ns)
{
	struct pollfd p;

	if (!has_client())
		return false;
	p.fd = psi.client.fd;
	p.events = psi.client.events;
	p.revents = 0;
	if (sys_poll(&p, 1) > 0) {
		switch (pressure_client_take(&psi.client)) {
		case 1:
			psi.told_ns = now_ns;
			break;
		case -EPIPE:
			pressure_client_close(&psi.client);
			psi.client.fd = -1;
		}
	}
	return psi.told_ns != 0 && now_ns - psi.told_ns < SPAN_NS;
}

int
psi_look(struct host_pressure *pressure)
{
	uint64_t now_ns = sys_clock();
	struct cgroup_events events;
	uint32_t last = (psi.looks + LOOKS - 1) % LOOKS;

	if (!psi.begun)
		begin();
	if (psi.looks == 0 || now_ns - psi.seen_ns[last] >= LOOK_NS) {
		measure(now_ns);
		if (psi.groups.version != 0 && cgroup_events_read(&psi.groups,
		    0, &events) == 0)
			psi.now.events = events.high + events.max;
	}
	*pressure = psi.now;
	if (is_told(now_ns) && pressure->some < STATES_SOME)
		pressure->some = STATES_SOME;
	return 0;
}
