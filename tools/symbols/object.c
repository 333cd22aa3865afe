/*
 * object.c - what one ELF file and its debug files say of an address
 *
 * libdw answers single questions by walking whole units or symbol tables.  We
 * ask thousands, so each unit that is met gets an index of its functions, and
 * the symbol table is sorted once (symtab.c).
 */
#include "symbols/object.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "base/base.h"
#include "symbols/symtab.h"

#define NEST_MOST  256 /* levels of DIEs that are followed */

/* A range of addresses and the DIE of the unit or function that has it. */
struct range {
	uint64_t start;
	uint64_t end;
	Dwarf_Die die;
};

struct ranges {
	struct range *row;
	size_t count, room;
};

/* The functions of a unit, by address. */
struct unit {
	UT_hash_handle hh;
	void *key; /* of the unit's DIE */
	struct ranges functions;
};

/* A file's name that no debug information has in one piece. */
struct joined {
	UT_hash_handle hh;
	char path[];
};

struct object {
	Dwfl *dwfl;
	Dwfl_Module *module;
	Dwarf *dwarf;           /* NULL: there is none */
	Dwarf_Addr dwarf_bias;
	struct unit *units;
	struct joined *joined;
	struct ranges all;      /* of all units; made if aranges are wanting */
	bool all_made;
	struct symtab symbols;
};

/* --- opening -------------------------------------------------------------- */

static int
is_regular(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -ENOEXEC;
}

static int
check_build(Dwfl_Module *module, const uint8_t *build_id, size_t bytes)
{
	const unsigned char *bits;
	GElf_Addr address;
	int n;

	if (bytes == 0)
		return 0;
	n = dwfl_module_build_id(module, &bits, &address);
	if (n != (int)bytes || memcmp(bits, build_id, bytes) != 0)
		return -ESTALE;
	return 0;
}

int
object_open(const char *path, const uint8_t *build_id, size_t build_id_bytes,
    struct object **object)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	struct object *o;
	int r;

	r = is_regular(path);
	if (r < 0)
		return r;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return -ENOMEM;
	r = -ENOEXEC;
	o->dwfl = dwfl_begin(&callbacks);
	if (o->dwfl == NULL)
		goto out;
	/* Base 0: addresses of the module are those of the file. */
	o->module = dwfl_report_elf(o->dwfl, path, path, -1, 0, true);
	if (o->module == NULL || dwfl_report_end(o->dwfl, NULL, NULL) != 0)
		goto out;
	r = check_build(o->module, build_id, build_id_bytes);
	if (r < 0)
		goto out;
	o->dwarf = dwfl_module_getdwarf(o->module, &o->dwarf_bias);
	*object = o;
	return 0;
out:
	object_close(o);
	return r;
}

void
object_close(struct object *object)
{
	struct unit *unit, *next;
	struct joined *joined, *after;

	if (object == NULL)
		return;
	HASH_ITER(hh, object->joined, joined, after) {
		HASH_DEL(object->joined, joined);
		free(joined);
	}
	HASH_ITER(hh, object->units, unit, next) {
		HASH_DEL(object->units, unit);
		free(unit->functions.row);
		free(unit);
	}
	free(object->all.row);
	symtab_free(&object->symbols);
	if (object->dwfl != NULL)
		dwfl_end(object->dwfl);
	free(object);
}

/* --- ranges --------------------------------------------------------------- */

static void
range_put(struct ranges *r, uint64_t start, uint64_t end, const Dwarf_Die *die)
{
	if (start >= end)
		return;
	if (r->count == r->room) {
		size_t room = r->room == 0 ? 64 : r->room * 2;
		struct range *grown = realloc(r->row, room * sizeof(*grown));

		if (grown == NULL)
			return; /* a name less */
		r->row = grown;
		r->room = room;
	}
	r->row[r->count++] = (struct range){ start, end, *die };
}

static void
range_put_die(struct ranges *r, Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0)
		range_put(r, start, end, die);
}

static int
range_compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void
range_sort(struct ranges *r)
{
	if (r->count != 0)
		qsort(r->row, r->count, sizeof(*r->row), range_compare);
}

static struct range *
range_find(const struct ranges *r, uint64_t address)
{
	size_t n = rows_upto(r->row, sizeof(*r->row),
	    offsetof(struct range, start), r->count, address);

	return n > 0 && address < r->row[n - 1].end ? &r->row[n - 1] : NULL;
}

/* --- units and their functions -------------------------------------------- */

/* clang writes no aranges, so the units themselves are asked. */
static void
index_units(struct object *o)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	while (dwarf_get_units(o->dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0)
		range_put_die(&o->all, &die);
	range_sort(&o->all);
	o->all_made = true;
}

static bool
find_unit(struct object *o, uint64_t address, Dwarf_Die *die)
{
	const struct range *range;

	if (dwarf_addrdie(o->dwarf, address, die) != NULL)
		return true;
	if (!o->all_made)
		index_units(o);
	range = range_find(&o->all, address);
	if (range == NULL)
		return false;
	*die = range->die;
	return true;
}

/*
 * All functions below @die, wherever they are: in namespaces (Rust, C++), in
 * other functions (Fortran, GNU C).  What was inlined is found later, from
 * the function that holds it.
 */
static void
index_functions(struct ranges *r, Dwarf_Die *die, unsigned depth)
{
	Dwarf_Die child;

	if (depth == NEST_MOST || dwarf_child(die, &child) != 0)
		return;
	do {
		switch (dwarf_tag(&child)) {
		case DW_TAG_subprogram:
			range_put_die(r, &child);
			index_functions(r, &child, depth + 1);
			break;
		case DW_TAG_inlined_subroutine:
		case DW_TAG_enumeration_type:
		case DW_TAG_array_type:
		case DW_TAG_subroutine_type:
			break;
		default:
			index_functions(r, &child, depth + 1);
		}
	} while (dwarf_siblingof(&child, &child) == 0);
}

static struct unit *
get_unit(struct object *o, Dwarf_Die *die)
{
	struct unit *unit;
	void *key = die->addr;

	HASH_FIND_PTR(o->units, &key, unit);
	if (unit != NULL)
		return unit;
	unit = calloc(1, sizeof(*unit));
	if (unit == NULL)
		return NULL;
	unit->key = key;
	index_functions(&unit->functions, die, 0);
	range_sort(&unit->functions);
	HASH_ADD_PTR(o->units, key, unit);
	return unit;
}

/* The DIE that has the functions: another file's with -gsplit-dwarf. */
static Dwarf_Die
whole_unit(Dwarf_Die die)
{
	Dwarf_Die split = { 0 };

	if (dwarf_cu_info(die.cu, NULL, NULL, NULL, &split, NULL, NULL,
	    NULL) == 0 && split.addr != NULL)
		return split;
	return die;
}

/* --- one function --------------------------------------------------------- */

static const char *
string_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;

	if (dwarf_attr_integrate(die, name, &attribute) == NULL)
		return NULL;
	return dwarf_formstring(&attribute);
}

static char *
name_of(Dwarf_Die *die)
{
	static const unsigned names[] = {
		DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name,
	};

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		const char *name = string_of(die, names[i]);

		if (name != NULL && *name != '\0')
			return object_demangle(name);
	}
	return NULL;
}

static uint32_t
number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_attr(die, name, &attribute) == NULL ||
	    dwarf_formudata(&attribute, &value) != 0)
		return 0;
	return (uint32_t)value;
}

static bool
holds_code(int tag)
{
	switch (tag) {
	case DW_TAG_inlined_subroutine:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_with_stmt:
		return true;
	}
	return false;
}

/* The child of @die that holds @address, if any. */
static bool
find_child(Dwarf_Die *die, uint64_t address, Dwarf_Die *child)
{
	if (dwarf_child(die, child) != 0)
		return false;
	do {
		if (holds_code(dwarf_tag(child)) &&
		    dwarf_haspc(child, address) == 1)
			return true;
	} while (dwarf_siblingof(child, child) == 0);
	return false;
}

/* The inlined calls that hold @address, outermost first. */
static size_t
find_inlined(Dwarf_Die function, uint64_t address,
    Dwarf_Die inlined[OBJECT_FRAMES - 1])
{
	Dwarf_Die at = function, child;
	size_t count = 0;

	for (unsigned depth = 0; depth < NEST_MOST; depth++) {
		if (!find_child(&at, address, &child))
			break;
		if (dwarf_tag(&child) == DW_TAG_inlined_subroutine) {
			if (count == OBJECT_FRAMES - 1)
				break;
			inlined[count++] = child;
		}
		at = child;
	}
	return count;
}

/*
 * Who compiles `../a.c` writes that down, and the directory beside it.  Only
 * together they say which file it is.
 */
static const char *
whole_path(struct object *o, Dwarf_Die *unit, const char *file)
{
	const char *directory = file == NULL || *file == '/' ? NULL :
	    string_of(unit, DW_AT_comp_dir);
	struct joined *j;
	char *path;

	if (directory == NULL || *directory != '/' ||
	    asprintf(&path, "%s/%s", directory, file) < 0)
		return file;
	HASH_FIND_STR(o->joined, path, j);
	if (j == NULL) {
		j = calloc(1, sizeof(*j) + strlen(path) + 1);
		if (j != NULL) {
			strcpy(j->path, path);
			HASH_ADD_STR(o->joined, path, j);
		}
	}
	free(path);
	return j != NULL ? j->path : file;
}

static const char *
file_of_call(Dwarf_Die *unit, Dwarf_Die *inlined)
{
	Dwarf_Files *files;
	size_t count;
	uint32_t file = number_of(inlined, DW_AT_call_file);

	if (dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
		return NULL;
	return dwarf_filesrc(files, file, NULL, NULL);
}

static void
find_line(Dwarf_Die *unit, uint64_t address, struct object_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number = 0;

	if (line == NULL)
		return;
	frame->file = dwarf_linesrc(line, NULL, NULL);
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		frame->line = (uint32_t)number;
}

/* Leaf first: each frame's place is where the next inner one was called. */
static size_t
find_by_dwarf(struct object *o, uint64_t address,
    struct object_frame frames[OBJECT_FRAMES])
{
	Dwarf_Die inlined[OBJECT_FRAMES - 1];
	Dwarf_Die skeleton, die;
	struct range *function;
	struct unit *unit;
	size_t count, i;

	address -= o->dwarf_bias;
	if (o->dwarf == NULL || !find_unit(o, address, &skeleton))
		return 0;
	die = whole_unit(skeleton);
	unit = get_unit(o, &die);
	function = unit != NULL ? range_find(&unit->functions, address) : NULL;
	frames[0] = (struct object_frame){ 0 };
	find_line(&skeleton, address, &frames[0]);
	frames[0].file = whole_path(o, &skeleton, frames[0].file);
	if (function == NULL)
		return frames[0].file != NULL; /* assembler: lines alone */

	count = find_inlined(function->die, address, inlined);
	for (i = 0; i < count; i++) {
		Dwarf_Die *call = &inlined[count - 1 - i];

		frames[i].function = name_of(call);
		frames[i].inlined = true;
		frames[i + 1] = (struct object_frame){
			.file = whole_path(o, &skeleton, file_of_call(&die,
			    call)),
			.line = number_of(call, DW_AT_call_line),
		};
	}
	frames[count].function = name_of(&function->die);
	return count + 1;
}

/* --- all of it ------------------------------------------------------------ */

size_t
object_find(struct object *object, uint64_t address,
    struct object_frame frames[OBJECT_FRAMES])
{
	size_t count = find_by_dwarf(object, address, frames);
	const char *name = symtab_find(&object->symbols, object->module,
	    address);
	struct object_frame *holder;

	if (count == 0 && name == NULL)
		return 0;
	if (count == 0)
		frames[count++] = (struct object_frame){ 0 };
	holder = &frames[count - 1];
	/*
	 * DWARF gives some functions of C++ their last name only; the symbol
	 * has the namespaces and classes as well.
	 */
	if (name == NULL || (holder->function != NULL &&
	    !symtab_is_mangled(name)))
		return count;
	free(holder->function);
	holder->function = object_demangle(name);
	return count;
}

char *
object_demangle(const char *name)
{
	return symtab_demangle(name);
}

char *
object_variable(struct object *object, uint64_t address, uint64_t *offset)
{
	return symtab_variable(object->module, address, offset);
}
