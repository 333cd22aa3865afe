#include "stack/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/base.h"
#include "mem/segment.h"
#include "sys/sys.h"

#define PATH_MOST 4096

static struct {
	_Atomic uint32_t last; /* row that the last address was found in */
} modules;

/* What module_write() is told of an object. */
struct object {
	uint64_t start;
	uint64_t end;
	uint64_t base;
	const char *path;
	const uint8_t *build_id;
	size_t build_id_bytes;
};

static struct module *
rows(uint64_t *count)
{
	const struct segment_table *t = &segment_mine()->table[TABLE_MODULES];

	*count = min_u64(atomic_load_explicit(&t->used, memory_order_acquire),
	    t->capacity);
	return segment_rows(TABLE_MODULES);
}

static void
find_build_id(struct object *o, const void *notes, uint64_t bytes)
{
	const char *p = notes;
	const char *end = p + bytes;

	while (end - p >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *n = (const void *)p;
		const char *name = p + sizeof(*n);
		const char *data = name + round_up(n->n_namesz, 4);

		if (data + n->n_descsz > end)
			return;
		if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 &&
		    memcmp(name, "GNU", 4) == 0) {
			o->build_id = (const void *)data;
			o->build_id_bytes = min_u64(n->n_descsz, 20);
			return;
		}
		p = data + round_up(n->n_descsz, 4);
	}
}

/* Notes need not be loaded: is there a segment around this one? */
static bool
is_loaded(const ElfW(Phdr) *note, const ElfW(Phdr) *headers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (headers[i].p_type == PT_LOAD &&
		    note->p_vaddr >= headers[i].p_vaddr &&
		    note->p_vaddr + note->p_memsz <=
		    headers[i].p_vaddr + headers[i].p_memsz)
			return true;
	return false;
}

/* Take range and build-id from the program headers as they are in memory. */
static void
read_headers(struct object *o, const ElfW(Phdr) *headers, size_t count)
{
	size_t i;

	o->start = UINT64_MAX;
	o->end = 0;
	for (i = 0; i < count; i++) {
		const ElfW(Phdr) *h = &headers[i];
		uint64_t at = o->base + h->p_vaddr;

		if (h->p_type == PT_LOAD) {
			o->start = min_u64(o->start, round_down(at, 4096));
			o->end = max_u64(o->end, at + h->p_memsz);
		} else if (h->p_type == PT_NOTE && o->build_id == NULL &&
		    is_loaded(h, headers, count)) {
			find_build_id(o, (const void *)at, h->p_memsz);
		}
	}
}

static void
write_row(const struct object *o, uint32_t node)
{
	const char *name = o->path;
	int64_t number;
	struct module *m;

	number = segment_take(TABLE_MODULES, 1);
	if (number < 0) {
		atomic_fetch_add(&segment_mine()->lost.modules, 1);
		return;
	}
	m = (struct module *)segment_rows(TABLE_MODULES) + number;
	m->base = o->base;
	/* The executable has no name of its own in the loader's list. */
	m->path = name == NULL || name[0] == '\0' ?
	    segment_mine()->identity.executable :
	    segment_text(name, strnlen(name, PATH_MOST));
	m->first_node = node;
	m->build_id_bytes = (uint8_t)o->build_id_bytes;
	if (o->build_id_bytes > 0)
		memcpy(m->build_id, o->build_id, o->build_id_bytes);
	m->start = o->start;
	m->end = o->end; /* last: a row counts from here on */
}

/* The object around @pc, as the loader's lock-free table has it. */
static COLD void
note_new(uint64_t pc, uint32_t node)
{
	struct object o = { 0 };
	struct dl_find_object found;
	const ElfW(Ehdr) *header;

	if (_dl_find_object((void *)(uintptr_t)pc, &found) != 0)
		return;
	o.base = found.dlfo_link_map->l_addr;
	o.path = found.dlfo_link_map->l_name;
	o.start = (uintptr_t)found.dlfo_map_start;
	o.end = (uintptr_t)found.dlfo_map_end;
	header = found.dlfo_map_start;
	if (o.path == NULL || o.path[0] == '\0') {
		/* The executable: what is found may be one of its segments. */
		read_headers(&o, (const void *)getauxval(AT_PHDR),
		    getauxval(AT_PHNUM));
		write_row(&o, node);
		return;
	}
	/* The first page of an object is its ELF header, nearly always. */
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) <= 4096)
		read_headers(&o, (const void *)((const char *)header +
		    header->e_phoff), header->e_phnum);
	write_row(&o, node);
}

void
module_note(uint64_t pc, uint32_t node)
{
	uint64_t count;
	const struct module *m = rows(&count);
	uint32_t last = atomic_load_explicit(&modules.last,
	    memory_order_relaxed);
	uint64_t i;

	if (last < count && pc >= m[last].start && pc < m[last].end)
		return;
	for (i = count; i > 0; i--) {
		if (pc >= m[i - 1].start && pc < m[i - 1].end) {
			atomic_store_explicit(&modules.last, (uint32_t)(i - 1),
			    memory_order_relaxed);
			return;
		}
	}
	note_new(pc, node);
}

void
module_reset(void)
{
	atomic_store(&modules.last, 0);
}
