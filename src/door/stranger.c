#include "door/stranger.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#include "base/base.h"
#include "control/bypass.h"
#include "door/real.h"
#include "mem/segment.h"

#define PATH_MOST 128 /* more than a row keeps */

static struct {
	struct segment_objects objects;
	const char *first; /* path of objects.first; NULL: the program's */
} stranger;

/* NULL: it is the program itself, whose name stands in no list. */
static const char *
name_at(uint64_t address)
{
	struct dl_find_object found;
	const char *name;

	if (_dl_find_object((void *)(uintptr_t)address, &found) != 0)
		return "?";
	name = found.dlfo_link_map->l_name;
	return name != NULL && *name != '\0' ? name : NULL;
}

static struct segment_bypass *
note(enum bypass_why why, const char *name)
{
	struct segment *s = segment_mine();
	struct segment_text text = s->identity.executable;
	char path[PATH_MOST + 1];

	if (name == NULL) {
		size_t bytes = min_u64(text.bytes, PATH_MOST);

		memcpy(path, (const char *)segment_rows(TABLE_TEXT) +
		    text.offset + text.bytes - bytes, bytes);
		path[bytes] = '\0';
		name = path;
	}
	return bypass_note(s, why, name, NULL);
}

static uint64_t
start_of(const void *address)
{
	Dl_info info;

	return dladdr(address, &info) != 0 ? (uintptr_t)info.dli_fbase : 0;
}

/*
 * Whose malloc is found first?  A program that was linked at a fixed address
 * has a stub that stands for malloc's address and defines nothing.
 */
static void
find_first(void)
{
	void *found = dlsym(RTLD_DEFAULT, "malloc");
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	if (found == NULL || dladdr1(found, &info, (void **)&symbol,
	    RTLD_DL_SYMENT) == 0 || (symbol != NULL &&
	    symbol->st_shndx == SHN_UNDEF))
		return;
	if ((uintptr_t)info.dli_fbase == stranger.objects.heaptide)
		return;
	stranger.objects.first = (uintptr_t)info.dli_fbase;
	stranger.first = name_at((uintptr_t)found);
}

void
stranger_find(void)
{
	stranger.objects.heaptide = start_of(&stranger);
	stranger.objects.allocator = real.allocator_start;
	find_first();
}

void
stranger_store(void)
{
	segment_mine()->objects = stranger.objects;
	if (stranger.objects.first != 0)
		(void)note(BYPASS_FIRST, stranger.first);
}

/* The row of the module at @pc, which the dynamic linker's own table names. */
static COLD struct segment_bypass *
meet(uint64_t pc)
{
	struct dl_find_object found;
	struct segment_bypass *row;

	if (_dl_find_object((void *)(uintptr_t)pc, &found) != 0)
		return NULL;
	row = note(BYPASS_FREES, name_at(pc));
	if (row != NULL) {
		row->start = (uintptr_t)found.dlfo_map_start;
		row->end = (uintptr_t)found.dlfo_map_end;
	}
	return row;
}

void
stranger_freed(uint64_t pc)
{
	struct segment *s = segment_mine();
	struct segment_bypass *fresh;
	size_t i;

	for (i = 0; i < SEGMENT_BYPASSES; i++) {
		struct segment_bypass *row = &s->bypass[i];

		if (row->why != BYPASS_FREES || pc < row->start ||
		    pc >= row->end)
			continue;
		atomic_fetch_add(&row->frees, 1);
		return;
	}
	fresh = meet(pc);
	if (fresh != NULL)
		atomic_fetch_add(&fresh->frees, 1);
}
