/*
 * presets.c - settings that belong together, under a name
 *
 * The figures are those that people have used for such machines and jobs; a
 * preset is what rules where nothing else is set.
 */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "settings/settings.h"

const struct preset presets[] = {
	{ "dev", "a machine of 8 to 16 GiB that is worked at", {
		{ "batch.initial", "2" },
		{ "concurrency.max", "1" },
		{ "budget", "256M" },
		{ "checkpoint.every", "3" } } },
	{ "prod", "a server of 32 GiB and more", {
		{ "batch.initial", "3" },
		{ "concurrency.max", "2" },
		{ "budget", "512M" },
		{ "checkpoint.every", "5" } } },
	{ "high", "a server of 64 GiB and more", {
		{ "batch.initial", "5" },
		{ "concurrency.max", "3" },
		{ "budget", "1G" },
		{ "checkpoint.every", "10" } } },
	{ "free", "an instance of 512 MiB", {
		{ "batch.fixed", "25" },
		{ "budget", "512M" } } },
	{ "starter", "an instance of 1 GiB", {
		{ "batch.fixed", "50" },
		{ "budget", "1G" } } },
	{ "standard", "an instance of 2 GiB", {
		{ "batch.fixed", "100" },
		{ "budget", "2G" } } },
	{ "pro", "an instance of 4 GiB and more", {
		{ "batch.fixed", "200" },
		{ "budget", "4G" } } },
	{ "large", "very large inputs: small batches, less quality", {
		{ "batch.fixed", "25" },
		{ "knobs", "samples=6,high_recall=0" } } },
	{ "constrained", "little memory: small batches, less quality", {
		{ "batch.fixed", "25" },
		{ "knobs", "max_tokens=4000,high_recall=0" } } },
	{ "performance", "much memory: large batches, best quality", {
		{ "batch.fixed", "100" },
		{ "knobs", "samples=10,high_recall=1" } } },
	{ "seed", "batches of 3 in 512 MiB, with checkpoints and retries", {
		{ "batch.fixed", "3" },
		{ "batch.timeout", "30s" },
		{ "budget", "512M" },
		{ "target", "60%" },
		{ "warn", "80%" },
		{ "concurrency.max", "2" },
		{ "checkpoint.every", "5" },
		{ "checkpoint.max_age", "24h" },
		{ "retry.max", "3" },
		{ "retry.delay", "5s" },
		{ "retry.fallback", "2" },
		{ "reclaim.auto", "on" } } },
	{ "seed001", "2 GiB, a warning at half, none started above 3/4", {
		{ "budget", "2G" },
		{ "warn", "50%" },
		{ "critical", "75%" },
		{ "batch.min", "1" },
		{ "batch.max", "5" },
		{ "policy", "seed" } } },
	{ "auto", "the one of the above for the budget that there is", {
		{ NULL, NULL } } },
	{ NULL, NULL, { { NULL, NULL } } }
};

const struct preset *
preset_find(const char *name)
{
	const struct preset *p;

	for (p = presets; p->name != NULL; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

/* Instances are sold by their memory, and some of it is not there. */
const struct preset *
preset_of_budget(uint64_t bytes)
{
	static const struct {
		uint64_t below;
		const char *name;
	} ladder[] = {
		{ 768 * MIB, "free" },
		{ 1536 * MIB, "starter" },
		{ 3 * GIB, "standard" },
		{ 7 * GIB, "pro" },
		{ 28 * GIB, "dev" },
		{ 60 * GIB, "prod" },
		{ UINT64_MAX, "high" },
	};
	size_t i = 0;

	while (bytes >= ladder[i].below && ladder[i].below != UINT64_MAX)
		i++;
	return preset_find(ladder[i].name);
}

char *
preset_names(char words[SETTING_WORDS_ROOM])
{
	const struct preset *p;
	struct text t;

	text_open(&t, words, SETTING_WORDS_ROOM);
	for (p = presets; p->name != NULL; p++) {
		if (p != presets)
			text_put(&t, p[1].name != NULL ? ", " : " or ");
		text_put(&t, p->name);
	}
	return words;
}
