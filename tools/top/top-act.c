/*
 * top-act.c - what is done to the process that is shown, and what to say of it
 */
#include "top/top.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "live/ask.h"
#include "sys/sys.h"

void
top_say(struct top *t, bool failed, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->message, sizeof(t->message), format, args);
	va_end(args);
	t->failed = failed;
	t->said_ns = sys_clock();
}

void
top_ask_text(struct top *t, const char *label, const char *text)
{
	t->prompt.open = true;
	t->prompt.label = label;
	snprintf(t->prompt.text, sizeof(t->prompt.text), "%s", text);
}

static bool
may_ask(struct top *t)
{
	if (t->process.pid != 0)
		return true;
	top_say(t, true, "it has ended, and cannot be asked any more");
	return false;
}

/* True: it was done, and the view is to show it. */
static bool
request(struct top *t, const char *line)
{
	char why[ASK_WHY_ROOM];
	const char *refusal;
	json_t *answer;

	if (!may_ask(t))
		return false;
	answer = ask(t->process.pid, line, why);
	refusal = answer != NULL ? ask_refusal(answer) : why;
	if (refusal != NULL)
		top_say(t, true, "%s", refusal);
	json_decref(answer);
	t->stale = true;
	return refusal == NULL;
}

void
top_act_trim(struct top *t, long with)
{
	(void)with;
	if (request(t, "trim"))
		top_say(t, false, "a trim is asked for; it is done when the "
		    "program next allocates");
}

/* From what was asked for last, as that may not be done yet. */
void
top_act_stacks(struct top *t, long with)
{
	static const char *const words[] = {
		[STACKS_NONE] = "none", [STACKS_SAMPLED] = "sampled",
		[STACKS_ALL] = "all",
	};
	const struct segment_config *c = &t->process.profile.segment->config;
	uint32_t now = c->stacks_wanted != 0 ? c->stacks_wanted - 1 :
	    c->stacks;
	char line[32];

	(void)with;
	now = (now + 1) % ARRAY_LENGTH(words);
	snprintf(line, sizeof(line), "stacks %s", words[now]);
	if (request(t, line))
		top_say(t, false, "stacks %s from now on; the program takes "
		    "it up when it next allocates", words[now]);
}

void
top_act_mark(struct top *t, long with)
{
	(void)with;
	if (may_ask(t))
		top_ask_text(t, "name of the mark: ", "");
}

void
top_act_snapshot(struct top *t, long with)
{
	char name[PATH_MAX], directory[PATH_MAX];
	int r = top_process_save(&t->process, name, sizeof(name));

	(void)with;
	if (getcwd(directory, sizeof(directory)) == NULL)
		strcpy(directory, ".");
	if (r < 0)
		top_say(t, true, "no snapshot in %s: %s", directory,
		    strerror(-r));
	else
		top_say(t, false, "snapshot %s in %s", name, directory);
}

void
top_set_mark(struct top *t, const char *name)
{
	char line[TOP_TEXT_ROOM + 8];

	if (name[strspn(name, " ")] == '\0')
		return;
	snprintf(line, sizeof(line), "mark %s", name);
	if (request(t, line))
		top_say(t, false, "mark '%s' is set", name);
}
