/*
 * web-looker.c - the child that looks: all processes, as JSON and as metrics
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "control/census.h"
#include "control/control.h"
#include "control/metrics.h"
#include "control/request.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/sys.h"
#include "top/processes.h"
#include "web/web-look.h"

#define JUDGED_NS (5 * NS_PER_S)  /* a verdict is as good so long */
#define CENSUS_NS (10 * NS_PER_S) /* and what memory is made of */

struct looker {
	int to;
	struct processes list;
	char reply[REQUEST_REPLY_ROOM];
};

/* --- to the parent -------------------------------------------------------- */

/* Without a parent there is nothing to look for. */
static void
send_bytes(const struct looker *k, const void *bytes, size_t left)
{
	const char *at = bytes;
	ssize_t n;

	while (left > 0) {
		n = write(k->to, at, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0);
		at += n;
		left -= (size_t)n;
	}
}

static void
send_text(const struct looker *k, enum web_kind_of_look kind, int pid,
    const char *text, size_t bytes)
{
	const struct web_look_head head = {
		.kind = kind, .pid = pid, .bytes = bytes,
	};

	send_bytes(k, &head, sizeof(head));
	send_bytes(k, text, bytes);
}

/* --- JSON ----------------------------------------------------------------- */

static void
send_processes(const struct looker *k)
{
	json_t *object = processes_json(&k->list, false);
	char *text = need(json_dumps(object, JSON_COMPACT |
	    JSON_REAL_PRECISION(15)));

	send_text(k, LOOK_PROCESSES, 0, text, strlen(text));
	free(text);
	json_decref(object);
}

static bool
open_process(const struct process *p, struct control *c)
{
	return p->trouble == NULL && process_is_living(p->state) &&
	    control_open(c, p->path, p->pid) == 0;
}

/* The answer of the socket, but for its `"ok":true,` and its newline. */
static void
send_status(struct looker *k, const struct process *p)
{
	static const char ok[] = "{\"ok\":true,";
	size_t cut = sizeof(ok) - 2;
	struct control c;
	struct text t;

	if (!open_process(p, &c))
		return;
	text_open(&t, k->reply, sizeof(k->reply));
	request_line(&c, "status", 6, &t);
	control_close(&c);
	if (t.used <= cut || strncmp(k->reply, ok, sizeof(ok) - 1) != 0)
		return;
	k->reply[cut] = '{';
	send_text(k, LOOK_STATUS, p->pid, k->reply + cut, t.used - cut - 1);
}

/* --- metrics -------------------------------------------------------------- */

struct collected {
	struct metrics_facts **facts;
	size_t count;
};

static void
collect(const struct looker *k, struct collected *all)
{
	all->facts = need(calloc(k->list.count + 1, sizeof(*all->facts)));
	all->count = 0;
	for (size_t i = 0; i < k->list.count; i++) {
		const struct process *p = k->list.process[i];
		struct metrics_facts *f;
		struct control c;

		if (!open_process(p, &c))
			continue;
		f = all->facts[all->count++] = need(malloc(sizeof(*f)));
		metrics_read(&c, f);
		control_close(&c);
		if (p->judged) {
			f->leaks[0] = p->leaks.growing;
			f->leaks[1] = p->leaks.steps;
		}
	}
}

struct buffer {
	char *bytes;
	size_t used, room;
};

static void
put_bytes(void *context, const char *text, size_t bytes)
{
	struct buffer *b = context;

	if (b->room - b->used < bytes) {
		b->room = b->room * 2 + bytes + 4096;
		b->bytes = need(realloc(b->bytes, b->room));
	}
	memcpy(b->bytes + b->used, text, bytes);
	b->used += bytes;
}

static void
put_line(const struct metrics_out *out, char *line)
{
	out->put(out->context, line, strlen(line));
	free(line);
}

/* What is of no one process: how many there are in which state. */
static void
put_counts(const struct looker *k, const struct metrics_out *out,
    enum metrics_format format)
{
	size_t count[PROCESS_STATES] = { 0 }, damaged = 0;

	for (size_t i = 0; i < k->list.count; i++)
		if (k->list.process[i]->trouble != NULL)
			damaged++;
		else
			count[k->list.process[i]->state]++;
	metrics_write_head(out, format, "heaptide_processes", "gauge", NULL,
	    "Processes with heaptide inside, by state.");
	for (int i = 0; i < PROCESS_STATES; i++)
		put_line(out, need_text("heaptide_processes{state=\"%s\"} "
		    "%zu\n", process_state_names[i], count[i]));
	put_line(out, need_text("heaptide_processes{state=\"damaged\"} %zu\n",
	    damaged));
	metrics_write_head(out, format, "heaptide_build", "info", NULL,
	    "Which heaptide serves this.");
	put_line(out, need_text("heaptide_build_info{version=\"%s\"} 1\n",
	    PACKAGE_VERSION));
}

static void
send_metrics(const struct looker *k, const struct collected *all,
    enum metrics_format format, enum web_kind_of_look kind)
{
	struct buffer b = { .bytes = NULL };
	const struct metrics_out out = { put_bytes, &b };

	metrics_write(&out, format,
	    (const struct metrics_facts *const *)all->facts, all->count);
	put_counts(k, &out, format);
	metrics_write_end(&out, format);
	send_text(k, kind, 0, b.bytes, b.used);
	free(b.bytes);
}

static void
send_all_metrics(const struct looker *k, unsigned wanted)
{
	struct collected all;

	collect(k, &all);
	if (wanted & LOOK_WANT(LOOK_OPENMETRICS))
		send_metrics(k, &all, METRICS_OPENMETRICS, LOOK_OPENMETRICS);
	if (wanted & LOOK_WANT(LOOK_PROMETHEUS))
		send_metrics(k, &all, METRICS_PROMETHEUS, LOOK_PROMETHEUS);
	for (size_t i = 0; i < all.count; i++)
		free(all.facts[i]);
	free(all.facts);
}

/* --- a look --------------------------------------------------------------- */

/*
 * What its resident memory is made of.  Under `heaptide run` its supervisor
 * finds out; of one that was preloaded by hand, we do.
 */
static void
take_apart(const struct process *p, uint64_t now)
{
	const struct segment_rss *rss;
	struct control c;

	if (!open_process(p, &c))
		return;
	rss = &c.segment->rss[RSS_LAST];
	if (above_u64(now, rss->at_ns) > CENSUS_NS &&
	    census_may(c.segment, c.bytes))
		(void)census_take(c.segment, p->pid);
	control_close(&c);
}

static void
measure(struct looker *k)
{
	uint64_t now = sys_clock();

	for (size_t i = 0; i < k->list.count; i++) {
		struct process *p = k->list.process[i];

		if (!process_is_living(p->state))
			continue;
		process_measure(p);
		take_apart(p, now);
		if (above_u64(now, p->judged_ns) > JUDGED_NS)
			process_judge(p);
	}
}

static void
look(struct looker *k, unsigned wanted)
{
	char why[PROCESSES_WHY_ROOM];

	if (processes_read(&k->list, why) < 0) {
		send_text(k, LOOK_TROUBLE, 0, why, strlen(why));
	} else {
		measure(k);
		if (wanted & LOOK_WANT(LOOK_PROCESSES))
			send_processes(k);
		for (size_t i = 0; i < k->list.count &&
		    (wanted & LOOK_WANT(LOOK_STATUS)) != 0; i++)
			send_status(k, k->list.process[i]);
		if (wanted & (LOOK_WANT(LOOK_OPENMETRICS) |
		    LOOK_WANT(LOOK_PROMETHEUS)))
			send_all_metrics(k, wanted);
	}
	send_text(k, LOOK_END, 0, "", 0);
}

void
web_looker(int from, int to)
{
	struct looker *k = need(calloc(1, sizeof(*k)));
	unsigned char wanted;
	ssize_t n;

	k->to = to;
	for (;;) {
		n = read(from, &wanted, 1);
		if (n == 1)
			look(k, wanted);
		else if (n == 0 || errno != EINTR)
			_exit(0);
	}
}
