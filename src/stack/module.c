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

/* Rows whose object is gone, and whose place another one may have by now. */
#define WATCHED_MOST 16

static struct {
	_Atomic uint32_t last; /* row that the last address was found in */
	_Atomic uint32_t watched[WATCHED_MOST]; /* row + 1, or 0 */
} modules;

_Atomic uint32_t module_watched;

/* What struct module says of its object. */
enum unloaded {
	IN_PLACE,
	GONE,    /* nothing is known of what is there now */
	REPLACED /* another one is, or was */
};

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
	    segment_capacity(TABLE_MODULES));
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

/*
 * Does a row hold @pc?  Its writer is perhaps not done: the end is stored last
 * (write_row), and until then it is 0 and the row holds nothing.
 */
static bool
spans(const struct module *m, uint64_t pc)
{
	return pc < __atomic_load_n(&m->end, __ATOMIC_ACQUIRE) &&
	    pc >= m->start;
}

static bool
is(const struct module *m, enum unloaded state)
{
	return __atomic_load_n(&m->unloaded, __ATOMIC_ACQUIRE) == state;
}

static bool
holds(const struct module *m, uint64_t pc)
{
	return spans(m, pc) && is(m, IN_PLACE);
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
	/* Last: a row counts from here on. */
	__atomic_store_n(&m->end, o->end, __ATOMIC_RELEASE);
}

/* The object around @pc, as the loader's lock-free table has it. */
static bool
identify(uint64_t pc, struct object *o)
{
	struct dl_find_object found;
	const ElfW(Ehdr) *header;

	memset(o, 0, sizeof(*o));
	if (_dl_find_object((void *)(uintptr_t)pc, &found) != 0)
		return false;
	o->base = found.dlfo_link_map->l_addr;
	o->path = found.dlfo_link_map->l_name;
	o->start = (uintptr_t)found.dlfo_map_start;
	o->end = (uintptr_t)found.dlfo_map_end;
	header = found.dlfo_map_start;
	if (o->path == NULL || o->path[0] == '\0')
		/* The executable: what is found may be one of its segments. */
		read_headers(o, (const void *)getauxval(AT_PHDR),
		    getauxval(AT_PHNUM));
	else if (memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) <= 4096)
		/* The first page is the ELF header's, nearly always. */
		read_headers(o, (const void *)((const char *)header +
		    header->e_phoff), header->e_phnum);
	return true;
}

static COLD void
note_new(uint64_t pc, uint32_t node)
{
	struct object o;

	if (identify(pc, &o))
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

	if (last < count && holds(&m[last], pc))
		return;
	for (i = count; i > 0; i--) {
		if (holds(&m[i - 1], pc)) {
			atomic_store_explicit(&modules.last, (uint32_t)(i - 1),
			    memory_order_relaxed);
			return;
		}
	}
	note_new(pc, node);
}

/* --- objects that go ------------------------------------------------------ */

static bool
is_executable(const struct module *m)
{
	return m->path.offset == segment_mine()->identity.executable.offset;
}

/* Is it this very object?  A text that found no room tells nothing. */
static bool
is_same(const struct module *m, const struct object *o)
{
	const char *text = segment_rows(TABLE_TEXT);

	return m->base == o->base && m->start == o->start &&
	    m->end == o->end && m->build_id_bytes == o->build_id_bytes &&
	    memcmp(m->build_id, o->build_id != NULL ? o->build_id :
	    m->build_id, m->build_id_bytes) == 0 &&
	    (m->path.bytes == 0 || (o->path != NULL &&
	    strnlen(o->path, PATH_MOST) == m->path.bytes &&
	    memcmp(text + m->path.offset, o->path, m->path.bytes) == 0));
}

static void
set(struct module *m, enum unloaded state)
{
	__atomic_store_n(&m->unloaded, (uint8_t)state, __ATOMIC_RELEASE);
}

/* False: too many are watched. */
static bool
watch(uint32_t row)
{
	size_t i;

	for (i = 0; i < WATCHED_MOST; i++) {
		uint32_t none = 0;

		if (atomic_compare_exchange_strong(&modules.watched[i], &none,
		    row + 1)) {
			atomic_fetch_add(&module_watched, 1);
			return true;
		}
	}
	return false;
}

static struct module *
watched_at(uint64_t pc, size_t *slot)
{
	struct module *m = segment_rows(TABLE_MODULES);
	uint32_t row;

	for (*slot = 0; *slot < WATCHED_MOST; ++*slot) {
		row = atomic_load(&modules.watched[*slot]);
		if (row != 0 && spans(&m[row - 1], pc))
			return &m[row - 1];
	}
	return NULL;
}

static void
unwatch(size_t slot, struct module *m, enum unloaded state)
{
	uint32_t row = (uint32_t)(m -
	    (struct module *)segment_rows(TABLE_MODULES)) + 1;

	set(m, state);
	if (atomic_compare_exchange_strong(&modules.watched[slot], &row, 0))
		atomic_fetch_sub(&module_watched, 1);
}

bool
module_look_for_gone(bool *any, struct module_place *place)
{
	struct object o;
	uint64_t count;
	struct module *m = rows(&count);
	uint32_t i;

	for (i = 0; i < count; i++, m++) {
		if (m->end == 0 || !is(m, IN_PLACE) || is_executable(m) ||
		    (identify(m->start, &o) && is_same(m, &o)))
			continue;
		*any = true;
		if (watch(i)) {
			set(m, GONE);
			continue;
		}
		set(m, REPLACED);
		*place = (struct module_place){ m->start, m->end };
		return true;
	}
	return false;
}

bool
module_is_replaced(uint64_t pc, struct module_place *place)
{
	struct object o;
	size_t slot;
	struct module *m = watched_at(pc, &slot);

	if (m == NULL || !identify(pc, &o))
		return false;
	if (is_same(m, &o)) {
		unwatch(slot, m, IN_PLACE);
		return false;
	}
	*place = (struct module_place){ m->start, m->end };
	return true;
}

void
module_settle(uint64_t pc)
{
	size_t slot;
	struct module *m = watched_at(pc, &slot);

	if (m != NULL)
		unwatch(slot, m, REPLACED);
}

void
module_reset(void)
{
	size_t i;

	atomic_store(&modules.last, 0);
	for (i = 0; i < WATCHED_MOST; i++)
		atomic_store(&modules.watched[i], 0);
	atomic_store(&module_watched, 0);
}
