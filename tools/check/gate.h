/*
 * gate.h - the expressions of `heaptide check`, read
 *
 * Beside the house (tools/check).  May use: base.  Used by: check*.c.
 *
 *	FIGURE [(AGE)] [@PATTERN] OPERATOR VALUE [/UNIT]
 *
 *	growth>0/batch   growth@parse.c>4K/hour   survivors(3)>64K
 *	peak>512M        peak>+10%                allocations>1.5M/batch
 *
 * A figure may also have the name that JSON has for it, as in live_bytes>0.
 * Blanks may stand between the parts.  The operator is the last there is, so
 * that a pattern may have some of its own: `growth@vector<int>>0`.
 */
#ifndef CHECK_GATE_H
#define CHECK_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gate_figure {
	GATE_GROWTH,      /* what the sites that surely grow gain together */
	GATE_LEAKED,      /* what was never given back */
	GATE_UNREACHABLE, /* what nothing points to, by a scan */
	GATE_SURVIVORS,   /* what is at least so many epochs old */
	GATE_LEAKS,       /* sites that surely grow */
	GATE_STEPS,       /* sites that rose at one moment, and stayed */
	GATE_PEAK,
	GATE_LIVE,
	GATE_BLOCKS,      /* live ones */
	GATE_RESIDENT,    /* the most of it; "rss" is the same */
	GATE_ALLOCATIONS,
	GATE_ALLOCATED,
	GATE_TEMPORARY,
	GATE_LOST,        /* all that withdraws the word "exact" */
	GATE_FIGURES
};

enum gate_operator {
	GATE_AT_LEAST,
	GATE_AT_MOST,
	GATE_EQUAL,
	GATE_UNEQUAL,
	GATE_ABOVE,
	GATE_BELOW
};

enum gate_unit {
	GATE_WHOLE, /* in all; of growth: whatever there is */
	GATE_BATCH, /* an epoch */
	GATE_HOUR,
	GATE_SECOND
};

/* What a figure is; a row a figure. */
struct gate_figure_row {
	const char *name;
	const char *means; /* a noun */
	bool bytes;   /* a size, else a count */
	bool sites;   /* it is made of sites, so a pattern can choose of them */
	bool leak;    /* each site is a fault of its own, if it is not
	               * suppressed; else they only make up a total */
	bool rate;    /* it can be asked for by batch and by time */
	bool shares;  /* it can be compared with a baseline's */
	bool age;     /* it has one */
};

extern const struct gate_figure_row gate_figures[GATE_FIGURES];

#define GATE_PATTERN_ROOM 256

struct gate {
	const char *text;     /* as it was given */
	enum gate_figure figure;
	uint64_t age;         /* epochs, of GATE_SURVIVORS */
	char pattern[GATE_PATTERN_ROOM]; /* as in suppress.h; "": all sites */
	enum gate_operator operator;
	bool relative;        /* to the baseline */
	double value;         /* bytes, a count; relative: 0.1 is +10 % */
	enum gate_unit unit;
};

/*
 * Read @text, which must outlive @gate.  False: it is not understood; @why is
 * a sentence that has the expression and what is accepted, and @gate is as it
 * was.
 */
#define GATE_WHY_ROOM 512
bool gate_parse(const char *text, struct gate *gate, char why[GATE_WHY_ROOM]);

/* Does it hold of @value?  @base: the baseline's, if it is relative. */
bool gate_holds(const struct gate *gate, double value, double base);

/* Is @a nearer to holding than @b, or does it hold more clearly? */
bool gate_is_worse(const struct gate *gate, double a, double b);

/* " a batch", " an hour", "/s"; "" for all of it. */
const char *gate_unit_words(enum gate_unit unit);

/* A value of that figure, for people: "1.5 KiB a batch", "12 500". */
#define GATE_VALUE_ROOM 64
char *gate_format(enum gate_figure figure, double value, enum gate_unit unit,
    char words[GATE_VALUE_ROOM]);

#endif
