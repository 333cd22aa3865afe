#include "watch/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "sys/proc.h"
#include "sys/sys.h"
#include "watch/standing.h"
#include "watch/way.h"

/* Who does not come in this time is not waited for. */
#define PATIENCE_NS (20 * NS_PER_MS)
/* After this time nobody else is asked: the first are being held. */
#define ASKING_NS   (10 * NS_PER_MS)
#define PAGE_BYTES  4096
#define CODE_BYTES  16 /* that are looked at in front of where it stands */
#define LATE_MOST   256
/* A signal's frame, with all registers that there are, and what we call. */
#define FRAME_ROOM  (16 * KIB)

static struct {
	struct hold *hold; /* made once, for good: a handler may come late */
	uint64_t mask;     /* the caller's, of signals */
	uint64_t ask_until; /* UINT64_MAX: nobody was asked */
	struct sys_action was;
	int number;        /* of the signal that our handler is there for; 0 */
	/*
	 * Threads to which the signal is still on its way.  It has ended their
	 * calls perhaps, so they must find the handler, which mends that.
	 */
	_Atomic int32_t late[LATE_MOST];
	bool crowded;      /* and more, of whom nobody knows */
} hold;

#if ARCH_CAN_HOLD
/* --- in the thread that is held ------------------------------------------- */

static uint64_t
mask_of(const ucontext_t *context)
{
	uint64_t mask;

	memcpy(&mask, &context->uc_sigmask, sizeof(mask));
	return mask;
}

static struct hold_thread *
find_thread(struct hold *h, int tid)
{
	uint32_t i;

	for (i = 0; i < h->count; i++)
		if (h->thread[i].tid == tid)
			return &h->thread[i];
	return NULL;
}

/*
 * The thread may have been about to write, and some of it is written: then the
 * rest is, too.  Where it was not, but has just got that result all the same,
 * it may as well have got this one.
 */
static void
write_rest(ucontext_t *context)
{
	uint64_t a[6];
	long done, call = arch_short_call(context, a, &done);
	long r = 1;

	if (call != SYS_write && call != SYS_sendto)
		return;
	(void)sys_signal_mask(mask_of(context), NULL);
	while (done > 0 && (uint64_t)done < a[2] && r > 0) {
		r = sys_pass(call, (long)a[0], (long)a[1] + done,
		    (long)a[2] - done, (long)a[3], (long)a[4], (long)a[5]);
		if (r > 0)
			arch_set_result(context, done += r);
	}
}

/*
 * The interrupted call gives what it would have given.  @call, @pc, @way: where
 * the thread stood when it was asked.
 *
 * The kernel keeps what restart_syscall(2) goes on with until the handler is
 * left; a handler of the program's that comes in between ends it as it would
 * have ended the call.
 */
static void
mend(int64_t call, uint64_t pc, enum way way, ucontext_t *context)
{
	uint64_t at;

	/* The page before may not be there. */
	if (arch_interrupted(context).pc % PAGE_BYTES < CODE_BYTES)
		return;
	at = arch_ended_call(context);
	if (at == 0) {
		write_rest(context);
		return;
	}
	if (call < 0 || pc != at) {
		/* Between our look and the signal it went into another. */
		call = arch_call_before(at);
		way = way_of(call, NULL);
	}
	if (call < 0)
		return;
	if (way != WAY_RESTART) {
		arch_call_again(context, call);
		return;
	}
	(void)sys_signal_mask(mask_of(context), NULL);
	arch_set_result(context, sys_pass(SYS_restart_syscall, 0, 0, 0, 0, 0,
	    0));
}

static void
wait_for_picture(struct hold *h, struct hold_thread *t, ucontext_t *context)
{
	uint32_t picture = atomic_load(&h->picture);
	uint32_t asked = HOLD_ASKED;
	uint64_t sp = arch_interrupted(context).sp;

	arch_registers(context, t->word);
	/* Its frame has the other registers, the wide ones among them. */
	t->sp = sp - ARCH_RED_ZONE;
	if ((uintptr_t)context < sp && sp - (uintptr_t)context < FRAME_ROOM)
		t->sp = (uintptr_t)context;
	if (!atomic_compare_exchange_strong(&t->state, &asked, HOLD_HELD))
		return;
	while (atomic_load(&h->picture) == picture)
		sys_wait_while(&h->picture, picture);
}

/* Put @to in the first place that has @from; false: there is none. */
static bool
note_late(int32_t from, int32_t to)
{
	size_t i;

	for (i = 0; i < LATE_MOST; i++) {
		int32_t there = from;

		if (atomic_compare_exchange_strong(&hold.late[i], &there, to))
			return true;
	}
	return false;
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
	struct hold *h = hold.hold;
	struct hold_thread *t = h != NULL ? find_thread(h, sys_tid()) : NULL;
	int64_t call = t != NULL ? t->call : -1;
	uint64_t pc = t != NULL ? t->pc : 0;
	enum way way = t != NULL ? (enum way)t->way : WAY_NONE;

	(void)number;
	(void)info;
	/* By now it is about another list: then it came too late. */
	if (t != NULL && atomic_load(&t->state) == HOLD_ASKED)
		wait_for_picture(h, t, context);
	note_late(sys_tid(), 0);
	mend(call, pc, way, context);
}

/* --- asking them ---------------------------------------------------------- */

static bool
blocks(int tid, int number)
{
	uint64_t mask;

	return !standing_status(tid, "\nSigBlk:", 16, &mask) ||
	    (mask >> (number - 1) & 1);
}

/* One that the program has left at its default, which is to be ignored. */
static int
free_signal(void)
{
	static const int candidates[] = { SIGURG, SIGWINCH };
	struct sys_action now;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(candidates); i++)
		if (sys_action(candidates[i], NULL, &now) == 0 &&
		    now.handler == (void *)SIG_DFL)
			return candidates[i];
	return 0;
}

/* Is the signal on its way to anybody who is still there? */
static bool
is_anybody_late(void)
{
	bool any = hold.crowded;
	int32_t tid;
	size_t i;

	for (i = 0; i < LATE_MOST; i++) {
		tid = atomic_load(&hold.late[i]);
		if (tid != 0 && sys_thread_exists(tid) == -ESRCH)
			(void)note_late(tid, 0);
		else
			any |= tid != 0;
	}
	return any;
}

/* The number of the signal; 0: nobody can be held. */
static int
install(void)
{
	const struct sys_action ours = {
		.handler = (void *)(uintptr_t)on_signal,
		.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK |
		    ARCH_ACTION_FLAGS,
		.restorer = arch_restorer,
		.mask = UINT64_MAX,
	};

	if (hold.number != 0)
		return is_anybody_late() ? 0 : hold.number;
	hold.number = free_signal();
	if (hold.number != 0 &&
	    sys_action(hold.number, &ours, &hold.was) < 0)
		hold.number = 0;
	return hold.number;
}

/* Unless the program has set one of its own meanwhile, or one is late. */
static void
uninstall(void)
{
	struct sys_action now;

	if (hold.number == 0 || is_anybody_late())
		return;
	if (sys_action(hold.number, NULL, &now) == 0 &&
	    now.handler == (void *)(uintptr_t)on_signal)
		(void)sys_action(hold.number, &hold.was, NULL);
	hold.number = 0;
}

/* A page below may be where its stack ends. */
static bool
has_room(uint64_t sp)
{
	return sp == 0 || (sys_is_readable((void *)(uintptr_t)(sp -
	    FRAME_ROOM)) && sys_is_readable((void *)(uintptr_t)(sp -
	    FRAME_ROOM / 2)));
}

/* As it was noted: asleep in one place, or at work, all the time since. */
static bool
stays(const struct hold *h, const struct hold_thread *t, bool runs)
{
	const struct hold_note *n = h->note;
	uint32_t i;

	for (i = 0; i < h->noted && n[i].tid != t->tid; i++)
		;
	if (i == h->noted)
		return false;
	return runs ? standing_sleeps(t->tid) == n[i].sleeps :
	    standing_slices(t->tid) == n[i].slices;
}

static void
ask(struct hold *h, struct hold_thread *t, const struct standing *s)
{
	enum way way = s->runs ? WAY_AGAIN : way_of(s->call, s->argument);

	if (h->number == 0 || way == WAY_NONE || blocks(t->tid, h->number) ||
	    (!s->runs && !has_room(s->sp)) || !stays(h, t, s->runs) ||
	    sys_clock() > hold.ask_until)
		return;
	if (hold.ask_until == UINT64_MAX)
		hold.ask_until = sys_clock() + ASKING_NS;
	t->way = way;
	atomic_store(&t->state, HOLD_ASKED);
	if (sys_signal_thread(t->tid, h->number) < 0)
		atomic_store(&t->state, HOLD_UNSEEN);
}

static bool
all_are_held(const struct hold *h)
{
	uint32_t i;

	for (i = 0; i < h->count; i++)
		if (atomic_load(&h->thread[i].state) == HOLD_ASKED)
			return false;
	return true;
}

static void
wait_for_all(struct hold *h)
{
	uint64_t until = sys_clock() + PATIENCE_NS;
	uint32_t asked;
	uint32_t i;

	while (!all_are_held(h) && sys_clock() < until)
		sys_yield();
	for (i = 0; i < h->count; i++) {
		if (atomic_load(&h->thread[i].state) != HOLD_ASKED)
			continue;
		/* First noted, so that the handler finds it. */
		if (!note_late(0, h->thread[i].tid))
			hold.crowded = true;
		asked = HOLD_ASKED;
		if (!atomic_compare_exchange_strong(&h->thread[i].state,
		    &asked, HOLD_UNSEEN))
			(void)note_late(h->thread[i].tid, 0);
	}
}

#else
static int
install(void)
{
	return 0;
}

static void
uninstall(void)
{
}

static void
ask(struct hold *h, struct hold_thread *t, const struct standing *s)
{
	(void)h;
	(void)t;
	(void)s;
}

static void
wait_for_all(struct hold *h)
{
	(void)h;
}
#endif

/* --- the list ------------------------------------------------------------- */

/* As getdents64() gives them. */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static void
list_one(struct hold *h, int tid, int own, uint64_t own_sp)
{
	struct hold_thread *t = &h->thread[h->count];

	if (h->count == HOLD_THREADS_MOST) {
		h->unlisted++;
		return;
	}
	*t = (struct hold_thread){ .tid = tid, .call = -1,
		.state = tid == own ? HOLD_SELF : HOLD_UNSEEN,
		.sp = tid == own ? own_sp : 0 };
	h->count++;
}

static int
list_threads(struct hold *h, uint64_t own_sp)
{
	char room[1024] __attribute__((aligned(8)));
	int own = sys_tid();
	ssize_t n, at;
	int fd;

	h->count = 0;
	h->unlisted = 0;
	fd = sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    0);
	if (fd < 0) {
		list_one(h, own, own, own_sp);
		h->unlisted = 1; /* nobody knows */
		return 0;
	}
	while ((n = sys_list(fd, room, sizeof(room))) > 0)
		for (at = 0; at < n;) {
			const struct entry *e = (const void *)(room + at);
			const char *name = e->name;
			uint64_t tid;

			if (proc_number(&name, 10, &tid))
				list_one(h, (int)tid, own, own_sp);
			at += e->bytes;
		}
	sys_close(fd);
	return (int)n;
}

/* In each control block the thread's number has the same place. */
static void
find_tid_place(struct hold *h)
{
	const char *block = __builtin_thread_pointer();
	int32_t tid = sys_tid();
	uint64_t at;

	h->control = (uintptr_t)block;
	for (at = 512; ARCH_TCB_SELF && h->tid_at == 0 && at < 1024; at += 4)
		if (*(const int32_t *)(const void *)(block + at) == tid)
			h->tid_at = at;
}

static struct hold *
open_hold(void)
{
	const uint64_t bytes = sizeof(struct hold);
	struct hold *h;

	if (hold.hold != NULL)
		return hold.hold;
	h = sys_mmap(NULL, round_up(bytes, 4096), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_error_of(h) < 0)
		return NULL;
	h->bytes = round_up(bytes, 4096);
	hold.hold = h;
	return h;
}

void
hold_in_child(void)
{
	struct hold *h = hold.hold;
	size_t i;

	/* Signals on their way were the parent's. */
	for (i = 0; i < LATE_MOST; i++)
		atomic_store(&hold.late[i], 0);
	hold.crowded = false;
	uninstall();
	hold.hold = NULL;
	if (h != NULL)
		(void)sys_munmap(h, round_up(sizeof(*h), 4096));
}

/* @again: after the picture; was it still all the time? */
static void
stand(struct hold *h, struct hold_thread *t, bool again)
{
	struct standing s;

	if (!standing_read(t->tid, &s))
		return;
	if (again) {
		if (s.runs || s.sp != t->sp || s.pc != t->pc ||
		    standing_slices(t->tid) != t->slices)
			atomic_store(&t->state, HOLD_UNSEEN);
		return;
	}
	t->call = s.call;
	t->pc = s.pc;
	ask(h, t, &s);
	if (atomic_load(&t->state) != HOLD_UNSEEN || s.runs)
		return;
	t->sp = s.sp;
	t->slices = standing_slices(t->tid);
	atomic_store(&t->state, HOLD_STILL);
}

static void
stand_all(struct hold *h, bool again)
{
	uint32_t wanted = again ? HOLD_STILL : HOLD_UNSEEN;
	uint32_t i;

	for (i = 0; i < h->count; i++)
		if (atomic_load(&h->thread[i].state) == wanted)
			stand(h, &h->thread[i], again);
}

uint32_t
hold_note(void)
{
	struct hold *h = open_hold();
	uint32_t i;

	if (h == NULL)
		return 0;
	(void)list_threads(h, 0);
	for (i = 0; i < h->count; i++)
		h->note[i] = (struct hold_note){ h->thread[i].tid,
			standing_slices(h->thread[i].tid),
			standing_sleeps(h->thread[i].tid) };
	h->noted = h->count;
	return h->count;
}

struct hold *
hold_begin(uint64_t own_sp)
{
	struct hold *h = open_hold();

	if (h == NULL || sys_signal_mask(UINT64_MAX, &hold.mask) < 0)
		return NULL;
	atomic_store(&h->ready, 0);
	(void)list_threads(h, own_sp);
	find_tid_place(h);
	h->number = h->count > 1 ? install() : 0;
	hold.ask_until = UINT64_MAX;
	stand_all(h, false);
	wait_for_all(h);
	return h;
}

void
hold_end(struct hold *h)
{
	atomic_fetch_add(&h->picture, 1);
	sys_wake_all(&h->picture);
	/* Whom those wake up was still until then; he is taken for moving. */
	stand_all(h, true);
	atomic_store(&h->ready, 1);
	uninstall();
	(void)sys_signal_mask(hold.mask, NULL);
}
