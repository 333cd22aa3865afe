/*
 * base.h - the words of the house
 *
 * Floor 0.  May use: nothing of ours.  Used by: everything.
 * Contexts: all of it is inline and touches no state of its own, so it may be
 * used anywhere: inside malloc, in a signal handler, in a child just forked.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A function that the dynamic linker may hand to others; all else is hidden. */
#define EXPORT __attribute__((visibility("default")))
/* Of data: found without asking the table of what others may bring. */
#define INSIDE __attribute__((visibility("hidden")))

/* The short road stays short: what is rare is a function of its own. */
#define COLD __attribute__((cold, noinline))
/* And in one piece: what it is made of is there, whatever it comes to. */
#define HOT inline __attribute__((always_inline))

/*
 * What is rare and stands last in a function: it returns to where that would.
 * A compiler that is told not to optimise makes no jumps, so there it is part
 * of that.
 */
#ifdef __OPTIMIZE__
#define JUMPED_TO __attribute__((noinline))
#else
#define JUMPED_TO inline __attribute__((always_inline))
#endif

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define NS_PER_MINUTE (60 * NS_PER_S)
#define NS_PER_HOUR   (60 * NS_PER_MINUTE)
#define NS_PER_DAY    (24 * NS_PER_HOUR)

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t
max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * The whole part of @x.  What is less than 0 or no number becomes 0, what is
 * more than 64 bits hold becomes all of them: C leaves both undefined, and a
 * figure that was read or worked out of what was read may be anything.
 */
static inline uint64_t
whole_u64(double x)
{
	return !(x > 0) ? 0 : x < 18446744073709551616.0 ? (uint64_t)x :
	    UINT64_MAX; /* 2^64, which a double has exactly */
}

/* Wraps around: what a damaged profile says may be anything. */
static inline int64_t
add_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t
min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* By how much @a is above @b; 0 if it is not. */
static inline uint64_t
above_u64(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* @to must be a power of two. */
static inline uint64_t
round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static inline uint64_t
round_down(uint64_t n, uint64_t to)
{
	return n & ~(to - 1);
}

/*
 * Of @count rows of @bytes each, in ascending order of the 64 bits that each
 * has at @word: in how many these are at most @key.
 */
static inline size_t
rows_upto(const void *rows, size_t bytes, size_t word, size_t count,
    uint64_t key)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const void *here = (const char *)rows + middle * bytes + word;

		if (*(const uint64_t *)here <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * A finaliser of 64 bits (Stafford's variant 13 of MurmurHash3's): every bit
 * of the input reaches every bit of the result.
 */
static inline uint64_t
mix_u64(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

#endif
