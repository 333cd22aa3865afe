#include "symbols/symtab.h"

#include <gelf.h>
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define NEIGHBOURS 8 /* symbols that are tried for one address */

struct symbol {
	uint64_t start;
	uint64_t end; /* == start: the table gives no size */
	const char *name;
};

/* --- functions ------------------------------------------------------------ */

static int
symbol_compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static bool
is_function(const GElf_Sym *symbol, GElf_Word section, const char *name)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	if (section == SHN_UNDEF || name == NULL || *name == '\0')
		return false;
	/* Assembler often forgets the type; its local labels are no names. */
	return type == STT_FUNC || type == STT_GNU_IFUNC ||
	    (type == STT_NOTYPE &&
	    GELF_ST_BIND(symbol->st_info) != STB_LOCAL);
}

static void
index_all(struct symtab *t, Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);

	t->made = true;
	if (count <= 0)
		return;
	t->row = malloc((size_t)count * sizeof(*t->row));
	if (t->row == NULL)
		return;
	for (int i = 0; i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr address;
		GElf_Word section;
		const char *name = dwfl_module_getsym_info(module, i,
		    &symbol, &address, &section, NULL, NULL);

		if (is_function(&symbol, section, name))
			t->row[t->count++] = (struct symbol){
				address, address + symbol.st_size, name,
			};
	}
	if (t->count != 0)
		qsort(t->row, t->count, sizeof(*t->row), symbol_compare);
}

/*
 * The function that starts last before @address and reaches it.  A few are
 * tried: labels of assembler may lie within a function.
 */
const char *
symtab_find(struct symtab *t, Dwfl_Module *module, uint64_t address)
{
	size_t n;

	if (!t->made)
		index_all(t, module);
	n = rows_upto(t->row, sizeof(*t->row), offsetof(struct symbol, start),
	    t->count, address);
	for (size_t tried = 0; n > 0 && tried < NEIGHBOURS; tried++) {
		const struct symbol *s = &t->row[--n];

		if (address < s->end || (tried == 0 && s->end == s->start))
			return s->name;
	}
	return NULL;
}

void
symtab_free(struct symtab *t)
{
	free(t->row);
	*t = (struct symtab){ NULL, 0, false };
}

/* --- variables and names -------------------------------------------------- */

bool
symtab_is_mangled(const char *name)
{
	/* Only what cannot be a name of C by accident. */
	return strncmp(name, "_Z", 2) == 0 || strncmp(name, "_R", 2) == 0 ||
	    strncmp(name, "__Z", 3) == 0 || strncmp(name, "___Z", 4) == 0;
}

char *
symtab_demangle(const char *name)
{
	char *plain = NULL;

	if (symtab_is_mangled(name))
		plain = cplus_demangle(name,
		    DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO);
	return plain != NULL ? plain : strdup(name);
}

/* Seldom asked for: a walk through the table each time. */
char *
symtab_variable(Dwfl_Module *module, uint64_t address, uint64_t *offset)
{
	int count = dwfl_module_getsymtab(module);
	char *found = NULL;

	for (int i = 0; i < count && found == NULL; i++) {
		GElf_Sym symbol;
		GElf_Addr start;
		GElf_Word section;
		const char *name = dwfl_module_getsym_info(module, i,
		    &symbol, &start, &section, NULL, NULL);

		if (name == NULL || section == SHN_UNDEF ||
		    GELF_ST_TYPE(symbol.st_info) != STT_OBJECT ||
		    address < start || address - start >= symbol.st_size)
			continue;
		*offset = address - start;
		found = symtab_demangle(name);
	}
	return found;
}
