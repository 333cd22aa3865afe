/*
 * confined.c - a program that forbids itself all system calls but its own
 *
 * usage: confined HOW WHAT
 *
 * HOW: strict   read, write and exit alone are left
 *      prctl, seccomp, libseccomp
 *               a filter of what this program needs, which kills it for any
 *               other, installed in one of the three ways there are
 *      tsync    the same for all threads, while others allocate
 *      refused  a filter that the kernel does not take
 *      guest    a child in our memory (vfork) confines itself, and not us
 *      none     nothing is forbidden
 *
 * WHAT: work    allocate 100 000 blocks of many sizes from many places, and
 *               write the account
 *       idle    the same without any allocation
 *       threads, idle-threads
 *               the same in three threads, one after another
 *       fork    the same; then a child does it, and we wait for it
 */
#include "account.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#ifdef HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

#define BLOCKS 100000
#define KEPT   1000
#define PATHS  700

static struct account account;

/* --- many places ------------------------------------------------------------ */

#define PLACES 8
#include "places.h"

PLACE(0) PLACE(1) PLACE(2) PLACE(3) PLACE(4) PLACE(5) PLACE(6) PLACE(7)

static place *const places[] = {
	place_0, place_1, place_2, place_3, place_4, place_5, place_6, place_7
};

/* --- work ------------------------------------------------------------------- */

struct kept {
	void *block;
	size_t bytes;
};

static void
give_back(struct kept *k)
{
	if (k->block == NULL)
		return;
	account_free(&account, k->block, k->bytes);
	free(k->block);
	k->block = NULL;
}

static void
work(int blocks, size_t most)
{
	static struct kept kept[KEPT];
	uint32_t random = 1;
	int i;

	for (i = 0; i < blocks; i++) {
		struct kept *k = &kept[account_random(&random) % KEPT];
		uint32_t path = account_random(&random) % PATHS;
		uint32_t shift = account_random(&random) % 12;

		give_back(k);
		k->bytes = 1 + (account_random(&random) % most >> shift);
		k->block = account_alloc(&account, places[path % PLACES](k->bytes,
		    path / PLACES), k->bytes);
	}
	for (i = 0; i < KEPT; i += 2)
		give_back(&kept[i]);
}

static void *
work_here(void *blocks)
{
	work((int)(intptr_t)blocks, 50000);
	return NULL;
}

static void
work_in_threads(intptr_t blocks)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, work_here,
		    (void *)blocks) != 0 ||
		    pthread_join(thread, NULL) != 0)
			abort();
}

static void
say(const char *what)
{
	if (write(1, what, strlen(what)) < 0)
		abort();
}

static void
work_in_a_child(void)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		work(1000, 5000);
		_exit(9);
	}
	if (waitpid(child, &status, 0) != child || status != 9 << 8)
		say("the child was harmed\n");
}

/* --- to confine oneself ----------------------------------------------------- */

/* Of this program, and of libc in its name. */
static const int needed[] = {
	SYS_write, SYS_exit, SYS_exit_group, SYS_brk, SYS_mmap, SYS_munmap,
	SYS_mremap, SYS_mprotect, SYS_madvise, SYS_futex, SYS_clone,
	SYS_clone3, SYS_rt_sigaction, SYS_rt_sigprocmask,
	SYS_set_robust_list, SYS_rseq, SYS_wait4
};

#define NEEDED (sizeof(needed) / sizeof(needed[0]))

static struct sock_filter filter[NEEDED * 2 + 2];
static struct sock_fprog program = { .filter = filter };

static void
write_filter(void)
{
	struct sock_filter *f = filter;
	size_t i;

	*f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, nr));
	for (i = 0; i < NEEDED; i++) {
		*f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		    (uint32_t)needed[i], 0, 1);
		*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
		    SECCOMP_RET_ALLOW);
	}
	*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_KILL_PROCESS);
	program.len = (unsigned short)(f - filter);
}

static void
must(bool worked, const char *what)
{
	if (!worked) {
		say(what);
		_exit(2);
	}
}

static void
by_prctl(void)
{
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0,
	    "no filter by prctl\n");
}

static void
by_seccomp(void)
{
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0,
	    "no filter by seccomp\n");
}

static void
by_strict(void)
{
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0,
	    "no strict mode\n");
}

static void
by_libseccomp(void)
{
#ifdef HAVE_LIBSECCOMP
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
	size_t i;

	for (i = 0; i < NEEDED; i++)
		must(seccomp_rule_add(context, SCMP_ACT_ALLOW, needed[i], 0) ==
		    0, "no rule\n");
	must(seccomp_load(context) == 0, "no filter by libseccomp\n");
	seccomp_release(context);
#else
	say("no libseccomp here\n");
#endif
}

/* What the kernel refuses confines nobody; the answer is the kernel's. */
static void
by_refused(void)
{
	struct sock_fprog empty = { .filter = filter, .len = 0 };

	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &empty, 0, 0) == -1 &&
	    errno == EINVAL, "not refused by prctl\n");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &empty) == -1 &&
	    errno == EINVAL, "not refused by seccomp\n");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC | 1 << 30, &program) == -1 &&
	    errno == EINVAL, "no wrong flags\n");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == -1 &&
	    errno == EFAULT, "no question\n");
}

static void
by_guest(void)
{
	int status;
	pid_t child = vfork();

	if (child == 0) {
		by_prctl();
		syscall(SYS_exit_group, 7);
	}
	must(waitpid(child, &status, 0) == child && status == 7 << 8,
	    "the guest was harmed\n");
}

static volatile int stop;
static volatile int started;

static void *
allocate_until_stopped(void *context)
{
	uint32_t random = 1 + (uint32_t)(uintptr_t)context;

	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	while (!stop)
		free(places[account_random(&random) % PLACES](
		    1 + account_random(&random) % 200000,
		    account_random(&random) % PATHS));
	return NULL;
}

static pthread_t busy[2];

static void
by_tsync(void)
{
	uintptr_t i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&busy[i], NULL, allocate_until_stopped,
		    (void *)i) != 0)
			abort();
	while (started < 2)
		;
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC, &program) == 0, "no filter for all\n");
}

static const struct {
	const char *name;
	void (*confine)(void);
} ways[] = {
	{ "strict", by_strict },
	{ "prctl", by_prctl },
	{ "seccomp", by_seccomp },
	{ "libseccomp", by_libseccomp },
	{ "tsync", by_tsync },
	{ "refused", by_refused },
	{ "guest", by_guest },
	{ "none", NULL },
};

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";
	const char *what = argc > 2 ? argv[2] : "";
	bool strict = strcmp(how, "strict") == 0;
	void *volatile first = malloc(120000);
	size_t i;

	/* To give memory back, libc opens a file of /proc in threads. */
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	/* So that a few bytes more in it are not one brk() more at its end. */
	mallopt(M_TOP_PAD, 1 << 20);
	/* The heap is there, with all that it asks once, and large enough for
	 * who may not make it grow. */
	free(first);

	write_filter();
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "privileges\n");
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(how, ways[i].name) == 0 && ways[i].confine != NULL)
			ways[i].confine();

	if (strstr(what, "threads") != NULL)
		work_in_threads(what[0] == 'i' ? 0 : BLOCKS / 3);
	else if (strcmp(what, "idle") != 0)
		work(strict ? 400 : BLOCKS, strict ? 500 : 90000);
	if (strcmp(what, "fork") == 0)
		work_in_a_child();
	stop = 1;
	for (i = 0; i < 2 && busy[i] != 0; i++)
		pthread_join(busy[i], NULL);
	account_print(&account);
	if (strict)
		syscall(SYS_exit, 4);
	return 3;
}
