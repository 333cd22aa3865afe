/*
 * fuzz-config.c - a file of settings as anybody may write it
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "settings/config.h"

/* What was taken is what a setting may be, and tells where it stands. */
static void
is_sound(const struct config *c)
{
	const struct config_value *v;
	const struct setting *s;
	size_t i, k;

	for (s = settings; s->key != NULL; s++) {
		v = &config_values(c, s->key)[FROM_FILE];
		MUST((v->text == NULL) == (v->where == NULL));
		MUST(v->text == NULL || setting_check(s, v->text) == 0);
		MUST(config_where(c, s->key) != NULL);
	}
	for (i = 0; i < c->jobs; i++) {
		MUST(config_job(c, c->job[i].name) == &c->job[i]);
		for (k = 0; k < c->job[i].count; k++)
			MUST(*c->job[i].line[k].text != '\0');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[32], why[CONFIG_WHY_ROOM];
	int fd = memfd_create("config", MFD_CLOEXEC);
	struct config c;
	int r;

	MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(why, 'x', sizeof(why));
	config_open(&c);
	r = config_read_file(&c, path, why);
	MUST(r == 0 || r == -EINVAL);
	MUST(r == 0 || memchr(why, '\0', sizeof(why)) != NULL);
	is_sound(&c);
	if (r == 0)
		(void)config_check(&c, why);
	config_close(&c);
	close(fd);
	return 0;
}
