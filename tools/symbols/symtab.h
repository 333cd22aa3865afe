/*
 * symtab.h - what the symbol table of an ELF file says of an address
 *
 * Beside the house (tools/symbols).  May use: libdwfl, libiberty.  Used by:
 * object.c.
 *
 * libdwfl walks through the whole table for each question; of functions
 * thousands are asked, so they are sorted once.
 */
#ifndef SYMBOLS_SYMTAB_H
#define SYMBOLS_SYMTAB_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol;

/* The functions of a module, by address.  Zeroed: not asked yet. */
struct symtab {
	struct symbol *row;
	size_t count;
	bool made;
};

/* Its name, as long as @module; NULL: none has @address. */
const char *symtab_find(struct symtab *t, Dwfl_Module *module,
    uint64_t address);
void symtab_free(struct symtab *t);

/* As object_variable(). */
char *symtab_variable(Dwfl_Module *module, uint64_t address,
    uint64_t *offset);

bool symtab_is_mangled(const char *name);
/* As people write it; to be freed. */
char *symtab_demangle(const char *name);

#endif
