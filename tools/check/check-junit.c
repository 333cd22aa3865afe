/*
 * check-junit.c - the answer of a gate as JUnit's XML: a test an expression
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "check/check.h"
#include "say/command.h"
#include "say/need.h"
#include "say/xml.h"

static size_t
count_of(const struct check *c, enum check_answer answer, bool excused)
{
	size_t count = 0;

	for (size_t i = 0; i < c->outcomes; i++)
		count += c->outcome[i].answer == answer &&
		    check_is_excused(&c->outcome[i]) == excused;
	return count;
}

static void
put_attribute(FILE *to, const char *name, const char *value)
{
	fprintf(to, " %s=\"", name);
	xml_put(to, value, true);
	fputc('"', to);
}

static void
put_counts(const struct check *c, FILE *to)
{
	fprintf(to, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"",
	    c->outcomes, count_of(c, CHECK_HOLDS, false),
	    count_of(c, CHECK_UNKNOWN, false));
}

static void
put_finding(const struct check_outcome *o, const struct check_finding *f,
    FILE *to)
{
	char amount[GATE_VALUE_ROOM];
	char *stack = check_stack(f), *head;

	head = need_text("%s in %s, pid %d%s%s\n", o->by_allocation ? "" :
	    gate_format(o->gate.figure, f->amount, o->unit, amount),
	    f->process->name, f->process->pid,
	    f->words[0] != '\0' ? ": " : "", f->words);
	xml_put(to, head, false);
	xml_put(to, stack, false);
	fputc('\n', to);
	free(head);
	free(stack);
}

static void
put_failure(const struct check_outcome *o, FILE *to)
{
	bool unknown = o->answer == CHECK_UNKNOWN;
	const char *element = unknown ? "error" : "failure";
	char words[CHECK_VALUE_ROOM];

	if (check_is_excused(o)) {
		fputs("      <skipped", to);
		put_attribute(to, "message", o->why);
		fputs("/>\n", to);
		return;
	}
	fprintf(to, "      <%s", element);
	put_attribute(to, "message", unknown ? o->why : check_value(o, words));
	put_attribute(to, "type", gate_figures[o->gate.figure].name);
	fputc('>', to);
	for (size_t i = 0; i < o->findings; i++)
		put_finding(o, &o->finding[i], to);
	fprintf(to, "</%s>\n", element);
}

static void
put_case(const struct check *c, const struct check_outcome *o, FILE *to)
{
	fputs("    <testcase", to);
	put_attribute(to, "classname", c->process[0]->name);
	put_attribute(to, "name", o->gate.text);
	if (o->answer == CHECK_CLEAR) {
		fputs("/>\n", to);
		return;
	}
	fputs(">\n", to);
	put_failure(o, to);
	fputs("    </testcase>\n", to);
}

int
check_print_junit(const struct check *c, FILE *to)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuites name=\"heaptide check\"", to);
	put_counts(c, to);
	fputs(">\n  <testsuite", to);
	put_attribute(to, "name", c->process[0]->command);
	put_counts(c, to);
	fprintf(to, " skipped=\"%zu\"", count_of(c, CHECK_UNKNOWN, true));
	fputs(">\n", to);
	for (size_t i = 0; i < c->outcomes; i++)
		put_case(c, &c->outcome[i], to);
	if (c->end != NULL) {
		fputs("    <system-err>the program ", to);
		xml_put(to, c->end, false);
		fputs("</system-err>\n", to);
	}
	fputs("  </testsuite>\n</testsuites>\n", to);
	return ferror(to) == 0 ? COMMAND_DONE : COMMAND_FAILED;
}
