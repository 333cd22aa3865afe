#include "plan/shares.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "model/lease.h"
#include "plan/shares-file.h"
#include "sys/proc.h"
#include "sys/sys.h"

/* To a program in strict C, glibc gives these under names of its own. */
#ifdef O_CLOEXEC
#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW)
#else
#define OPEN_FLAGS (__O_CLOEXEC | __O_NOFOLLOW) /* glibc, in plain C99 */
#endif

/* --- a ledger ------------------------------------------------------------- */

/* A power of two: most places are of those who went already, see push(). */
static uint32_t
ring_length(uint32_t slots)
{
	uint32_t length = 1024;

	while (length < 4 * slots)
		length *= 2;
	return length;
}

size_t
shares_bytes(uint32_t slots)
{
	size_t bytes = SHARES_PAGE + ring_length(slots) * sizeof(uint64_t) +
	    slots * sizeof(struct shares_slot);

	return (size_t)round_up(bytes, SHARES_PAGE);
}

static uint64_t
pid_namespace(void)
{
	struct stat st;

	return sys_stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

static int
fill_head(struct shares_head *h, uint64_t budget, uint32_t cores,
    uint32_t slots)
{
	if (budget < SHARES_UNIT || budget > SHARES_BYTES_MOST ||
	    cores > SHARES_SLOTS_MOST || slots == 0 ||
	    slots > SHARES_SLOTS_MOST)
		return -EINVAL;
	h->magic = SHARES_MAGIC;
	h->version = SHARES_VERSION;
	h->slots = slots;
	h->cores = cores;
	h->set = h->budget = budget / SHARES_UNIT;
	h->word = word_of((int64_t)h->budget, 0, 0);
	h->name_space = pid_namespace();
	/* No place of zeroes is of such a ticket. */
	h->head = h->tail = ring_length(slots);
	return 0;
}

int
shares_format(void *at, uint64_t budget, uint32_t cores, uint32_t slots)
{
	return fill_head((struct shares_head *)at, budget, cores, slots);
}

int
shares_create(const char *path, uint64_t budget, uint32_t cores,
    uint32_t slots)
{
	struct shares_head head;
	int fd, r;

	memset(&head, 0, sizeof(head));
	r = fill_head(&head, budget, cores, slots);
	if (r < 0)
		return r;
	fd = sys_open(path, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS,
	    0600);
	if (fd < 0)
		return fd;
	/*
	 * Room is set aside, or a full disk would end whoever stores; the head
	 * is last: what has no magic is not finished.
	 */
	r = sys_fallocate(fd, 0, shares_bytes(slots));
	if (r == -EOPNOTSUPP)
		r = sys_ftruncate(fd, shares_bytes(slots));
	if (r == 0) {
		ssize_t n = sys_pwrite(fd, &head, sizeof(head), 0);

		r = n < 0 ? (int)n : n == (ssize_t)sizeof(head) ? 0 : -EIO;
	}
	sys_close(fd);
	if (r < 0)
		(void)sys_unlink(path);
	return r;
}

static int
own_key(uint64_t *key)
{
	struct proc_stat stat;
	int r = proc_stat_read(0, &stat);

	if (r == 0)
		*key = (uint64_t)(uint32_t)stat.pid << 32 |
		    (uint32_t)stat.ticks;
	return r;
}

/* @head has been seen to be that of a ledger with @slots. */
static void
set_pool(struct shares *pool, struct shares_head *head, uint32_t slots)
{
	char *start = (char *)head;

	pool->head = head;
	pool->slots = slots;
	pool->ring_mask = ring_length(slots) - 1;
	pool->ring = (uint64_t *)(void *)(start + SHARES_PAGE);
	pool->slot = (struct shares_slot *)(void *)(start + SHARES_PAGE +
	    ring_length(slots) * sizeof(uint64_t));
	pool->bytes = shares_bytes(slots);
	pool->can_write = 1;
}

static int
check_head(const struct shares_head *h, uint32_t *slots)
{
	*slots = h->slots;
	if (h->magic != SHARES_MAGIC || h->version != SHARES_VERSION ||
	    *slots == 0 || *slots > SHARES_SLOTS_MOST)
		return -EBADMSG;
	return 0;
}

static int
check_file(int fd, struct stat *st)
{
	int r = sys_fstat(fd, st);

	if (r < 0)
		return r;
	if (!S_ISREG(st->st_mode) || st->st_size < (off_t)SHARES_PAGE)
		return -EBADMSG;
	if (st->st_uid != sys_uid() || (st->st_mode & 022) != 0)
		return -EACCES;
	return 0;
}

int
shares_open(struct shares *pool, const char *path, int write)
{
	uint32_t slots = 0;
	struct stat st;
	uint64_t ours;
	void *at;
	int fd, r;

	memset(pool, 0, sizeof(*pool));
	fd = sys_open(path, (write ? O_RDWR : O_RDONLY) | OPEN_FLAGS |
	    O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	r = check_file(fd, &st);
	if (r < 0)
		goto out;
	at = sys_mmap(NULL, (size_t)st.st_size,
	    write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	r = sys_error_of(at);
	if (r < 0)
		goto out;

	r = check_head((struct shares_head *)at, &slots);
	if (r == 0 && shares_bytes(slots) != (uint64_t)st.st_size)
		r = -EBADMSG;
	/* Who has another name for the same process would bury the living. */
	ours = pid_namespace();
	if (r == 0 && write &&
	    ((struct shares_head *)at)->name_space != ours)
		r = -EXDEV;
	if (r == 0 && write)
		r = own_key(&pool->key);
	if (r < 0) {
		(void)sys_munmap(at, (size_t)st.st_size);
		goto out;
	}
	set_pool(pool, (struct shares_head *)at, slots);
	pool->can_write = write;
out:
	sys_close(fd);
	return r;
}

int
shares_use(struct shares *pool, void *at)
{
	uint32_t slots = 0;
	int r;

	memset(pool, 0, sizeof(*pool));
	r = check_head((struct shares_head *)at, &slots);
	if (r == 0)
		r = own_key(&pool->key);
	if (r == 0) {
		set_pool(pool, (struct shares_head *)at, slots);
		pool->bytes = 0;
	}
	return r;
}

void
shares_close(struct shares *pool)
{
	if (pool->bytes > 0)
		(void)sys_munmap(pool->head, pool->bytes);
	memset(pool, 0, sizeof(*pool));
}

void
shares_in_child(struct shares *pool)
{
	if (pool->head != NULL)
		(void)own_key(&pool->key);
}

/* --- a member ------------------------------------------------------------- */

/* Since a program was executed, nobody knows of what it had joined before. */
static void
give_up_former(struct shares *pool)
{
	struct shares_member former;
	uint32_t i;

	for (i = 0; i < pool->slots; i++) {
		if (shares_get(&pool->slot[i].owner) != pool->key)
			continue;
		former.pool = pool;
		former.index = i;
		shares_leave(&former);
	}
}

/* Slots are sought from where others are not likely to. */
static int
take_slot(struct shares *pool, uint32_t *index)
{
	uint32_t start = (uint32_t)(mix_u64(pool->key) % pool->slots);
	uint32_t n, i;
	uint64_t nobody;

	/* From the front, so that who looks at all has few pages to read. */
	n = shares_get32(&pool->head->members);
	if (n < pool->slots / 2)
		start %= 2 * n + 16 < pool->slots ? 2 * n + 16 : pool->slots;
	for (n = 0; n < pool->slots; n++) {
		i = (start + n) % pool->slots;
		nobody = 0;
		if (shares_get(&pool->slot[i].owner) == 0 &&
		    shares_swap(&pool->slot[i].owner, &nobody, pool->key)) {
			*index = i;
			return 0;
		}
	}
	return -ENOSPC;
}

int
shares_join(struct shares *pool, uint32_t weight, uint64_t floor, int afresh,
    struct shares_member *member)
{
	struct shares_member m;
	struct shares_slot *s;

	if (!pool->can_write)
		return -EROFS;
	if (weight == 0 || weight > SHARES_WEIGHT_MOST)
		return -EINVAL;
	if (shares_get32(&pool->head->stopped))
		return -ESHUTDOWN;
	if (afresh)
		give_up_former(pool);
	m.pool = pool;
	if (take_slot(pool, &m.index) < 0)
		return -ENOSPC;
	s = shares_slot_of(&m);
	shares_put(&s->held, 0);
	shares_put32(&s->busy, 0);
	shares_put(&s->used, 0);
	shares_put32(&s->floor, (uint32_t)shares_units(floor));
	shares_put32(&s->base_first, 0);
	shares_put32(&s->granted, 0);
	__atomic_store_n(&s->weight, (uint16_t)weight, __ATOMIC_SEQ_CST);
	(void)__atomic_fetch_add(&pool->head->members, 1, __ATOMIC_SEQ_CST);
	*member = m;
	return 0;
}

/*
 * What a member holds is to be @now.  Lower what is in all's account first if
 * it takes, last if it gives.
 */
static void
set_held(struct shares_member *member, uint64_t now)
{
	struct shares *pool = member->pool;
	struct shares_slot *s = shares_slot_of(member);
	uint64_t was = shares_get(&s->held);
	int64_t gives = (int64_t)held_sum(was) - (int64_t)held_sum(now);
	uint32_t ends = held_seat(was) && !held_seat(now);

	/* What no machine has is not believed, or `left` would overflow. */
	if (gives < 0 && word_left(shares_get(&pool->head->word)) + gives <
	    -WORD_DEPTH)
		return;
	if (was == now)
		return;
	shares_begin(member);
	if (gives < 0)
		shares_give(pool, gives, ends);
	shares_put(&s->held, now);
	if (gives >= 0)
		shares_give(pool, gives, ends);
	shares_end(member);
	if (held_base(was) != held_base(now))
		(void)shares_add(&pool->head->bases,
		    held_base(now) - held_base(was));
}

void
shares_leave(struct shares_member *member)
{
	struct shares *pool = member->pool;
	struct shares_slot *s;
	uint64_t owner;

	if (pool == NULL)
		return;
	s = shares_slot_of(member);
	owner = pool->key;
	/* Not in a child, whose parent's this is. */
	if (shares_get(&s->owner) == owner) {
		set_held(member, 0);
		(void)__atomic_fetch_sub(&pool->head->members, 1,
		    __ATOMIC_SEQ_CST);
		shares_serve(member);
		(void)shares_swap(&s->owner, &owner, 0);
	}
	member->pool = NULL;
}

/* The base as it is reported; the first is what it cannot be without. */
static uint64_t
base_of(struct shares_slot *s, uint64_t bytes)
{
	uint64_t units = shares_units(bytes);

	shares_put(&s->used, bytes);
	if (shares_get32(&s->base_first) == 0)
		shares_put32(&s->base_first, (uint32_t)units);
	return units;
}

void
shares_release(struct shares_member *member, uint64_t base)
{
	struct shares_slot *s = shares_slot_of(member);
	uint64_t units = held_base(shares_get(&s->held));

	if (base != UINT64_MAX)
		units = base_of(s, base);
	set_held(member, held_of(units, 0));
	shares_serve(member);
}

void
shares_used(struct shares_member *member, uint64_t bytes)
{
	struct shares_slot *s = shares_slot_of(member);
	uint64_t held = shares_get(&s->held);

	if (held_lease(held) > 0) {
		shares_put(&s->used, bytes);
		return;
	}
	set_held(member, held_of(base_of(s, bytes), 0));
	if (held_base(held) > shares_units(bytes))
		shares_serve(member);
}

void
shares_shrink(struct shares_member *member, uint64_t keep)
{
	struct shares_slot *s = shares_slot_of(member);
	uint64_t held = shares_get(&s->held), units = shares_units(keep);

	if (units == 0)
		units = 1;
	if (units >= held_lease(held))
		return;
	set_held(member, (held & HELD_KEPT) | held_of(held_base(held), units));
	shares_serve(member);
}

void
shares_keep(struct shares_member *member)
{
	struct shares_slot *s = shares_slot_of(member);
	uint64_t held = shares_get(&s->held);

	if (!held_seat(held))
		return;
	set_held(member, held | HELD_KEPT);
	shares_serve(member);
}

uint64_t
shares_lease(const struct shares_member *member)
{
	return held_lease(shares_get(&shares_slot_of(member)->held)) *
	    SHARES_UNIT;
}

int
shares_wish(struct shares_member *member)
{
	return __atomic_fetch_and(&shares_slot_of(member)->weight,
	    (uint16_t)WEIGHT_MASK, __ATOMIC_SEQ_CST) >> WISH_SHIFT;
}
