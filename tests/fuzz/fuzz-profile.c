/*
 * fuzz-profile.c - a profile from a damaged disk, or from an enemy
 *
 * All that `heaptide report`, `leaks`, `recommend`, `ops`, `export` and `merge` do
 * with it, but for looking into the files that it names: those are elfutils' to
 * read.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/base.h"
#include "formats/export.h"
#include "formats/merge.h"
#include "ops/advise.h"
#include "ops/ops.h"
#include "report/leaks.h"
#include "report/page.h"
#include "report/report.h"
#include "symbols/object.h"

int
object_open(const char *path, const uint8_t *build_id, size_t build_id_bytes,
    struct object **object)
{
	(void)path;
	(void)build_id;
	(void)build_id_bytes;
	(void)object;
	return -ENOENT;
}

void
object_close(struct object *object)
{
	(void)object;
}

size_t
object_find(struct object *object, uint64_t address,
    struct object_frame frames[OBJECT_FRAMES])
{
	(void)object;
	(void)address;
	(void)frames;
	return 0;
}

char *
object_variable(struct object *object, uint64_t address, uint64_t *offset)
{
	(void)object;
	(void)address;
	(void)offset;
	return NULL;
}

char *
object_demangle(const char *name)
{
	return strdup(name);
}

/* Every accessor, with every row. */
static void
walk(const struct profile *p)
{
	uint64_t pcs[64];
	uint32_t nodes[64];

	for (size_t i = 0; i < p->sites; i++) {
		size_t n = profile_stack(p, &p->site[i], pcs, nodes, 64);

		MUST(n <= 64);
		for (size_t k = 0; k < n; k++) {
			const struct module *m = profile_module(p, pcs[k],
			    nodes[k]);

			MUST(m == NULL || (pcs[k] >= m->start &&
			    pcs[k] <= m->end));
		}
		MUST((int64_t)p->figures[i].live_bytes >= 0);
	}
	for (size_t i = 0; i < p->modules; i++)
		free(profile_text(p, p->module[i].path));
	free(profile_arguments(p));
	free(profile_command(p));
	(void)profile_is_exact(p);
}

static void
print(const struct profile *p, bool json)
{
	const struct report_options options = {
		.json = json, .threads = true, .full = true, .callers = 8,
		.top = 50,
	};
	struct report r;

	report_open(&r, p, &options);
	if (json)
		(void)report_print_json(&r);
	else
		report_print_text(&r);
	if (json)
		json_decref(page_json(&r));
	report_close(&r);
}

static void
print_leaks(const struct profile *p, bool json)
{
	const struct leaks_options options = {
		.json = json, .all = true, .callers = 3, .top = 50,
		.warmup = UINT64_MAX,
	};
	struct leaks l;

	MUST(leaks_open(&l, p, &options, "leaks"));
	if (json)
		(void)leaks_print_json(&l);
	else
		leaks_print_text(&l);
	leaks_close(&l);
}

static void
print_advice(const struct profile *p)
{
	const struct print out = { .to = stdout };
	char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM];
	struct advised a;

	advise_open(&a, p, "input");
	for (size_t i = 0; i < a.counsel->count; i++) {
		const struct advice *advice = &a.counsel->advice[i];

		MUST(strlen(advise_text(&a, advice, text)) < sizeof(text));
		MUST(strlen(advise_setting(&a, advice, setting)) <
		    sizeof(setting));
		json_decref(advise_json(&a, advice));
	}
	ops_print_tables(&out, a.counsel->op, a.counsel->facts.ops);
	ops_print_curves(&out, a.counsel->op, a.counsel->facts.ops);
	json_decref(ops_json(a.counsel->op, a.counsel->facts.ops));
	json_decref(ops_json_curves(a.counsel->op, a.counsel->facts.ops));
	advise_close(&a);
}

/*
 * In every format: none of them believes what it reads, either.  But for
 * heaptrack's, which has up to 16 million lines.
 */
static void
export(const struct profile *p, FILE *to)
{
	static bool (*const write[])(const struct export *) = {
		export_pprof, export_collapsed, export_speedscope,
		export_massif, export_callgrind, export_csv, export_json,
	};
	const struct report_options options = { .full = true };
	struct report r;
	struct export e;

	report_open(&r, p, &options);
	export_open(&e, &r, to, EXPORT_LIVE);
	for (size_t i = 0; i < ARRAY_LENGTH(write); i++)
		(void)write[i](&e);
	export_close(&e);
	report_close(&r);
}

/* It twice, as two files, is refused; once it is a sum. */
static void
merge(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("profile", 0);
	char path[64], why[512];
	struct merge m;

	MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	merge_open(&m, 2);
	MUST(merge_add(&m, path, why));
	MUST(!merge_add(&m, path, why));
	if (merge_finish(&m, why))
		walk(&m.sum);
	merge_close(&m);
	close(fd);
}

/*
 * A file of fields of eight bytes: now and then one gets a value at the edge
 * of what sums, products and doubles hold, where bytes changed one by one
 * seldom come.
 */
size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most,
    unsigned seed)
{
	static const uint64_t edge[] = {
		0, 1, UINT32_MAX, UINT64_C(1) << 53, INT64_MAX,
		(uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX,
	};
	uint64_t draw = mix_u64(seed);
	size_t fields = size / sizeof(*edge);

	if (draw % 2 == 0 || fields == 0)
		return LLVMFuzzerMutate(bytes, size, most);
	memcpy(bytes + draw / 16 % fields * sizeof(*edge),
	    &edge[draw / 2 % ARRAY_LENGTH(edge)], sizeof(*edge));
	return size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int opened;
	struct profile p;
	char why[512];

	if (!opened) {
		/* No cache: what one input leaves is not another's. */
		MUST(setenv("XDG_CACHE_HOME", "/dev/null", 1) == 0);
		MUST(freopen("/dev/null", "w", stdout) != NULL);
		opened = 1;
	}
	if (profile_open_bytes(bytes, size, "input", &p, why) < 0) {
		MUST(memchr(why, '\0', sizeof(why)) != NULL);
		MUST(strchr(why, '\n') == NULL);
		return 0;
	}
	walk(&p);
	print(&p, false);
	print(&p, true);
	print_leaks(&p, false);
	print_leaks(&p, true);
	print_advice(&p);
	export(&p, stdout);
	profile_close(&p);
	merge(bytes, size);
	return 0;
}
