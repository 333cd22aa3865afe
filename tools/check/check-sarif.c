/*
 * check-sarif.c - the answer of a gate as SARIF 2.1.0: a result a finding
 *
 * Of what is a fault by itself (a site that grows) each site is a result, of a
 * total such as the peak there is one.  A result is at the first frame, from
 * the leaf, whose file lies below the working directory (its module, where no
 * file is known): that is the user's code, and services show what is in the
 * repository only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "check/check.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "symbols/json.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

struct sarif {
	const struct check *check;
	char *here; /* the working directory with a slash behind it; or NULL */
	json_t *results;
};

/* --- places --------------------------------------------------------------- */

/* Take out `.`, `..` and double slashes, in place; links are not looked at. */
static void
tidy_path(char *path)
{
	char *to = path, *from = path;

	while (*from != '\0') {
		size_t n = strcspn(from + 1, "/") + 1; /* from slash to slash */

		if (n == 3 && memcmp(from, "/..", 3) == 0) {
			while (to > path && *--to != '/')
				;
		} else if (n > 1 && !(n == 2 && from[1] == '.')) {
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	*to = '\0';
}

/* As a URI's path: whatever is not plain is %XX. */
static char *
escape(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~/+@,=";
	char *uri = need(malloc(strlen(path) * 3 + 1)), *to = uri;

	for (; *path != '\0'; path++)
		if (strchr(plain, *path) != NULL)
			*to++ = *path;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*path);
	*to = '\0';
	return uri;
}

static bool
is_here(const struct sarif *s, const char *path)
{
	return s->here != NULL &&
	    strncmp(path, s->here, strlen(s->here)) == 0;
}

/* The file of a frame, else its module; tidied, to be freed; "" if unknown. */
static char *
file_of(const struct frame *f)
{
	char *path = need_text("%s", f->file[0] != '\0' ? f->file :
	    f->module);

	if (path[0] == '/')
		tidy_path(path);
	return path;
}

static json_t *
json_artifact(const struct sarif *s, const char *path)
{
	bool here = is_here(s, path);
	char *uri = escape(here ? path + strlen(s->here) : path);
	char *whole = need_text("%s%s", path[0] == '/' && !here ? "file://" :
	    "", uri);
	json_t *artifact = json_pack("{s:o}", "uri", json_text(whole));

	if (here)
		json_object_set_new(artifact, "uriBaseId",
		    json_string("SRCROOT"));
	free(uri);
	free(whole);
	return artifact;
}

static json_t *
json_location(const struct sarif *s, const struct frame *f)
{
	json_t *location = json_object(), *physical;
	char *path = file_of(f);

	json_object_set_new(location, "logicalLocations",
	    json_pack("[{s:o, s:s}]", "fullyQualifiedName",
	    json_text(f->function), "kind", "function"));
	if (path[0] != '\0') {
		physical = json_pack("{s:o}", "artifactLocation",
		    json_artifact(s, path));
		if (f->line != 0 && f->file[0] != '\0')
			json_object_set_new(physical, "region",
			    json_pack("{s:o}", "startLine",
			    json_number(f->line)));
		json_object_set_new(location, "physicalLocation", physical);
	}
	free(path);
	return location;
}

/* Where a finding is shown; NULL: it has no frame at all. */
static const struct frame *
place_of(const struct sarif *s, const struct check_finding *f)
{
	const struct frame *known = NULL;

	for (size_t i = 0; i < f->frames; i++) {
		char *path = file_of(&f->frame[i]);
		bool here = is_here(s, path);

		free(path);
		if (here)
			return &f->frame[i];
		if (known == NULL && f->frame[i].file[0] != '\0')
			known = &f->frame[i];
	}
	return known != NULL || f->frames == 0 ? known : &f->frame[0];
}

/* --- results -------------------------------------------------------------- */

static json_t *
json_path(const struct sarif *s, const struct check_finding *f)
{
	json_t *frames = json_array();

	for (size_t i = 0; i < f->frames; i++)
		json_array_append_new(frames, json_pack("{s:o, s:o}",
		    "location", json_location(s, &f->frame[i]),
		    "module", json_text(f->frame[i].module)));
	return json_pack("{s:{s:s}, s:o}", "message", "text",
	    "allocated by", "frames", frames);
}

/*
 * The same finding of another run, for services that compare: its functions
 * stay where lines and addresses move.  FNV-1a, of 64 bits.
 */
static json_t *
json_fingerprint(const struct check_outcome *o, const struct check_finding *f)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char digits[17];

	for (size_t i = 0; i <= f->frames; i++) {
		const char *c = i == 0 ? gate_figures[o->gate.figure].name :
		    f->frame[i - 1].function;

		do
			hash = (hash ^ (unsigned char)*c) *
			    UINT64_C(0x100000001b3);
		while (*c++ != '\0');
	}
	snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)hash);
	return json_pack("{s:s}", "heaptide/v1", digits);
}

static json_t *
json_result(const struct check_outcome *o, size_t rule, const char *text)
{
	return json_pack("{s:s, s:o, s:s, s:{s:o}, s:[]}",
	    "ruleId", gate_figures[o->gate.figure].name,
	    "ruleIndex", json_number(rule), "level", "error",
	    "message", "text", json_text(text), "locations");
}

/* Services refuse what is nowhere: then it is the program's file. */
static json_t *
json_program(const struct sarif *s, const struct check_process *p)
{
	const struct frame whole = { .function = p->name, .file = "",
		.module = p->program };

	return json_location(s, &whole);
}

/* @f: NULL: there is none. */
static void
add_place(struct sarif *s, const struct check_outcome *o,
    const struct check_finding *f, json_t *result)
{
	const struct frame *place = f != NULL ? place_of(s, f) : NULL;

	json_array_append_new(json_object_get(result, "locations"),
	    place != NULL ? json_location(s, place) :
	    json_program(s, f != NULL ? f->process : o->process));
	if (f != NULL)
		json_object_set_new(result, "partialFingerprints",
		    json_fingerprint(o, f));
}

/* A site that is a fault by itself. */
static void
add_site(struct sarif *s, const struct check_outcome *o, size_t rule,
    const struct check_finding *f)
{
	char amount[GATE_VALUE_ROOM];
	char *text = need_text("%s: %s%s%s, in %s%s%s", o->gate.text,
	    gate_format(o->gate.figure, f->amount, o->unit, amount),
	    f->frames != 0 ? " in " : "", f->frames != 0 ?
	    f->frame[0].function : "", f->process->name,
	    f->words[0] != '\0' ? "; it " : "", f->words);
	json_t *result = json_result(o, rule, text);

	add_place(s, o, f, result);
	json_object_set_new(result, "stacks", json_pack("[o]",
	    json_path(s, f)));
	json_array_append_new(s->results, result);
	free(text);
}

/* A total, at the strongest of the sites that it is made of. */
static void
add_total(struct sarif *s, const struct check_outcome *o, size_t rule)
{
	char words[CHECK_VALUE_ROOM];
	char *text = need_text("%s: %s, in %s", o->gate.text,
	    check_value(o, words), o->process->name);
	json_t *result = json_result(o, rule, text), *stacks = json_array();

	add_place(s, o, o->findings != 0 ? &o->finding[0] : NULL, result);
	for (size_t i = 0; i < o->findings; i++)
		json_array_append_new(stacks, json_path(s, &o->finding[i]));
	json_object_set_new(result, "stacks", stacks);
	json_array_append_new(s->results, result);
	free(text);
}

static void
add_results(struct sarif *s, size_t index)
{
	const struct check_outcome *o = &s->check->outcome[index];

	if (o->answer != CHECK_HOLDS)
		return;
	if (!gate_figures[o->gate.figure].leak || o->findings == 0) {
		add_total(s, o, o->gate.figure);
		return;
	}
	for (size_t i = 0; i < o->findings; i++)
		add_site(s, o, o->gate.figure, &o->finding[i]);
}

/* --- the whole ------------------------------------------------------------ */

/* A rule a figure, by its number. */
static json_t *
json_rules(void)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < GATE_FIGURES; i++)
		json_array_append_new(rules, json_pack("{s:s, s:{s:s}}",
		    "id", gate_figures[i].name, "shortDescription", "text",
		    gate_figures[i].means));
	return rules;
}

/* What could not be said is no result, but somebody has to hear of it. */
static json_t *
json_invocation(const struct check *c)
{
	json_t *notes = json_array();
	char *text;

	for (size_t i = 0; i < c->outcomes; i++) {
		const struct check_outcome *o = &c->outcome[i];

		if (o->answer != CHECK_UNKNOWN || check_is_excused(o))
			continue;
		text = need_text("%s: %s", o->gate.text, o->why);
		json_array_append_new(notes, json_pack("{s:s, s:{s:o}}",
		    "level", "error", "message", "text", json_text(text)));
		free(text);
	}
	return json_pack("{s:b, s:o, s:o}", "executionSuccessful",
	    (int)(json_array_size(notes) == 0 && c->end == NULL),
	    "commandLine", json_text(c->process[0]->command),
	    "toolExecutionNotifications", notes);
}

static json_t *
json_run(const struct sarif *s)
{
	char *uri = s->here != NULL ? escape(s->here) : need_text("%s", "/");
	char *base = need_text("file://%s", uri);
	json_t *run = json_pack("{s:{s:{s:s, s:s, s:o}}, s:{s:{s:o}}, s:[o], "
	    "s:s, s:O}", "tool", "driver", "name", "heaptide", "version",
	    PACKAGE_VERSION, "rules", json_rules(), "originalUriBaseIds",
	    "SRCROOT", "uri", json_text(base), "invocations",
	    json_invocation(s->check), "columnKind", "utf16CodeUnits",
	    "results", s->results);

	free(uri);
	free(base);
	return run;
}

static char *
find_here(void)
{
	char *directory = getcwd(NULL, 0), *here;

	if (directory == NULL)
		return NULL;
	here = need_text("%s%s", directory, directory[1] == '\0' ? "" : "/");
	free(directory);
	return here;
}

int
check_print_sarif(const struct check *c, FILE *to)
{
	struct sarif s = { c, find_here(), json_array() };
	json_t *log;
	int r;

	for (size_t i = 0; i < c->outcomes; i++)
		add_results(&s, i);
	log = json_pack("{s:s, s:s, s:[o]}", "$schema", SCHEMA, "version",
	    "2.1.0", "runs", json_run(&s));
	r = need(log) == NULL ? -1 : json_dumpf(log, to, JSON_INDENT(1));
	fputc('\n', to);
	json_decref(log);
	json_decref(s.results);
	free(s.here);
	return r == 0 ? COMMAND_DONE : COMMAND_FAILED;
}
