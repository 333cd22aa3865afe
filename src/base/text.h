/*
 * text.h - sizes, durations, lines and variables, as text, without malloc
 *
 * Floor 0.  May use: base.  Used by: everything.
 * Contexts: anywhere; nothing here allocates, touches errno or asks the locale,
 * or has state, but for the unit that a command may set before all else.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line being built in a buffer of fixed size; what does not fit is cut. */
struct text {
	char *start;
	size_t bytes; /* of the buffer, the terminator included */
	size_t used;  /* without the terminator */
	int cut;      /* 1: something did not fit */
};

void text_open(struct text *t, char *buffer, size_t bytes);
void text_put(struct text *t, const char *s);

/* @from in a field of @room bytes, cut to fit, which is filled up with zeros. */
void text_field(char *to, size_t room, const char *from);
void text_put_bytes(struct text *t, const char *s, size_t n);
void text_put_u64(struct text *t, uint64_t n);
void text_put_i64(struct text *t, int64_t n);

/* @c in lower case, if it is a letter of ASCII. */
char text_lower(char c);

/* The value of an entry NAME=VALUE; NULL: it is not that of @name. */
const char *text_value(const char *entry, const char *name);

/* That of the first of an environment, which may be NULL; NULL: unset. */
const char *text_variable(char *const *environment, const char *name);

/*
 * The variable of a setting: `batch.initial` is HEAPTIDE_BATCH_INITIAL; a few
 * have a shorter name.  What does not fit is cut.  Returns @buffer.
 */
#define TEXT_SETTING_ROOM 64
char *text_setting_name(char buffer[TEXT_SETTING_ROOM], const char *key);

/* HEAPTIDE_LOG; NULL: none, or the word `debug`, which names no file. */
const char *text_log(char *const *environment);
/* Is that word there, or what others call it?  It stands for log.debug. */
bool text_log_debugs(char *const *environment);

/* How it is set in an environment, which may be NULL; NULL: not, or empty. */
const char *text_setting(char *const *environment, const char *key);

/*
 * Read a size: `512`, `64K`, `512M`, `1.5G`, also `KiB`, `MB`, `kb`, `B` and
 * friends; powers of 1024 throughout.  No blanks, no sign.
 *
 * Return: 0; -EINVAL it is no size; -ERANGE it does not fit 64 bits.  @bytes
 * is written on success only.
 */
int text_parse_bytes(const char *s, uint64_t *bytes);

/* Read a share: `60%`, `7.5%`, 0 to 100.  In millionths of the whole. */
int text_parse_share(const char *s, uint64_t *millionths);

/* Read a number, all of @s: `10`, `0.5`; so much of @unit, rounded down. */
int text_parse_times(const char *s, uint64_t unit, uint64_t *product);

/* Read a duration: `500ms`, `5s`, `2m`, `1h`, `24h`, `1.5s`; a unit is due. */
int text_parse_duration(const char *s, uint64_t *ns);

/* Read a whole decimal number, all of @s, at most @most. */
int text_parse_u64(const char *s, uint64_t most, uint64_t *n);

/*
 * Write a size for people, in at most four digits and a unit: `0 B`, `812 B`,
 * `1.5 KiB`, `41.2 MiB`, `2.00 GiB`.  Returns @buffer.
 */
#define TEXT_BYTES_ROOM 28
char *text_format_bytes(char buffer[TEXT_BYTES_ROOM], uint64_t bytes);

/*
 * From now on all sizes in this unit: "B", "KB", "MB", "GB", which are of powers
 * of 1024 here as everywhere; "auto": as above.  0; -EINVAL: it is none.
 */
int text_set_unit(const char *unit);

/* A duration for people: `850 ms`, `12.3 s`, `4 min 10 s`, `2 h 10 min`. */
#define TEXT_DURATION_ROOM 24
char *text_format_duration(char buffer[TEXT_DURATION_ROOM], uint64_t ns);

/* Bytes a second for people: `+1.5 MiB/s`; by the hour if slow: `-300 KiB/h`. */
#define TEXT_RATE_ROOM 32
char *text_format_rate(char buffer[TEXT_RATE_ROOM], double rate);

/* Write a count for people, in groups of three: `1 234 567`. */
#define TEXT_COUNT_ROOM 28
char *text_format_count(char buffer[TEXT_COUNT_ROOM], uint64_t n);

#endif
