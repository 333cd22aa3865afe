/*
 * limits.c - programs that fence themselves in, or are fenced in
 *
 * usage: limits WHAT
 *
 * user-namespace  unshare(CLONE_NEWUSER), which wants a single thread, then
 *                 setns() to a namespace of our own
 * mounts          a mount namespace, with another root by pivot_root()
 * chroot          into an empty directory, made with mkdtemp()
 * nobody          from root to user 65534
 * undumpable      PR_SET_DUMPABLE 0 and PR_SET_NO_NEW_PRIVS
 * landlock        nothing in the file system may be opened or made
 * files           no descriptor is free, and then none is allowed
 * file-size       RLIMIT_FSIZE of one page from now on
 * locked          mlockall(MCL_CURRENT | MCL_FUTURE), and what is resident
 * locked-later    MCL_FUTURE alone
 * removed DIR     remove what is in DIR, and DIR
 * space           as many blocks of 64 KiB as there are to be had
 * small-space     the same of 24 bytes
 * lowered         the same of 64 KiB, under an RLIMIT_AS that it sets itself
 * lowered-by-pid  the same by prlimit()
 * work            none of these
 *
 * Then each of them allocates and frees from here and in a child, whose ending
 * it tells.  What cannot be tried here is said on standard output.
 */
#include "account.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void
say(const char *what)
{
	if (write(1, what, strlen(what)) < 0)
		abort();
}

/* What cannot be done here says why, and the test is skipped. */
static void
may(bool worked, const char *what)
{
	if (worked)
		return;
	say("cannot ");
	say(what);
	say(": ");
	say(strerror(errno));
	say("\n");
	_exit(7);
}

/* --- work ------------------------------------------------------------------- */

static void *volatile kept[500];

static void
work(void)
{
	int i;

	for (i = 0; i < 20000; i++) {
		free(kept[i % 500]);
		kept[i % 500] = malloc((size_t)(i * 37 % 3000 + 1));
		if (kept[i % 500] == NULL)
			abort();
	}
}

static void
work_in_a_child(void)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		work();
		_exit(9);
	}
	if (waitpid(child, &status, 0) != child || status != 9 << 8)
		say("the child was harmed\n");
}

/* --- namespaces, roots, users ------------------------------------------------- */

static void
user_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY);

	may(fd >= 0, "open a namespace");
	may(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "make a user namespace");
	close(fd);
	fd = open("/proc/self/ns/net", O_RDONLY);
	may(fd >= 0 && setns(fd, CLONE_NEWNET) == 0, "enter a namespace");
	close(fd);
}

static void
mounts(void)
{
	char root[] = "root.XXXXXX";

	may(unshare(CLONE_NEWNS) == 0, "make a mount namespace");
	may(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	    "make mounts private");
	may(mkdtemp(root) != NULL, "make a directory");
	may(mount("none", root, "tmpfs", 0, "size=1m") == 0, "mount");
	may(chdir(root) == 0 && syscall(SYS_pivot_root, ".", ".") == 0,
	    "change the root");
	may(umount2(".", MNT_DETACH) == 0 && chdir("/") == 0, "leave the root");
}

static void
change_root(void)
{
	char root[] = "root.XXXXXX";

	may(mkdtemp(root) != NULL && chroot(root) == 0 && chdir("/") == 0,
	    "change the root");
}

static void
nobody(void)
{
	may(setgid(65534) == 0 && setuid(65534) == 0, "be nobody");
}

static void
undumpable(void)
{
	may(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "be undumpable");
}

static void
landlock(void)
{
	struct landlock_ruleset_attr rules = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_WRITE_FILE |
		    LANDLOCK_ACCESS_FS_READ_DIR |
		    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
		    LANDLOCK_ACCESS_FS_REMOVE_FILE,
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &rules,
	    sizeof(rules), 0);

	may(fd >= 0, "make a ruleset");
	may(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_landlock_restrict_self, fd, 0) == 0, "be restricted");
	close(fd);
}

/* --- limits ------------------------------------------------------------------- */

static void
limit(int resource, rlim_t most)
{
	struct rlimit l;

	may(getrlimit(resource, &l) == 0, "ask for a limit");
	l.rlim_cur = most;
	may(setrlimit(resource, &l) == 0, "set a limit");
}

static void
files(void)
{
	limit(RLIMIT_NOFILE, 64);
	while (dup(1) >= 0)
		;
	work_in_a_child();
	limit(RLIMIT_NOFILE, 0);
}

static void
file_size(void)
{
	limit(RLIMIT_FSIZE, 4096);
}

/* In MiB, as seen by the program; 0: not to be known. */
static long
resident(void)
{
	char text[200] = "";
	int fd = open("/proc/self/statm", O_RDONLY);
	long pages = 0;

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		sscanf(text, "%*d %ld", &pages);
	close(fd);
	return pages / 256;
}

static void
check_locked(bool current)
{
	size_t bytes = 256 << 10;
	unsigned char there[1024];
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char own[64 << 10];
	size_t i, missing = 0;

	may(at != MAP_FAILED, "map");
	if (mincore(at, bytes, there) != 0)
		abort();
	for (i = 0; i < bytes / 4096; i++)
		missing += (there[i] & 1) == 0;
	if (mincore((void *)((uintptr_t)own & ~(uintptr_t)4095),
	    sizeof(own), there) != 0)
		abort();
	for (i = 0; current && i < sizeof(own) / 4096; i++)
		missing += (there[i] & 1) == 0;
	say(missing == 0 ? "all is there\n" : "something is not there\n");
	account_say("resident_MiB", (uint64_t)resident());
}

static void
locked(void)
{
	work();
	may(mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "lock");
	work();
	check_locked(true);
}

static void
locked_later(void)
{
	may(mlockall(MCL_FUTURE) == 0, "lock");
	work();
	check_locked(false);
}

static void
remove_all(const char *directory)
{
	DIR *d = opendir(directory);
	struct dirent *e;

	for (; d != NULL && (e = readdir(d)) != NULL; )
		unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
	rmdir(directory);
}

/* How many MiB there are, in blocks of a size; they are given back. */
static void
take_all(size_t bytes)
{
	void **last = NULL;
	uint64_t sum = 0;
	void **block;

	while ((block = malloc(bytes)) != NULL) {
		*block = last;
		last = block;
		sum += malloc_usable_size(block);
	}
	for (; last != NULL; last = block) {
		block = *last;
		free(last);
	}
	account_say("MiB", sum >> 20);
}

static void
take_large(void)
{
	take_all(64 << 10);
}

static void
take_small(void)
{
	take_all(24);
}

#define LOWERED 300 /* MiB */

static const struct rlimit lowered = { LOWERED << 20, LOWERED << 20 };

static void
lower(void)
{
	may(setrlimit(RLIMIT_AS, &lowered) == 0, "limit address space");
	take_large();
}

static void
lower_by_pid(void)
{
	may(prlimit(getpid(), RLIMIT_AS, &lowered, NULL) == 0,
	    "limit address space");
	take_large();
}

static void
nothing(void)
{
}

static const struct {
	const char *name;
	void (*fence)(void);
} fences[] = {
	{ "user-namespace", user_namespace },
	{ "mounts", mounts },
	{ "chroot", change_root },
	{ "nobody", nobody },
	{ "undumpable", undumpable },
	{ "landlock", landlock },
	{ "files", files },
	{ "file-size", file_size },
	{ "locked", locked },
	{ "locked-later", locked_later },
	{ "space", take_large },
	{ "small-space", take_small },
	{ "lowered", lower },
	{ "lowered-by-pid", lower_by_pid },
	{ "removed", nothing },
	{ "work", nothing },
};

int
main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(fences) / sizeof(fences[0]); i++)
		if (strcmp(argv[1], fences[i].name) == 0) {
			if (argc > 2)
				remove_all(argv[2]);
			work();
			fences[i].fence();
			work();
			work_in_a_child();
			say("done\n");
			return 6;
		}
	return 2;
}
