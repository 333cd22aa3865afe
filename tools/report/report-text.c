/*
 * report-text.c - a report for a person, what is wanted first first
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "model/reconcile.h"
#include "ops/advise.h"
#include "ops/ops.h"
#include "ops/work.h"
#include "report/bypassed.h"
#include "report/report.h"
#include "say/need.h"

#define THREADS_DEFAULT 8
#define CHILDREN_MOST   8 /* that are named */

/* --- who, when, how ------------------------------------------------------- */

static void
format_end(const struct profile *p, char *words, size_t room)
{
	const struct segment_end *end = &p->segment->end;
	uint32_t how = end->how;

	switch (how) {
	case END_EXITED:
		snprintf(words, room, "exited with status %" PRId32,
		    end->status);
		return;
	case END_SIGNALLED:
		snprintf(words, room, "killed by signal %" PRId32 " (%s)%s",
		    end->signal, strsignal(end->signal),
		    end->out_of_memory == 1 ? ", out of memory" : "");
		return;
	case END_EXEC:
		snprintf(words, room, "went on as another program (exec)");
		return;
	}
	snprintf(words, room, "%s", p->segment->watch.taken_ns != 0 &&
	    !p->live ? "running when it was copied" :
	    strcmp(report_end(p), "running") == 0 ?
	    "still running" : "how it ended is not known");
}

/* Made by a tool of ours: of another's, or of many. */
static void
text_origin(const struct report *r, const struct print *out)
{
	const struct profile *p = r->profile;
	char *command = profile_command(p);
	char *origin = profile_text(p, p->segment->identity.origin);

	print_line(out, PRINT_STRONG, "%s", command);
	print_line(out, PRINT_PLAIN, "  from        %s", origin);
	free(command);
	free(origin);
}

static void
text_identity(const struct report *r, const struct print *out)
{
	const struct profile *p = r->profile;
	const struct segment_identity *id = &p->segment->identity;
	char duration[TEXT_DURATION_ROOM], date[64] = "?", end[128];
	time_t started = (time_t)(id->started_ns / (int64_t)NS_PER_S);
	char *command = profile_command(p);
	struct tm local;

	if (localtime_r(&started, &local) != NULL)
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
	format_end(p, end, sizeof(end));
	print_line(out, PRINT_STRONG, "%s", command);
	print_line(out, PRINT_PLAIN, "  process     %" PRId32 ", %s",
	    id->pid, end);
	print_line(out, PRINT_PLAIN, "  started     %s, %s %s", date,
	    p->live || p->segment->end.at_ns != 0 ||
	    p->segment->watch.taken_ns != 0 ? "ran" :
	    "last seen after", text_format_duration(duration,
	    p->now_ns - id->clock_ns));
	free(command);
}

static void
text_losses(const struct report *r, const struct print *out)
{
	const struct profile *p = r->profile;
	char count[TEXT_COUNT_ROOM], where[PROFILE_CHANGED_ROOM];

	for (size_t i = 0; i < PROFILE_LOSSES; i++) {
		uint64_t n = profile_lost(p, &profile_losses[i]);

		if (n != 0 && profile_losses[i].withdraws)
			print_line(out, PRINT_WARN, "  not exact   %s %s",
			    text_format_count(count, n),
			    profile_losses[i].means);
	}
	if (p->damaged != 0)
		print_line(out, PRINT_WARN, "  damaged     %s rows of the "
		    "file contradict the rest and are left out",
		    text_format_count(count, p->damaged));
	if (p->changed != 0) {
		profile_describe_changed(p, where);
		print_line(out, PRINT_WARN, "  changed     since heaptide "
		    "wrote the file, in %s", where);
	}
}

static void
text_stacks(const struct report *r, const struct print *out)
{
	const struct segment_config *config = &r->profile->segment->config;
	bool exact = profile_is_exact(r->profile);
	char bytes[TEXT_BYTES_ROOM], since[TEXT_DURATION_ROOM];

	if (profile_lacks(r->profile, UNKNOWN_ALLOCATIONS | UNKNOWN_BLOCKS |
	    UNKNOWN_PEAK | UNKNOWN_AT_PEAK) &&
	    config->stacks != STACKS_SAMPLED)
		return; /* its origin has been said, and what is not known */
	switch (atomic_load(&config->stacks)) {
	case STACKS_NONE:
		print_line(out, PRINT_PLAIN, "  counted     %s; without "
		    "stacks, so not who holds the memory (--stacks all does)",
		    exact ? "exactly" : "not exactly");
		break;
	case STACKS_SAMPLED:
		print_line(out, PRINT_PLAIN, "  counted     %s; who holds "
		    "the memory is estimated from one block in %s",
		    exact ? "exactly" : "not exactly",
		    text_format_bytes(bytes, config->sample_bytes));
		break;
	default:
		print_line(out, PRINT_PLAIN, "  counted     %s, every "
		    "allocation with its stack",
		    exact ? "exactly" : "not exactly");
	}
	if (r->profile->segment->watch.switches != 0)
		print_line(out, PRINT_PLAIN, "              since %s after the "
		    "start; otherwise before that, see the marks",
		    text_format_duration(since, profile_age_ns(r->profile,
		    r->profile->segment->watch.switched_ns)));
	text_losses(r, out);
	bypassed_print(r->profile, out, 11);
}

/* --- totals --------------------------------------------------------------- */

/* Of a profile that has not all of them: "not known" is no 0. */
static void
text_known_totals(const struct report *r, const struct print *out)
{
	const struct profile *p = r->profile;
	const struct totals *t = &r->totals;
	char peak[TEXT_BYTES_ROOM], live[TEXT_BYTES_ROOM];
	char bytes[TEXT_BYTES_ROOM], n[TEXT_COUNT_ROOM], m[TEXT_COUNT_ROOM];

	print_line(out, PRINT_STRONG, "  peak        %s",
	    profile_lacks(p, UNKNOWN_PEAK) ? "not known" :
	    text_format_bytes(peak, t->peak_bytes));
	print_line(out, PRINT_STRONG, "  held        %s in %s blocks",
	    text_format_bytes(live, t->live_bytes),
	    profile_lacks(p, UNKNOWN_BLOCKS) ? "an unknown number of" :
	    text_format_count(n, t->live_blocks));
	if (profile_lacks(p, UNKNOWN_ALLOCATIONS))
		print_line(out, PRINT_PLAIN, "  allocated   not known");
	else
		print_line(out, PRINT_PLAIN, "  allocated   %s in %s blocks, "
		    "%s of them temporary",
		    text_format_bytes(bytes, t->allocated_bytes),
		    text_format_count(n, t->allocations),
		    profile_lacks(p, UNKNOWN_TEMPORARY) ?
		    "an unknown number" :
		    text_format_count(m, t->temporary));
}

static void
text_totals(const struct report *r, const struct print *out)
{
	const struct totals *t = &r->totals;
	char a[TEXT_BYTES_ROOM], b[TEXT_BYTES_ROOM];
	char n[TEXT_COUNT_ROOM], m[TEXT_COUNT_ROOM];
	char at[TEXT_DURATION_ROOM], within[TEXT_BYTES_ROOM + 16] = "";

	if (r->profile->segment->identity.unknown != 0) {
		text_known_totals(r, out);
		return;
	}
	if (t->peak_error_bytes != 0)
		snprintf(within, sizeof(within), " (+- %s)",
		    text_format_bytes(b, t->peak_error_bytes));
	print_line(out, PRINT_STRONG, "  peak        %s%s after %s",
	    text_format_bytes(a, t->peak_bytes), within,
	    text_format_duration(at, totals_peak_ns(t)));
	print_line(out, PRINT_STRONG, "  held        %s in %s blocks %s",
	    text_format_bytes(a, t->live_bytes),
	    text_format_count(n, t->live_blocks), report_when(r));
	if (t->requested_known)
		print_line(out, PRINT_PLAIN, "              %s of it asked "
		    "for, the rest is rounding",
		    text_format_bytes(a, t->live_requested_bytes));
	if (t->inherited_bytes != 0)
		print_line(out, PRINT_PLAIN, "              %s of it "
		    "inherited from the parent",
		    text_format_bytes(a, t->inherited_bytes));
	print_line(out, PRINT_PLAIN, "  allocated   %s in %s blocks, %s of "
	    "them temporary", text_format_bytes(a, t->allocated_bytes),
	    text_format_count(n, t->allocations),
	    text_format_count(m, t->temporary));
}

/* --- operations ----------------------------------------------------------- */

/* Of a program that sizes its batches by us. */
static void
text_ops(const struct report *r, const struct print *out)
{
	struct tide_op_stats op[TIDE_OPS];

	ops_print_checkpoints(out, r->profile, 11);
	if (ops_of(r->profile, op) == 0)
		return;
	ops_print_lines(out, r->profile, 11);
	work_print(out, r->profile, 11);
	advise_print(r->profile, r->profile->path, out, 11);
}

/* --- resident memory ------------------------------------------------------ */

static const char *const rss_meanings[RSS_TERMS] = {
	[RSS_LIVE] = "blocks of the program",
	[RSS_SLACK] = "the allocator's rounding and headers",
	[RSS_RETAINED] = "freed, kept by the allocator",
	[RSS_MAPPED] = "mapped by the program itself",
	[RSS_STACKS] = "stacks of all threads",
	[RSS_FILES] = "code and data of files",
	[RSS_SHARED] = "shared with other processes",
	[RSS_HEAPTIDE] = "heaptide itself",
	[RSS_UNATTRIBUTED] = "explained by none of these",
};

/* When the look at resident memory was taken, if that was not at the end. */
static void
text_rss_heading(const struct report *r, const struct print *out)
{
	uint64_t before = above_u64(r->profile->now_ns, r->rss.at_ns);
	char duration[TEXT_DURATION_ROOM], when[64];

	if (r->profile->live || before < NS_PER_S)
		snprintf(when, sizeof(when), "%s", report_when(r));
	else
		snprintf(when, sizeof(when), "%s before the end",
		    text_format_duration(duration, before));
	report_heading(out, "Resident memory ", when);
}

static void
text_rss(const struct report *r, const struct print *out)
{
	static const struct print_column columns[] = {
		{ NULL, false }, { NULL, true }, { NULL, true },
		{ NULL, false }, { NULL, false },
	};
	const struct segment_rss *rss = &r->rss;
	char bytes[TEXT_BYTES_ROOM], peak[TEXT_BYTES_ROOM];
	char share[REPORT_SHARE_ROOM], bar[PRINT_BAR_ROOM];
	/* So that what a term means stands there whole, in 80 columns. */
	unsigned room = out->width != 0 && out->width < 88 ? 12 : 20;
	struct print_table *t;

	if (rss->at_ns == 0) {
		report_heading(out, "Resident memory: nobody has looked", "");
		return;
	}
	text_rss_heading(r, out);
	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < RSS_TERMS; i++) {
		print_cell(t, "%s", reconcile_names[i]);
		print_cell(t, "%s", text_format_bytes(bytes, rss->terms[i]));
		print_cell(t, "%s", report_share(share, rss->terms[i],
		    rss->resident));
		print_cell(t, "%s", print_bar(bar, room, rss->terms[i],
		    rss->resident));
		print_cell(t, "%s", rss_meanings[i]);
	}
	print_cell(t, "resident");
	print_cell(t, "%s", text_format_bytes(bytes, rss->resident));
	print_cell(t, "100 %%");
	print_cell(t, "%s", "");
	print_cell(t, "peak %s", text_format_bytes(peak, rss->peak));
	print_row_style(t, PRINT_STRONG);
	print_table_close(t, out, 2);
}

/* --- threads -------------------------------------------------------------- */

static void
put_signed(char *words, size_t room, uint64_t from, uint64_t to)
{
	char bytes[TEXT_BYTES_ROOM];

	snprintf(words, room, "%s%s", to < from ? "-" : "",
	    text_format_bytes(bytes, to < from ? from - to : to - from));
}

static void
text_threads(const struct report *r, const struct print *out)
{
	static const struct print_column columns[] = {
		{ "thread", true }, { "allocated", true }, { "blocks", true },
		{ "freed", true }, { "net", true }, { "state", false },
		{ "name", false },
	};
	char a[TEXT_BYTES_ROOM], b[TEXT_BYTES_ROOM], n[TEXT_COUNT_ROOM];
	char net[TEXT_BYTES_ROOM + 1];
	struct print_table *t;
	size_t shown = r->options->threads ? r->threads :
	    (size_t)min_u64(r->threads, THREADS_DEFAULT);

	if (r->threads < 2 && !r->options->threads)
		return;
	report_heading(out, "Threads", shown < r->threads ?
	    ", the busiest (--threads shows all)" : "");
	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < shown; i++) {
		const struct thread_row *row = &r->thread[i];

		put_signed(net, sizeof(net), row->freed, row->allocated);
		print_cell(t, "%" PRIu32, row->tid);
		print_cell(t, "%s", text_format_bytes(a, row->allocated));
		print_cell(t, "%s", text_format_count(n, row->allocations));
		print_cell(t, "%s", text_format_bytes(b, row->freed));
		print_cell(t, "%s", net);
		print_cell(t, "%s", row->state);
		print_cell(t, "%s", row->name);
	}
	print_table_close(t, out, 2);
}

/* --- children ------------------------------------------------------------- */

/* True if the file is the profile of a child of ours; @pid is written. */
static bool
is_child(const struct profile *p, int directory, const char *name,
    int32_t *pid)
{
	const struct segment_identity *own = &p->segment->identity;
	struct segment s = { 0 };
	ssize_t got;
	int fd;

	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	got = pread(fd, &s, sizeof(s), 0);
	close(fd);
	if (got != (ssize_t)sizeof(s) || s.head.layout != SEGMENT_LAYOUT ||
	    memcmp(s.head.magic, SEGMENT_MAGIC, sizeof(s.head.magic)) != 0)
		return false;
	*pid = s.identity.pid;
	return s.identity.parent_pid == own->pid &&
	    s.identity.parent_ticks == own->start_ticks &&
	    s.identity.pid != own->pid;
}

/* Children have profiles of their own, beside this one. */
static void
text_children(const struct report *r, const struct print *out)
{
	char *directory = need(strdup(r->profile->path));
	char *slash = strrchr(directory, '/');
	char pids[CHILDREN_MOST * 12 + 1] = "";
	size_t count = 0, used = 0;
	struct dirent *entry;
	int32_t pid;
	DIR *dir;

	if (slash != NULL)
		slash[slash == directory] = '\0';
	dir = opendir(slash != NULL ? directory : ".");
	free(directory);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, SEGMENT_SUFFIX) == NULL ||
		    !is_child(r->profile, dirfd(dir), entry->d_name, &pid))
			continue;
		if (count++ < CHILDREN_MOST)
			used += (size_t)snprintf(pids + used,
			    sizeof(pids) - used, " %" PRId32, pid);
	}
	closedir(dir);
	if (count == 0)
		return;
	fputc('\n', out->to);
	print_line(out, PRINT_PLAIN, "%zu child process%s with a profile of "
	    "%s own:%s%s", count, count == 1 ? "" : "es",
	    count == 1 ? "its" : "their", pids,
	    count > CHILDREN_MOST ? " ..." : "");
}

static void
text_unfollowed(const struct report *r, const struct print *out)
{
	uint64_t counts[UNFOLLOWED_KINDS] = { 0 };
	char text[PROFILE_CAUSES_ROOM];

	profile_add_unfollowed(r->profile, counts);
	if (!profile_describe_unfollowed(counts, text))
		return;
	fputc('\n', out->to);
	print_line(out, PRINT_PLAIN, "programs that it started and that are "
	    "not profiled: %s", text);
}

/* --- all of it ------------------------------------------------------------ */

static void
text_troubles(const struct report *r, const struct print *out)
{
	for (size_t i = 0; i < r->profile->modules; i++) {
		const char *trouble = symbols_trouble(r->symbols, i);
		char *path = profile_text(r->profile,
		    r->profile->module[i].path);

		/* The kernel's own module has no file, and no path. */
		if (trouble != NULL && path[0] == '/')
			print_line(out, PRINT_WARN, "no names from %s: %s",
			    path, trouble);
		free(path);
	}
}

void
report_print_text(const struct report *r)
{
	struct print out = print_open(stdout);

	if (r->profile->segment->identity.origin.bytes != 0)
		text_origin(r, &out);
	else
		text_identity(r, &out);
	text_stacks(r, &out);
	text_totals(r, &out);
	report_print_growth(r, &out);
	report_print_leaks(r, &out);
	report_print_findings(r, &out);
	text_ops(r, &out);
	text_rss(r, &out);
	report_print_sites(r, &out);
	report_print_pools(r, &out);
	report_print_marks(r, &out);
	text_threads(r, &out);
	text_children(r, &out);
	text_unfollowed(r, &out);
	text_troubles(r, &out);
}

