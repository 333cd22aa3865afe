#include "control/request.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "control/answer.h"
#include "control/reply.h"
#include "sys/sys.h"

/* --- the table ------------------------------------------------------------ */

static void answer_help(struct control *c, const struct request *r,
    struct text *t);

const struct request_row request_rows[] = {
	{ "help", "", "what may be asked", 0, 0, answer_help, NULL },
	{ "version", "", "which heaptide this is", 0, 0, answer_version, NULL },
	{ "status", "", "the process now: status, progress, memory, "
	  "configuration", 0, 0, answer_status, NULL },
	{ "memory", "", "its memory alone", 0, 0, answer_memory, NULL },
	{ "sites", "[N] [by live|growth|count]",
	  "the N largest sites (10), or that grew most since the last mark",
	  0, 3, answer_sites, NULL },
	{ "leaks", "[N]", "the N sites (10) that most surely keep growing",
	  0, 1, answer_leaks, NULL },
	{ "ops", "", "what its operations did: batches, bytes an item, time",
	  0, 0, answer_ops, NULL },
	{ "analyze", "", "what is wrong about its memory, and what to set",
	  0, 0, answer_analyze, NULL },
	{ "marks", "[N]", "the last N marks and events (20)", 0, 1,
	  answer_marks, NULL },
	{ "series", "[N]", "the last N points of the time series (60)", 0, 1,
	  answer_series, NULL },
	{ "mark", "NAME", "set a mark: from here on, growth is counted anew",
	  1, REQUEST_WORDS - 1, answer_mark, NULL },
	{ "stacks", "[none|sampled|all]",
	  "keep the call paths of these allocations from now on", 0, 1,
	  answer_stacks, NULL },
	{ "sample", "[SIZE]", "bytes allocated for each block that is drawn",
	  0, 1, answer_sample, NULL },
	{ "budget", "[SIZE|PCT|off]", "the limit that rules; or set one", 0, 1,
	  answer_budget, NULL },
	{ "trim", "[last]", "have the allocator give free memory back; or "
	  "has it", 0, 1,
	  answer_trim, NULL },
	{ "cleanup", "[warning|critical|exhausted|last|max_age=TIME]",
	  "have the program give up what it can; or what that brought; or "
	  "remove older checkpoints", 0, 1,
	  answer_cleanup, answer_cleanup_is_done },
	{ "reclaim", "[warning|critical|exhausted]",
	  "cleanup, and of a program that does not ask for its budget, trim",
	  0, 1, answer_reclaim,
	  answer_cleanup_is_done },
	{ "pressure", "[ok|warning|critical|exhausted|off]",
	  "have the program believe in a state at least so bad", 0, 1,
	  answer_pressure, NULL },
	{ "drain", "", "have the program come to an end in good order", 0, 0,
	  answer_drain, NULL },
	{ "scan", "[starts|last]",
	  "look for blocks that nobody can reach; or what that found", 0, 1,
	  answer_scan, NULL },
	{ "checkpoints", "", "the runs of this user that can be gone on with",
	  0, 0, answer_checkpoints, NULL },
	{ "resume", "RUN", "from where a run would go on", 1, 1,
	  answer_resume, NULL },
	{ "metrics", "[openmetrics|prometheus]",
	  "counters and gauges, by name; or as text for a monitoring system",
	  0, 1, answer_metrics, NULL },
	{ "watch", "INTERVAL", "status, again and again", 1, 1,
	  answer_watch, NULL },
};

const size_t request_row_count = ARRAY_LENGTH(request_rows);

static void
answer_help(struct control *c, const struct request *r, struct text *t)
{
	size_t i;

	(void)c;
	(void)r;
	reply_open_list(t, "requests");
	for (i = 0; i < request_row_count; i++) {
		reply_open(t, NULL);
		reply_text(t, "name", request_rows[i].name);
		reply_text(t, "arguments", request_rows[i].arguments);
		reply_text(t, "help", request_rows[i].help);
		reply_close(t);
	}
	reply_close_list(t);
}

static const struct request_row *
find_row(const struct request *r)
{
	size_t i;

	for (i = 0; i < request_row_count; i++)
		if (strcmp(request_rows[i].name, r->word[0]) == 0)
			return &request_rows[i];
	return NULL;
}

/* --- answering ------------------------------------------------------------ */

static void
refuse_arguments(struct text *t, const struct request_row *row)
{
	char message[256];
	struct text m;

	text_open(&m, message, sizeof(message));
	text_put(&m, "'");
	text_put(&m, row->name);
	if (*row->arguments == '\0') {
		text_put(&m, "' takes no arguments");
	} else {
		text_put(&m, "' is asked as: ");
		text_put(&m, row->name);
		text_put(&m, " ");
		text_put(&m, row->arguments);
	}
	request_refuse(t, -EINVAL, message);
}

static void
refuse_word(struct text *t, const char *word)
{
	char message[256];
	struct text m;

	text_open(&m, message, sizeof(message));
	text_put(&m, "there is no request '");
	text_put_bytes(&m, word, min_u64(strlen(word), 64));
	text_put(&m, "'; 'help' lists them");
	request_refuse(t, -EINVAL, message);
}

static void
carry_out(struct control *c, const struct request_row *row,
    const struct request *r, struct text *t)
{
	reply_head(t, true);
	row->answer(c, r, t);
	/* Who has refused has written all of the answer. */
	if (t->used > 0 && t->start[t->used - 1] == '\n')
		return;
	reply_close(t);
	text_put(t, "\n");
	if (t->cut)
		request_refuse(t, -EOVERFLOW, "the answer is too long");
}

bool
request_answer(struct control *c, struct request *r, struct text *t)
{
	const struct request_row *row = find_row(r);
	size_t arguments = r->words - 1;

	if (row == NULL)
		refuse_word(t, r->word[0]);
	else if (arguments < row->least || arguments > row->most)
		refuse_arguments(t, row);
	else if (row->is_done != NULL && !row->is_done(c, r))
		return false;
	else
		carry_out(c, row, r, t);
	return true;
}

void
request_misread(struct text *t, int error)
{
	request_refuse(t, error, error == -E2BIG ?
	    "a request is one line of at most 4096 bytes and 8 words" :
	    "a request is one line of text; 'help' lists them");
}

void
request_line(struct control *c, const char *line, size_t bytes,
    struct text *t)
{
	struct request r;
	int error = request_parse(&r, line, bytes);

	if (error != 0) {
		request_misread(t, error);
		return;
	}
	while (!request_answer(c, &r, t))
		sys_sleep(REQUEST_NAP_NS);
}
