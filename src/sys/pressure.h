/*
 * pressure.h - how long tasks wait for memory (PSI), and who is told of it
 *
 * Floor 2 (sys).  May use: base.  Used by: the library's sensor, `heaptide
 * run`.
 * Contexts: not from inside malloc; allocates nothing, leaves errno alone.
 * Errors: 0 or a negative errno value.
 *
 * Two things of one name.  PSI is what the kernel counts: the time in which
 * some, or all, tasks of a group waited for memory.  It comes late where there
 * is no swap (budget: 0 us before the kill), so it raises a state and never
 * makes one.  The protocol is systemd's (systemd.io/MEMORY_PRESSURE): a program
 * finds in MEMORY_PRESSURE_WATCH a file to wait for, and what to write into it
 * in MEMORY_PRESSURE_WRITE; it frees what it can when that becomes ready.
 */
#ifndef SYS_PRESSURE_H
#define SYS_PRESSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/proc.h"

#define PRESSURE_WATCH "MEMORY_PRESSURE_WATCH"
#define PRESSURE_WRITE "MEMORY_PRESSURE_WRITE"

/* --- PSI ------------------------------------------------------------------ */

#define PRESSURE_SYSTEM "/proc/pressure/memory"

struct pressure_line {
	uint32_t avg10;    /* of the last 10 s, in hundredths of a percent */
	uint64_t total_us; /* since the group, or the machine, began */
};

struct pressure {
	struct pressure_line some; /* at least one task waited */
	struct pressure_line full; /* all did */
};

/*
 * Read PRESSURE_SYSTEM, or a group's file (cgroup_pressure_path(), and then
 * @root is "").  @root stands before @path: "" but for a tree made by a test.
 *
 * Return: 0; -ENOENT, -EOPNOTSUPP: the kernel does not count it; -ENODATA: it
 * is no such file; -ENAMETOOLONG.  @pressure is written on success only.
 */
int pressure_read(const char *root, const char *path,
    struct pressure *pressure);

/*
 * The share of the time between two readings that was waited for, in
 * millionths; 0 if no time went by, or it is another group's.
 */
uint64_t pressure_share(const struct pressure_line *before,
    const struct pressure_line *now, uint64_t ns);

/*
 * Is PRESSURE_SYSTEM about the machine as a whole?  It counts who waits in a
 * group with a limit of its own as well, however much there is beside that: so,
 * only while less than a quarter of all can be had.
 */
bool pressure_is_common(const struct proc_memory *memory);

/* --- to be told ----------------------------------------------------------- */

struct pressure_client {
	int fd;       /* to wait for; -1: none */
	short events; /* for poll(): POLLIN, or POLLPRI of a kernel's file */
};

#define PRESSURE_WRITE_MOST 512 /* bytes that are written, decoded */

/*
 * Open what the two variables say; @write may be NULL.  A fifo or a socket is
 * waited for with POLLIN, a file of the kernel's with POLLPRI.
 *
 * Return: 0; -ENODEV: it is /dev/null, which means: do not watch; -EBADF: it is
 * of no kind that can be watched; -EINVAL: @write is no base64, or too long;
 * or what the kernel says.
 */
int pressure_client_open(struct pressure_client *client, const char *watch,
    const char *write);

/*
 * It became ready: take what is there, so that poll() waits again.  1: there is
 * pressure; 0: it was a false alarm; -EPIPE: nobody will write any more, and it
 * is to be closed.
 */
int pressure_client_take(struct pressure_client *client);

void pressure_client_close(struct pressure_client *client);

/* --- to tell -------------------------------------------------------------- */

#define PRESSURE_PATH_ROOM 4096

/*
 * A fifo for the programs that are started.  A byte wakes all that wait for it;
 * who reads first has it, and who did not wait at that moment is not told.
 */
struct pressure_server {
	int fd; /* -1: not open */
	char path[PRESSURE_PATH_ROOM];
};

/* Make the fifo, for the user alone; not yet open, so no child inherits it. */
int pressure_server_make(struct pressure_server *server, const char *path);

/* Open it for as long as programs may wait at it. */
int pressure_server_open(struct pressure_server *server);

/* There is pressure.  0 also if nobody has taken what was said before. */
int pressure_server_notify(const struct pressure_server *server);

void pressure_server_close(struct pressure_server *server);

#endif
