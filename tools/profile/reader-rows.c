/*
 * reader-rows.c - what the rows of a profile say, those that lie left out
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "profile/reader.h"

/* --- rows that lie -------------------------------------------------------- */

static bool
text_is_good(const struct profile *p, struct segment_text text)
{
	return text.offset <= p->text_bytes &&
	    text.bytes <= p->text_bytes - text.offset;
}

static bool
node_is_good(const struct profile *p, size_t i)
{
	return i == 0 || (i < p->nodes && p->node[i].parent < i);
}

static bool
site_is_good(const struct profile *p, size_t i)
{
	return p->site[i].leaf < p->nodes;
}

static bool
count_is_good(const struct profile *p, size_t i)
{
	return stamp_site(p->count[i].stamp) < p->sites;
}

static bool
first_count_is_good(const struct profile *p, size_t i)
{
	uint32_t site = stamp_site(p->first_count[i].stamp);

	return site == 0 || site == i;
}

static bool
module_is_good(const struct profile *p, size_t i)
{
	const struct module *m = &p->module[i];

	if (m->end == 0)
		return true; /* not finished when we looked */
	return m->start < m->end &&
	    m->build_id_bytes <= sizeof(m->build_id) &&
	    text_is_good(p, m->path);
}

static bool
mapping_is_good(const struct profile *p, size_t i)
{
	const struct mapping *m = &p->mapping[i];

	return m->start <= m->end && m->kind < MAPPING_KINDS &&
	    (m->site == 0 || m->site < p->sites);
}

static bool
finding_is_good(const struct profile *p, size_t i)
{
	const struct finding *f = &p->finding[i];

	return f->kind == FINDING_NONE || (f->kind < FINDING_KINDS &&
	    (f->allocated == 0 || f->allocated < p->sites) &&
	    f->freed < max_u64(p->nodes, 1) &&
	    f->first_freed < max_u64(p->nodes, 1));
}

static bool
named_is_good(const struct profile *p, size_t i)
{
	const struct named *n = &p->named[i];

	return text_is_good(p, n->function) && text_is_good(p, n->file) &&
	    text_is_good(p, n->module);
}

static size_t
count_bad(const struct profile *p, size_t rows,
    bool (*is_good)(const struct profile *, size_t))
{
	size_t bad = 0;

	for (size_t i = 0; i < rows; i++)
		bad += !is_good(p, i);
	return bad;
}

size_t
profile_count_damaged(const struct profile *p)
{
	const struct segment_identity *id = &p->segment->identity;
	const struct segment_text texts[] = {
		id->executable, id->arguments, id->host, id->run,
		id->directory, id->allocator, id->origin,
	};
	size_t bad = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		bad += !text_is_good(p, texts[i]);
	bad += count_bad(p, p->nodes, node_is_good);
	bad += count_bad(p, p->sites, site_is_good);
	bad += count_bad(p, p->first_counts, first_count_is_good);
	bad += count_bad(p, p->counts, count_is_good);
	bad += count_bad(p, p->modules, module_is_good);
	bad += count_bad(p, p->mappings, mapping_is_good);
	bad += count_bad(p, p->findings, finding_is_good);
	bad += count_bad(p, p->nameds, named_is_good);
	return bad;
}

/* --- texts ---------------------------------------------------------------- */

char *
profile_text(const struct profile *profile, struct segment_text text)
{
	char *fresh;

	if (!text_is_good(profile, text))
		text.bytes = 0;
	fresh = strndup(text.bytes != 0 ? profile->text + text.offset : "",
	    text.bytes);
	if (fresh == NULL)
		abort(); /* a few bytes: there is nothing left to do */
	return fresh;
}

/* @texts has a zero byte behind each text; the vector goes in front of them. */
static char **
split_texts(const char *texts, size_t bytes)
{
	size_t count = 0, at = 0;
	char **list, *copy;

	for (size_t i = 0; i < bytes; i++)
		count += texts[i] == '\0' || i + 1 == bytes;
	list = malloc((count + 1) * sizeof(char *) + bytes + 1);
	if (list == NULL)
		abort();
	copy = (char *)(list + count + 1);
	memcpy(copy, texts, bytes);
	copy[bytes] = '\0';
	for (size_t i = 0; i < count; i++) {
		list[i] = copy + at;
		at += strlen(copy + at) + 1;
	}
	list[count] = NULL;
	return list;
}

char **
profile_arguments(const struct profile *profile)
{
	const struct segment_identity *id = &profile->segment->identity;
	struct segment_text text = id->arguments;

	if (text.bytes == 0 || !text_is_good(profile, text))
		text = id->executable;
	if (text.bytes == 0 || !text_is_good(profile, text))
		return split_texts("?", 1);
	return split_texts(profile->text + text.offset, text.bytes);
}

char *
profile_command(const struct profile *profile)
{
	char **arguments = profile_arguments(profile), *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	for (size_t i = 0; to != NULL && arguments[i] != NULL; i++)
		fprintf(to, "%s%s", i == 0 ? "" : " ", arguments[i]);
	free(arguments);
	if (to == NULL || fclose(to) != 0)
		abort();
	return text;
}

/* --- stacks --------------------------------------------------------------- */

size_t
profile_stack(const struct profile *profile, const struct site *site,
    uint64_t *pcs, uint32_t *nodes, size_t room)
{
	uint32_t at = site->leaf;
	size_t count = 0;

	while (at != 0 && at < profile->nodes && count < room) {
		pcs[count] = profile->node[at].pc;
		nodes[count++] = at;
		if (!node_is_good(profile, at))
			break; /* its parent is a lie; the leaf's part is not */
		at = profile->node[at].parent;
	}
	return count;
}

int
profile_pool(const struct profile *profile, const struct site *site)
{
	uint64_t row;

	if ((site->flags & SITE_POOL) == 0 || site->leaf >= profile->nodes)
		return -1;
	row = profile->node[site->leaf].pc - NODE_POOL;
	return row < profile->pools ? (int)row : -1;
}

char *
profile_pool_name(const struct profile *profile, size_t row,
    char name[PROFILE_POOL_ROOM])
{
	size_t i;

	memcpy(name, profile->pool[row].name, PROFILE_POOL_ROOM);
	name[PROFILE_POOL_ROOM - 1] = '\0';
	for (i = 0; name[i] != '\0'; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == '\x7f')
			name[i] = '?';
	return name;
}

const struct named *
profile_named(const struct profile *profile, uint64_t pc)
{
	uint64_t row = pc - NODE_NAMED;

	return pc >= NODE_NAMED && row < profile->nameds ?
	    &profile->named[row] : NULL;
}

bool
profile_lacks(const struct profile *profile, uint32_t which)
{
	return (profile->segment->identity.unknown & which) != 0;
}

const struct module *
profile_module(const struct profile *profile, uint64_t pc, uint32_t node)
{
	const struct module *last = NULL;

	/* A call may be the last instruction: the one behind is elsewhere. */
	for (size_t i = 0; i < profile->modules; i++) {
		const struct module *m = &profile->module[i];

		if (pc - 1 >= m->start && pc - 1 < m->end &&
		    m->first_node <= node && module_is_good(profile, i) &&
		    (last == NULL || m->first_node >= last->first_node))
			last = m;
	}
	return last;
}
