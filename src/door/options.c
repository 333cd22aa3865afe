#include "door/options.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/pressure.h"

/* A word that a variable accepts, and what it stands for. */
struct choice {
	const char *word;
	uint32_t value;
};

static const struct choice switches[] = {
	{ "0", false }, { "1", true }, { "off", false }, { "on", true },
	{ NULL, 0 }
};

static const struct choice stacks[] = {
	{ "none", STACKS_NONE }, { "sampled", STACKS_SAMPLED },
	{ "all", STACKS_ALL }, { NULL, 0 }
};

static const struct choice keepers[] = {
	{ "auto", false }, { "on", true }, { "off", false }, { NULL, 0 }
};

static const struct choice children[] = {
	{ "all", CHILDREN_ALL }, { "exec", CHILDREN_EXEC },
	{ "none", CHILDREN_NONE }, { NULL, 0 }
};

static const struct choice enforcements[] = {
	{ "off", ENFORCE_OFF }, { "enomem", ENFORCE_ENOMEM },
	{ "abort", ENFORCE_ABORT }, { "exit85", ENFORCE_EXIT85 },
	{ "stop", ENFORCE_STOP }, { NULL, 0 }
};

/* A text that is too long is none: no path and no run is cut. */
static void
copy(char *const *environment, const char *name, char *to, size_t room)
{
	const char *value = text_variable(environment, name);
	size_t n = value != NULL ? strlen(value) : 0;

	if (n >= room)
		n = 0;
	memcpy(to, value != NULL ? value : "", n);
	to[n] = '\0';
}

/*
 * HEAPTIDE, HEAPTIDE_...; and what the program may wait at, if it is the fifo of
 * a run: its name begins with the supervisor's pid, systemd's does not.
 */
static bool
has_our_name(const char *entry)
{
	static const char name[] = "HEAPTIDE";
	const char *value = text_value(entry, PRESSURE_WATCH);
	const char *last = value != NULL ? strrchr(value, '/') : NULL;

	if (value != NULL)
		return last != NULL && last[1] >= '0' && last[1] <= '9';
	return strncmp(entry, name, strlen(name)) == 0 &&
	    (entry[strlen(name)] == '=' || entry[strlen(name)] == '_');
}

/* What is kept of an entry is enough to know it again (FNV-1a); 0: not ours. */
static uint64_t
trace_of(const char *entry)
{
	uint64_t trace = UINT64_C(0xcbf29ce484222325);

	if (!has_our_name(entry))
		return 0;
	for (; *entry != '\0'; entry++)
		trace = (trace ^ (unsigned char)*entry) *
		    UINT64_C(0x100000001b3);
	return trace;
}

static void
note_given(char *const *environment, struct options *options)
{
	size_t used = 0;

	for (; environment != NULL && *environment != NULL &&
	    used < OPTIONS_GIVEN_MOST; environment++) {
		options->given[used] = trace_of(*environment);
		used += options->given[used] != 0;
	}
}

bool
options_given(const struct options *options, const char *entry)
{
	uint64_t trace = trace_of(entry);
	size_t i;

	for (i = 0; trace != 0 && i < OPTIONS_GIVEN_MOST; i++)
		if (options->given[i] == trace)
			return true;
	return false;
}

static int
choose(const char *value, const struct choice *choice, uint32_t *to)
{
	for (; choice->word != NULL; choice++) {
		if (strcmp(value, choice->word) == 0) {
			*to = choice->value;
			return 0;
		}
	}
	return -EINVAL;
}

static int
read_number(const char *value, uint64_t least, uint64_t most, uint32_t *to)
{
	uint64_t n;

	if (text_parse_u64(value, most, &n) < 0 || n < least)
		return -EINVAL;
	*to = (uint32_t)n;
	return 0;
}

/*
 * `count`; or `N` or `N+`, the call to fail or the first of all that fail;
 * with `:ERROR` behind it the number of an error, else it is EPERM.
 */
static int
read_fault(const char *value, struct sys_fault *fault)
{
	const char *p = value;
	uint64_t error = EPERM;
	uint64_t at = 0;

	if (strcmp(value, "count") != 0) {
		for (; *p >= '0' && *p <= '9'; p++)
			at = at * 10 + (uint64_t)(*p - '0');
		fault->onwards = *p == '+';
		p += fault->onwards;
		if (at == 0 || (*p != '\0' && (*p != ':' || text_parse_u64(
		    p + 1, 4095, &error) < 0 || error == 0)))
			return -EINVAL;
	}
	fault->at = at;
	fault->error = -(int)error;
	return 0;
}

/* A size within bounds, or 0 if it is not given. */
static int
read_bytes(char *const *environment, const char *name, uint64_t most,
    uint64_t *to)
{
	const char *value = text_variable(environment, name);
	uint64_t bytes;

	if (value == NULL || value[0] == '\0')
		return 0;
	if (text_parse_bytes(value, &bytes) < 0 || bytes == 0 || bytes > most)
		return -EINVAL;
	*to = bytes;
	return 0;
}

/* What the budget is to be, if it is given. */
static int
read_budget(char *const *environment, struct options *options)
{
	const char *value = text_setting(environment, "budget");

	options->has_budget = value != NULL;
	if (value == NULL)
		return 0;
	if (source_parse(value, &options->budget) < 0 ||
	    (options->budget.value == 0 && options->budget.form != FORM_LESS))
		return -EINVAL;
	return 0;
}

/* A share in thousandths, rounded down but never to 0, which is: not given. */
static int
read_mille(char *const *environment, const char *name, uint16_t *to)
{
	const char *value = text_variable(environment, name);
	uint64_t share;

	*to = 0;
	if (value == NULL || value[0] == '\0')
		return 0;
	if (text_parse_share(value, &share) < 0 || share == 0)
		return -EINVAL;
	*to = (uint16_t)max_u64(share / 1000, 1);
	return 0;
}

/* A time, or 0 if it is not given, or is 0. */

static int
read_epoch(char *const *environment, uint64_t *to)
{
	const char *value = text_variable(environment, "HEAPTIDE_EPOCH");
	uint64_t ns;

	if (value == NULL || value[0] == '\0' || strcmp(value, "0") == 0)
		return 0;
	if (text_parse_duration(value, &ns) < 0 || ns < EPOCH_LEAST_NS)
		return -EINVAL;
	*to = ns;
	return 0;
}

int
options_read(char *const *environment, struct options *options,
    const char **wrong)
{
	uint32_t enabled = true;
	uint32_t verify = false;
	uint32_t python = true;
	uint32_t scan = false;
	uint32_t root = 0;
	uint32_t seed = 0;
	const char *fault;
	const struct {
		const char *name;
		const struct choice *choices; /* NULL: a number */
		uint64_t least, most;
		uint32_t *to;
	} table[] = {
		{ "HEAPTIDE", switches, 0, 0, &enabled },
		{ "HEAPTIDE_STACKS", stacks, 0, 0, &options->stacks },
		{ "HEAPTIDE_DEPTH", NULL, 1, SEGMENT_DEPTH_MOST,
		    &options->depth },
		{ "HEAPTIDE_CHILDREN", children, 0, 0, &options->children },
		{ "HEAPTIDE_KEEPER", keepers, 0, 0, &options->keeper },
		{ "HEAPTIDE_SCAN_AT_EXIT", switches, 0, 0, &scan },
		{ "HEAPTIDE_PYTHON", switches, 0, 0, &python },
		{ "HEAPTIDE_VERIFY", switches, 0, 0, &verify },
		{ "HEAPTIDE_ROOT", NULL, 1, INT_MAX, &root },
		{ "HEAPTIDE_SEED", NULL, 1, INT_MAX, &seed },
		{ "HEAPTIDE_ENFORCE", enforcements, 0, 0, &options->enforce },
	};
	const struct {
		const char *name;
		uint16_t *to;
	} shares[] = {
		{ "HEAPTIDE_WARN", &options->warn_mille },
		{ "HEAPTIDE_CRITICAL", &options->critical_mille },
		{ "HEAPTIDE_TARGET", &options->target_mille },
	};
	size_t i;

	options->stacks = STACKS_SAMPLED;
	options->sample = SEGMENT_SAMPLE;
	options->depth = SEGMENT_DEPTH;
	options->children = CHILDREN_ALL;
	options->enforce = ENFORCE_OFF;
	options->epoch = 0;
	note_given(environment, options);
	copy(environment, "HEAPTIDE_RUN", options->run, sizeof(options->run));
	options->log[0] = '\0';
	if (text_log(environment) != NULL)
		copy(environment, "HEAPTIDE_LOG", options->log,
		    sizeof(options->log));
	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		const char *value = text_variable(environment, table[i].name);
		int r;

		if (value == NULL || value[0] == '\0')
			continue;
		r = table[i].choices != NULL ?
		    choose(value, table[i].choices, table[i].to) :
		    read_number(value, table[i].least, table[i].most,
		    table[i].to);
		if (r < 0) {
			*wrong = table[i].name;
			return r;
		}
	}
	if (read_bytes(environment, "HEAPTIDE_SAMPLE", SEGMENT_SAMPLE_MOST,
	    &options->sample) < 0) {
		*wrong = "HEAPTIDE_SAMPLE";
		return -EINVAL;
	}
	if (read_budget(environment, options) < 0) {
		*wrong = "HEAPTIDE_BUDGET";
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_LENGTH(shares); i++) {
		if (read_mille(environment, shares[i].name,
		    shares[i].to) < 0) {
			*wrong = shares[i].name;
			return -EINVAL;
		}
	}
	if (read_epoch(environment, &options->epoch) < 0) {
		*wrong = "HEAPTIDE_EPOCH";
		return -EINVAL;
	}
	fault = text_variable(environment, "HEAPTIDE_FAULT");
	if (fault != NULL && read_fault(fault, &options->fault) < 0) {
		*wrong = "HEAPTIDE_FAULT";
		return -EINVAL;
	}
	options->enabled = enabled;
	options->python = python;
	options->verify = verify;
	options->scans_at_exit = scan;
	options->root = (int)root;
	options->seed = seed;
	return 0;
}
