/*
 * object.h - what one ELF file and its debug files say of an address
 *
 * Beside the house (tools/symbols).  May use: base; libdw, libiberty.  Used
 * by: symbol.c.
 */
#ifndef SYMBOLS_OBJECT_H
#define SYMBOLS_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object;

struct object_frame {
	char *function;   /* demangled, to be freed; NULL: not known */
	const char *file; /* as long as the object; NULL: not known */
	uint32_t line;
	bool inlined;     /* into the frame that follows */
};

#define OBJECT_FRAMES 64 /* deeper inlining is cut at the leaf's end */

/*
 * Open @path, if it is the object that @build_id names (of 0 bytes: any is).
 *
 * Return: 0; -ESTALE it is another build; -ENOEXEC it is no ELF; or what
 * opening said.
 */
int object_open(const char *path, const uint8_t *build_id,
    size_t build_id_bytes, struct object **object);
void object_close(struct object *object);

/*
 * The functions at @address, which is in terms of the file (load base 0),
 * leaf first: those inlined there, then the one that holds them.  Returns how
 * many, at least 1 when anything is known, else 0.
 */
size_t object_find(struct object *object, uint64_t address,
    struct object_frame frames[OBJECT_FRAMES]);

/*
 * The variable at @address, demangled, to be freed; NULL: there is none.  How
 * far into it is in @offset.
 */
char *object_variable(struct object *object, uint64_t address,
    uint64_t *offset);

/* A C++ or Rust name as people write it, any other as it is; to be freed. */
char *object_demangle(const char *name);

#endif
