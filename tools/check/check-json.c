/*
 * check-json.c - the answer of a gate, for programs: nothing is left out
 */
#include <stdlib.h>

#include "base/base.h"
#include "check/check.h"
#include "say/command.h"
#include "say/print.h"
#include "symbols/json.h"

static json_t *
json_process(const struct check_process *p)
{
	if (p == NULL)
		return json_null();
	return json_pack("{s:i, s:o, s:o}", "pid", p->pid,
	    "name", json_text(p->name), "command", json_text(p->command));
}

static json_t *
json_finding(const struct check_finding *f)
{
	json_t *stack = json_array();
	const struct json_member members[] = {
		{ "amount", json_real(f->amount) },
		{ "site", json_number(f->site) },
		{ "process", json_process(f->process) },
		{ "estimated", json_boolean(f->estimated) },
		{ "mapping", json_boolean(f->mapping) },
		{ "verdict", f->words[0] == '\0' ? json_null() :
		    json_text(f->words) },
		{ "stack", stack },
	};

	for (size_t i = 0; i < f->frames; i++)
		json_array_append_new(stack, json_frame(&f->frame[i]));
	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static const char *
unit_of(const struct check_outcome *o)
{
	static const char *const names[] = {
		[GATE_WHOLE] = "whole",
		[GATE_BATCH] = "batch",
		[GATE_HOUR] = "hour",
		[GATE_SECOND] = "second",
	};

	return o->by_allocation ? "allocation" : names[o->unit];
}

static json_t *
json_outcome(const struct check_outcome *o)
{
	bool known = o->answer != CHECK_UNKNOWN;
	json_t *findings = json_array();
	const struct json_member members[] = {
		{ "expression", json_text(o->gate.text) },
		{ "figure", json_string(gate_figures[o->gate.figure].name) },
		{ "answer", json_string(check_answer_name(o->answer)) },
		{ "why", known ? json_null() : json_text(o->why) },
		{ "value", known ? json_real(o->value) : json_null() },
		{ "unit", known ? json_string(unit_of(o)) : json_null() },
		{ "threshold", json_real(o->gate.value) },
		{ "relative", json_boolean(o->gate.relative) },
		{ "baseline", known && o->gate.relative ?
		    json_real(o->base) : json_null() },
		{ "estimated", json_boolean(o->estimated) },
		{ "process", json_process(o->process) },
		{ "judged", json_number(o->judged) },
		{ "unjudged", json_number(o->unjudged) },
		{ "suppressed", json_number(o->suppressed) },
		{ "ignored", json_number(o->ignored) },
		{ "grew_before", json_number(o->before) },
		{ "doubted", json_number(o->doubted) },
		{ "findings", findings },
		{ "more", json_number(o->more) },
	};

	for (size_t i = 0; i < o->findings; i++)
		json_array_append_new(findings,
		    json_finding(&o->finding[i]));
	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

int
check_print_json(const struct check *c, FILE *to)
{
	json_t *outcomes = json_array(), *processes = json_array();
	const struct json_member members[] = {
		{ "pass", json_boolean(check_status(c) == COMMAND_DONE) },
		{ "program", c->end == NULL ? json_null() :
		    json_text(c->end) },
		{ "processes", processes },
		{ "expressions", outcomes },
	};
	json_t *object;
	int r;

	for (size_t i = 0; i < c->processes; i++)
		json_array_append_new(processes, json_process(c->process[i]));
	for (size_t i = 0; i < c->outcomes; i++)
		json_array_append_new(outcomes, json_outcome(&c->outcome[i]));
	object = json_fill(json_head(), members, ARRAY_LENGTH(members));
	r = json_dumpf(object, to, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	fputc('\n', to);
	json_decref(object);
	return r == 0 ? COMMAND_DONE : COMMAND_FAILED;
}
