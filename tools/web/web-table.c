#include "web/web-table.h"

#include "base/base.h"
#include "say/print.h"

#define GET  (WEB_GET | WEB_HEAD)
#define POST WEB_POST

#define NO { .name = NULL }
#define GIVE(what, as, ...) \
	{ .name = what, .kind = GIVEN_##as, ##__VA_ARGS__ }
#define DUE(what, as, ...) GIVE(what, as, .due = true, ##__VA_ARGS__)

const struct web_route_row web_routes[] = {
	{ "", GET, OF_NOBODY, WEB_PAGE, { NULL }, { GIVE("token", TEXT) },
	  "the page" },
	{ "live.js", GET, OF_NOBODY, WEB_SCRIPT, { NULL }, { NO },
	  "what keeps the page up to date" },
	{ "process", GET, OF_PROCESS, WEB_PAGE_OF, { NULL }, { NO },
	  "the page of a process" },
	{ "profile", GET, OF_PROCESS, WEB_COMMAND,
	  { "report", "--page", "@" }, { NO },
	  "what that page is made of" },
	{ "help", GET, OF_NOBODY, WEB_HELP, { NULL }, { NO },
	  "what there is to ask" },
	{ "version", GET, OF_NOBODY, WEB_VERSION, { NULL }, { NO },
	  "which heaptide this is" },
	{ "processes", GET, OF_NOBODY, WEB_PROCESSES, { NULL }, { NO },
	  "the processes, as 'heaptide ps --json' has them" },
	{ "status", GET, OF_ANY_PROCESS, WEB_STATUS, { NULL }, { NO },
	  "status, progress, memory and configuration" },
	{ "memory-status", GET, OF_ANY_PROCESS, WEB_MEMORY, { NULL },
	  { NO }, "memory_rss_mb, cpu_percent, and all of memory" },
	{ "metrics", GET, OF_NOBODY, WEB_METRICS, { NULL }, { NO },
	  "for Prometheus and its like" },
	{ "events", GET, OF_ANY_PROCESS, WEB_EVENTS, { NULL },
	  { GIVE("interval", DURATION) },
	  "the same again and again, as server-sent events" },
	{ "report", GET, OF_PROCESS, WEB_COMMAND, { "report", "--json", "@" },
	  { NO }, "who holds the memory" },
	{ "leaks", GET, OF_PROCESS, WEB_COMMAND, { "leaks", "--json", "@" },
	  { NO }, "what keeps growing" },
	{ "ops", GET, OF_PROCESS, WEB_COMMAND, { "ops", "--json", "@" },
	  { NO }, "what its operations did" },
	{ "analyze", GET, OF_PROCESS, WEB_COMMAND, { "analyze", "--json", "@" },
	  { NO }, "what is wrong, and what to set" },
	{ "sites", GET, OF_PROCESS, WEB_REQUEST, { "sites" },
	  { GIVE("n", COUNT), GIVE("by", CHOICE, .before = "by",
	    .words = " live growth count") }, "the largest sites, unnamed" },
	{ "marks", GET, OF_PROCESS, WEB_REQUEST, { "marks" },
	  { GIVE("n", COUNT) }, "the last marks and events" },
	{ "series", GET, OF_PROCESS, WEB_REQUEST, { "series" },
	  { GIVE("n", COUNT) }, "the last points of the time series" },
	{ "scan", GET, OF_PROCESS, WEB_REQUEST, { "scan last" }, { NO },
	  "what the last scan found" },
	{ "checkpoints", GET, OF_ANY_RUN, WEB_COMMAND,
	  { "checkpoints", "--json", "--", "show", "@" }, { NO },
	  "the runs that can be gone on with; or one of them" },
	{ "resume", GET, OF_RUN, WEB_COMMAND,
	  { "resume", "--show", "--json", "--", "@" }, { NO },
	  "how a run can be gone on with" },
	{ "budget", GET, OF_ANY_PROCESS, WEB_COMMAND,
	  { "budget", "--json", "@" }, { NO },
	  "all limits, and the one that rules" },

	{ "checkpoints/clean", POST, OF_NOBODY, WEB_COMMAND,
	  { "checkpoints", "--json", "clean" },
	  { GIVE("max_age", DURATION, .before = "--max-age") },
	  "remove checkpoints that are old" },
	{ "ctl", POST, OF_PROCESS, WEB_REQUEST, { NULL },
	  { DUE("request", TEXT) }, "put any request" },
	{ "mark", POST, OF_PROCESS, WEB_REQUEST, { "mark" },
	  { DUE("name", TEXT) }, "set a mark" },
	{ "cleanup", POST, OF_PROCESS, WEB_REQUEST, { "cleanup" },
	  { GIVE("level", CHOICE, .words =
	    " 1 2 3 warning critical exhausted last") },
	  "have the program give up what it can" },
	{ "trim", POST, OF_PROCESS, WEB_REQUEST, { "trim" }, { NO },
	  "have the allocator give back" },
	{ "scan", POST, OF_PROCESS, WEB_REQUEST, { "scan" },
	  { GIVE("pointers", CHOICE, .words = " starts") },
	  "look for blocks that nobody can reach" },
	{ "stacks", POST, OF_PROCESS, WEB_REQUEST, { "stacks" },
	  { DUE("stacks", CHOICE, .words = " none sampled all") },
	  "turn the dial" },
	{ "sample", POST, OF_PROCESS, WEB_REQUEST, { "sample" },
	  { DUE("size", TEXT) }, "bytes for each block that is drawn" },
	{ "budget", POST, OF_PROCESS, WEB_REQUEST, { "budget" },
	  { DUE("size", TEXT) }, "set a limit, or take it away" },
	{ "pressure", POST, OF_PROCESS, WEB_REQUEST, { "pressure" },
	  { DUE("level", CHOICE, .words =
	    " 0 1 2 3 ok warning critical exhausted off") },
	  "have the program believe in a state" },
	{ "drain", POST, OF_PROCESS, WEB_REQUEST, { "drain" }, { NO },
	  "have the program come to an end" },
};

const size_t web_route_count = ARRAY_LENGTH(web_routes);

const char *
web_subject_word(enum web_subject subject)
{
	switch (subject) {
	case OF_PROCESS: return "/PID";
	case OF_ANY_PROCESS: return "[/PID]";
	case OF_RUN: return "/RUN";
	case OF_ANY_RUN: return "[/RUN]";
	default: return "";
	}
}

json_t *
web_route_help(void)
{
	json_t *object = json_head(), *list = json_array();

	for (size_t i = 0; i < web_route_count; i++) {
		const struct web_route_row *r = &web_routes[i];
		json_t *row = json_pack("{s:s, s:s++}", "method",
		    r->methods & WEB_POST ? "POST" : "GET",
		    "path", "/", r->name, web_subject_word(r->subject));
		json_t *names = json_array();

		for (size_t p = 0; p < WEB_PARAMETERS &&
		    r->parameter[p].name != NULL; p++)
			json_array_append_new(names,
			    json_string(r->parameter[p].name));
		json_object_set_new(row, "parameters", names);
		json_object_set_new(row, "help", json_string(r->help));
		json_array_append_new(list, row);
	}
	json_object_set_new(object, "requests", list);
	return object;
}
