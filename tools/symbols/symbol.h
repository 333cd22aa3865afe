/*
 * symbol.h - from return addresses to functions, files and lines
 *
 * Beside the house (tools/symbols).  May use: base, reader, print; libdw,
 * libiberty.  Used by: cmd-*.c.
 *
 * Names come from the files that the profile's modules name, and from debug
 * files found by build-id or debug link; a file that is not the one that ran
 * (another build-id) is not asked.  Answers are kept by build-id under
 * ${XDG_CACHE_HOME:-~/.cache}/heaptide/, so the second look is quick; a cache
 * that cannot be read or written costs time and nothing else.
 */
#ifndef SYMBOLS_SYMBOL_H
#define SYMBOLS_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/reader.h"

/*
 * One function of a path.  The texts are never NULL and live as long as the
 * symbols do.
 */
struct frame {
	const char *function; /* demangled; `module+0x1234` if unknown */
	const char *file;     /* "" if unknown */
	const char *module;   /* path; "" if unknown */
	uint32_t line;        /* 0 if unknown */
	bool inlined;         /* into the frame that follows */
	bool named;           /* false: function is only an address */
	bool note;            /* true: no function, "[deeper frames cut]" */
	uint64_t pc;          /* the return address, as recorded */
};

struct symbols;

/*
 * @online: also ask the servers that DEBUGINFOD_URLS names; without it they
 * are left alone.  Never NULL.
 */
struct symbols *symbols_open(const struct profile *profile, bool online);
void symbols_close(struct symbols *s);

/* Look up all frames of @sites at once, with a progress bar when it is slow. */
void symbols_resolve(struct symbols *s, const struct site *const *sites,
    size_t count);

/*
 * The frames of @site, leaf first, inlined ones included; *@frames is given
 * back with free().  Returns how many.  Operators new are allocation functions
 * as malloc() is: the first frame is who called them.
 */
size_t symbols_stack(struct symbols *s, const struct site *site,
    struct frame **frames);

/* The same with these, and so one of a node has its frames first. */
size_t symbols_whole_stack(struct symbols *s, const struct site *site,
    struct frame **frames);

/*
 * Which variable is at @address, for people: `table (prog)`, `module+0x12`.
 */
void symbols_variable(struct symbols *s, uint64_t address, char *words,
    size_t room);

/* The last part of the path of the module at @address, or the address. */
void symbols_module(struct symbols *s, uint64_t address, char *words,
    size_t room);

/*
 * Why module @index (of the profile) has no names, or NULL if it has, or was
 * never asked for any: "another build is installed now".
 */
const char *symbols_trouble(const struct symbols *s, size_t index);

/* `file.c:12`, with the file's last part only; "" if unknown. */
#define SYMBOL_PLACE_ROOM 128
char *symbols_place(const struct frame *frame, char buffer[SYMBOL_PLACE_ROOM]);

#endif
