#include "door/keeper.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/text.h"
#include "control/census.h"
#include "control/mark.h"
#include "control/series.h"
#include "control/serve.h"
#include "door/attend.h"
#include "door/inside.h"
#include "mem/segment.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define STACK_BYTES (256 * KIB)
#define TURN_MS     500
/* A look at resident memory takes at most this share of the time. */
#define COST_SHARE  100
#define WAITS_MOST  1000

enum state { KEEPER_NONE, KEEPER_RUNS, KEEPER_LEAVES };

static struct {
	_Atomic uint32_t state; /* enum state */
	struct serve *serve;
	char socket[PLACE_ROOM];
	uint64_t look_ns; /* of the next look at resident memory */
} keeper;

static void
look(struct control *c)
{
	uint64_t before = sys_clock();
	uint64_t now;

	if (before < keeper.look_ns)
		return;
	(void)census_take(c->segment, 0);
	now = sys_clock();
	keeper.look_ns = now + max_u64(NS_PER_S, (now - before) * COST_SHARE);
	series_fill(c, now);
}

/*
 * The program's threads have all ended by pthread_exit(), the first as well,
 * which stays until then.  The last one that ends takes the process along, as
 * exit(0) would; that is the keeper now.
 */
static bool
is_last(void)
{
	struct proc_stat stat;

	return proc_stat_read(0, &stat) == 0 && stat.state == 'Z' &&
	    stat.threads <= 2;
}

static void *
keep(void *unused)
{
	struct control c = inside();

	(void)unused;
	sys_name_thread("heaptide");
	while (atomic_load(&keeper.state) == KEEPER_RUNS &&
	    serve_turn(keeper.serve, TURN_MS) && !is_last()) {
		look(&c);
		attend_beside(&c, sys_clock());
	}
	serve_close(keeper.serve);
	keeper.serve = NULL;
	atomic_store(&keeper.state, KEEPER_NONE);
	return NULL;
}

static bool
begin_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, was;
	bool begun;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	(void)pthread_attr_setdetachstate(&attributes,
	    PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &was);
	begun = pthread_create(&thread, &attributes, keep, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	(void)pthread_attr_destroy(&attributes);
	return begun;
}

void
keeper_start(const char *directory, char *const *environment)
{
	const char *least = text_setting(environment, "leak.threshold_rate");
	struct control c = inside();
	struct text name;

	if (least != NULL)
		(void)control_parse_least(least, &c.least);

	text_open(&name, keeper.socket, sizeof(keeper.socket));
	text_put(&name, directory);
	text_put(&name, "/");
	text_put_i64(&name, sys_pid());
	text_put(&name, ".sock");
	if (name.cut || serve_open(&keeper.serve) < 0)
		return;
	atomic_store(&keeper.state, KEEPER_RUNS);
	if (serve_add(keeper.serve, keeper.socket, &c) == 0 && begin_thread())
		return;
	atomic_store(&keeper.state, KEEPER_NONE);
	serve_close(keeper.serve);
	keeper.serve = NULL;
}

void
keeper_end(void)
{
	uint32_t runs = KEEPER_RUNS;
	int waits;

	if (!atomic_compare_exchange_strong(&keeper.state, &runs,
	    KEEPER_LEAVES))
		return;
	serve_stop(keeper.serve);
	for (waits = 0; waits < WAITS_MOST &&
	    atomic_load(&keeper.state) != KEEPER_NONE; waits++)
		sys_yield();
	/* Whatever it is at: nobody shall come to a socket of the dead. */
	if (atomic_load(&keeper.state) != KEEPER_NONE)
		(void)sys_unlink(keeper.socket);
}

void
keeper_in_child(void)
{
	if (atomic_exchange(&keeper.state, KEEPER_NONE) != KEEPER_NONE &&
	    keeper.serve != NULL)
		serve_abandon(keeper.serve);
	keeper.serve = NULL;
}
