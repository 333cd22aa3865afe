/*
 * settings.h - everything that can be set, in one table; and presets of it
 *
 * Beside the house (tools/settings).  May use: base, model.  Used by: config.h
 * and the commands that show settings; the page heaptide-config(5) is held to
 * it.
 *
 * A setting has a key (`batch.initial`), by which a file has it, a variable
 * (HEAPTIDE_BATCH_INITIAL, text_setting_name()), by which the environment has
 * it and the program finds it, and perhaps an option of `heaptide run`.
 */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

enum setting_kind {
	SETTING_SWITCH,   /* on, off; also 1 and 0 */
	SETTING_CHOICE,   /* one of .words */
	SETTING_WORDS,    /* some of .words, with commas between */
	SETTING_COUNT,    /* a whole number, .least to .most */
	SETTING_FACTOR,   /* a decimal number, .least to .most */
	SETTING_BYTES,    /* a size, .least to .most */
	SETTING_AMOUNT,   /* 512M, 60% or max-256M */
	SETTING_SHARE,    /* 60% */
	SETTING_DURATION, /* 500ms, 5s; .least ns or more, or 0 */
	SETTING_GROWTH,   /* MiB an hour, or a share a batch: 10, 10% */
	SETTING_GATE,     /* 100M:skip, 100M:wait=30s, 100M:fail */
	SETTING_KNOBS,    /* NAME=NUMBER, with commas between */
	SETTING_PRESET,   /* a name of a preset */
	SETTING_TEXT      /* anything but nothing */
};

/* Who acts on it. */
enum setting_reader {
	READ_BY_COMMANDS, /* heaptide, before anything is started */
	READ_BY_RUN,      /* `heaptide run` itself */
	READ_BY_LIBRARY,  /* libheaptide.so */
	READ_BY_PROGRAM   /* exported; heaptide itself does nothing with it */
};

/* A table of these ends with a row that has no key. */
struct setting {
	const char *key;
	const char *option;   /* of `heaptide run`, without dashes, or NULL */
	enum setting_kind kind;
	enum setting_reader reader;
	const char *fallback; /* the default, as in a file; "": none */
	const char *help;     /* one line, lower case, no full stop */
	const char *const *words; /* ends with NULL */
	uint64_t least, most; /* 0: no bound */
};

extern const struct setting settings[];

/* Their number. */
size_t settings_count(void);

/* The row of @key, or NULL. */
const struct setting *setting_find(const char *key);

const char *setting_reader_word(enum setting_reader reader);

/* 0, or -EINVAL: @value is not accepted. */
int setting_check(const struct setting *s, const char *value);

/* What is accepted: "none, sampled or all". */
#define SETTING_WORDS_ROOM 256
char *setting_accepted(const struct setting *s,
    char words[SETTING_WORDS_ROOM]);

/* --- the values, once they are checked ------------------------------------ */

/* Of a switch: is it on? */
int setting_is_on(const char *value);

enum gate_policy { GATE_SKIP, GATE_WAIT, GATE_FAIL };

struct setting_gate {
	uint64_t need_bytes;
	enum gate_policy policy;
	uint64_t wait_ns; /* GATE_WAIT: for so long at most */
};

#define GATE_WAIT_NS (300 * UINT64_C(1000000000)) /* if no time is given */

int setting_gate_parse(const char *value, struct setting_gate *gate);

/* --- presets -------------------------------------------------------------- */

#define PRESET_ROWS 14

/* A table of these ends with a row that has no name. */
struct preset {
	const char *name;
	const char *help;
	struct preset_row {
		const char *key, *value;
	} row[PRESET_ROWS]; /* ends with NULL, or is full */
};

extern const struct preset presets[];

/* By its name; NULL: there is none.  `auto` is one without rows. */
const struct preset *preset_find(const char *name);

/* The one that `auto` means, where the budget comes to @bytes. */
const struct preset *preset_of_budget(uint64_t bytes);

/* The names: "dev, prod ... or auto". */
char *preset_names(char words[SETTING_WORDS_ROOM]);

#endif
