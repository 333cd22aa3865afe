/*
 * builds.c - which modules of two profiles are the same, and which are not
 */
#include "profile/builds.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/base.h"
#include "say/need.h"
#include "say/print.h"

struct family {
	char *name;
	bool all_have_ids; /* build-ids */
	bool rebuilt;
	UT_hash_handle hh;
};

struct member {
	const struct module *module;
	struct family *family; /* NULL: it was not finished */
	uint32_t class;
};

/* --- families ------------------------------------------------------------- */

static size_t
id_bytes(const struct module *m)
{
	return min_u64(m->build_id_bytes, sizeof(m->build_id));
}

static bool
is_same_build(const struct module *a, const struct module *b)
{
	return id_bytes(a) == id_bytes(b) &&
	    memcmp(a->build_id, b->build_id, id_bytes(a)) == 0;
}

static struct family *
family_of(struct builds *b, const struct profile *p,
    const struct module *module)
{
	char *path = profile_text(p, module->path);
	const char *name = basename(path);
	struct family *f;

	HASH_FIND_STR(b->families, name, f);
	if (f == NULL) {
		f = need(calloc(1, sizeof(*f)));
		f->name = need_text("%s", name);
		f->all_have_ids = true;
		HASH_ADD_KEYPTR(hh, b->families, f->name, strlen(f->name), f);
	}
	free(path);
	f->all_have_ids &= id_bytes(module) != 0;
	return f;
}

static void
find_members(struct builds *b, int s)
{
	const struct profile *p = b->profile[s];

	b->member[s] = need(calloc(p->modules + 1, sizeof(*b->member[s])));
	for (size_t i = 0; i < p->modules; i++) {
		b->member[s][i].module = &p->module[i];
		if (p->module[i].end != 0)
			b->member[s][i].family = family_of(b, p,
			    &p->module[i]);
	}
}

/* --- builds --------------------------------------------------------------- */

/* Is there a build of @f on side @s that the other side has not? */
static bool
has_own_build(const struct builds *b, const struct family *f, int s)
{
	const struct member *mine = b->member[s], *theirs = b->member[!s];
	size_t n = b->profile[s]->modules;
	size_t others = b->profile[!s]->modules;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		if (mine[i].family != f || id_bytes(mine[i].module) == 0)
			continue;
		while (k < others && (theirs[k].family != f ||
		    !is_same_build(mine[i].module, theirs[k].module)))
			k++;
		if (k == others)
			return true;
	}
	return false;
}

/* Two modules of a family are of one class unless their builds tell. */
static bool
is_same_class(const struct member *a, const struct member *b)
{
	return a->family == b->family && (!a->family->all_have_ids ||
	    is_same_build(a->module, b->module));
}

/* The first of its class, of side 0 if there is one, gives the number. */
static uint32_t
class_of(const struct builds *b, const struct member *member)
{
	size_t number = 0;

	for (int s = 0; s < 2; s++)
		for (size_t i = 0; i < b->profile[s]->modules; i++) {
			if (is_same_class(&b->member[s][i], member))
				return (uint32_t)number;
			number++;
		}
	return 0; /* it is of its own class, at least */
}

/* --- the face ------------------------------------------------------------- */

void
builds_open(struct builds *b, const struct profile *p0,
    const struct profile *p1)
{
	struct family *f, *next;

	*b = (struct builds){ .profile = { p0, p1 } };
	for (int s = 0; s < 2; s++)
		find_members(b, s);
	HASH_ITER(hh, b->families, f, next)
		f->rebuilt = f->all_have_ids && has_own_build(b, f, 0) &&
		    has_own_build(b, f, 1);
	for (int s = 0; s < 2; s++)
		for (size_t i = 0; i < b->profile[s]->modules; i++)
			if (b->member[s][i].family != NULL)
				b->member[s][i].class = class_of(b,
				    &b->member[s][i]);
}

void
builds_close(struct builds *b)
{
	struct family *f, *next;

	HASH_ITER(hh, b->families, f, next) {
		HASH_DEL(b->families, f);
		free(f->name);
		free(f);
	}
	free(b->member[0]);
	free(b->member[1]);
}

uint32_t
builds_class(const struct builds *b, int side, size_t module)
{
	return b->member[side][module].class;
}

const char *
builds_rebuilt(const struct builds *b, int side, size_t module)
{
	const struct family *f = b->member[side][module].family;

	return f != NULL && f->rebuilt ? f->name : NULL;
}

char **
builds_list(const struct builds *b, size_t *count)
{
	struct family *f, *next;
	char **list = need(calloc(HASH_COUNT(b->families) + 1,
	    sizeof(*list)));

	*count = 0;
	HASH_ITER(hh, b->families, f, next)
		if (f->rebuilt)
			list[(*count)++] =
			    print_clean(need_text("%s", f->name));
	return list;
}
