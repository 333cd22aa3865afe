/*
 * fuzz.h - what the fuzz targets share
 *
 * Each tests/fuzz/fuzz-NAME.c is a program of libFuzzer's: it is given bytes
 * as an enemy or a broken disk would write them, and may do anything with them
 * but crash, hang, or contradict itself.  Inputs that once did are kept in
 * tests/fuzz/corpus/NAME.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A target may change its inputs by a way of its own, by libFuzzer's also. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most,
    unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most);

/* Where it is told what was not so: libFuzzer closes what parsers write to. */
static int fuzz_errors = STDERR_FILENO;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	(void)argc, (void)argv;
	if (fd >= 0)
		fuzz_errors = fd;
	return 0;
}

#define MUST(condition) \
	do { \
		if (!(condition)) { \
			dprintf(fuzz_errors, "%s:%d: not so: %s\n", \
			    __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A copy that ends with a zero byte, of exactly that size. */
static inline char *
fuzz_text(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	if (size > 0)
		memcpy(text, bytes, size);
	text[size] = '\0';
	return text;
}

/* Cut @text at @at, in place; NULL behind the last.  At most @room pieces. */
static inline size_t
fuzz_split(char *text, char at, char **piece, size_t room)
{
	size_t n = 0;

	for (; text != NULL && n + 1 < room; n++) {
		piece[n] = text;
		text = strchr(text, at);
		if (text != NULL)
			*text++ = '\0';
	}
	piece[n] = NULL;
	return n;
}

/* A file without a name that holds the bytes; @path leads to it. */
static inline int
fuzz_file(const uint8_t *bytes, size_t size, char path[64])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(write(fd, bytes, size) == (ssize_t)size);
	MUST(fchmod(fd, 0755) == 0);
	MUST(lseek(fd, 0, SEEK_SET) == 0);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
