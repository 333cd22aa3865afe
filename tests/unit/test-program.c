#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "sys/program.h"

/* This program itself, to be copied with changes. */
struct world {
	char file[64];
	char script[64];
	char *bytes;
	size_t size;
};

static int
open_world(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY);

	strcpy(w->file, "/tmp/heaptide-test-program.XXXXXX");
	close(mkstemp(w->file));
	strcpy(w->script, "/tmp/heaptide-test-program.XXXXXX");
	close(mkstemp(w->script));
	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	w->size = (size_t)st.st_size;
	w->bytes = test_malloc(w->size);
	if (read(fd, w->bytes, w->size) != st.st_size)
		return -1;
	close(fd);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	unlink(w->file);
	unlink(w->script);
	test_free(w->bytes);
	test_free(w);
	return 0;
}

static void
write_file(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static enum segment_unfollowed
look(const struct world *w, const void *bytes, size_t n)
{
	write_file(w->file, bytes, n);
	return program_look(AT_FDCWD, w->file, 0);
}

static ElfW(Phdr) *
header_of(const struct world *w, uint32_t type)
{
	ElfW(Ehdr) *eh = (void *)w->bytes;
	ElfW(Phdr) *ph = (void *)(w->bytes + eh->e_phoff);

	while (ph->p_type != type)
		ph++;
	return ph;
}

static void
a_program_like_this_one_is_followed(void **state)
{
	const struct world *w = *state;
	int fd;

	assert_int_equal(look(w, w->bytes, w->size), UNFOLLOWED_NOT);
	fd = open(w->file, O_RDONLY);
	assert_int_equal(program_look(fd, "", AT_EMPTY_PATH), UNFOLLOWED_NOT);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	close(fd);
}

static void
another_class_or_cpu_is_told(void **state)
{
	struct world *w = *state;
	ElfW(Ehdr) *eh = (void *)w->bytes;

	eh->e_machine ^= 1;
	assert_int_equal(look(w, w->bytes, w->size), UNFOLLOWED_CPU);
	eh->e_machine ^= 1;
	eh->e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	assert_int_equal(look(w, w->bytes, w->size), UNFOLLOWED_CPU);
	/* As small as such a file may be. */
	assert_int_equal(look(w, w->bytes, 20), UNFOLLOWED_CPU);
}

static void
another_dynamic_linker_is_told_and_none_at_all(void **state)
{
	struct world *w = *state;
	ElfW(Phdr) *ph = header_of(w, PT_INTERP);

	strcpy(w->bytes + ph->p_offset, "/lib/ld-musl-x.so.1");
	assert_int_equal(look(w, w->bytes, w->size), UNFOLLOWED_LIBC);
	strcpy(w->bytes + ph->p_offset, "/x/ld-linux.so.9");
	assert_int_equal(look(w, w->bytes, w->size), UNFOLLOWED_NOT);
	ph->p_type = PT_NULL;
	assert_int_equal(look(w, w->bytes, w->size), UNFOLLOWED_STATIC);
}

static void
a_dynamic_linker_may_be_run_like_a_program(void **state)
{
	struct world *w = *state;
	int fd;

	header_of(w, PT_INTERP)->p_type = PT_NULL;
	(void)look(w, w->bytes, w->size);
	fd = open(w->file, O_RDONLY);
	assert_int_equal(program_judge(fd, "/lib/ld-linux.so.2"),
	    UNFOLLOWED_NOT);
	assert_int_equal(program_judge(fd, "/lib/ld-musl-x.so.1"),
	    UNFOLLOWED_LIBC);
	assert_int_equal(program_judge(fd, "/lib/old.so"), UNFOLLOWED_STATIC);
	close(fd);
}

/* Its name in the table of strings is overwritten by a sanitizer's. */
static void
a_sanitizer_is_told(void **state)
{
	struct world *w = *state;
	char *at = NULL;

	for (size_t i = 0; at == NULL && i + 10 < w->size; i++)
		if (memcmp(w->bytes + i, "libc.so.6", 10) == 0)
			at = w->bytes + i;
	assert_non_null(at);
	strcpy(at, "libc.so");
	assert_int_equal(look(w, w->bytes, w->size), UNFOLLOWED_NOT);
	for (size_t i = 0; i + 10 < w->size; i++)
		if (memcmp(w->bytes + i, "libcmocka.", 10) == 0)
			memcpy(w->bytes + i, "libasan.so", 10);
	assert_int_equal(look(w, w->bytes, w->size), UNFOLLOWED_SANITIZER);
}

static void
a_script_is_as_good_as_its_interpreter(void **state)
{
	struct world *w = *state;
	char line[128];

	w->bytes[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	(void)look(w, w->bytes, w->size);
	snprintf(line, sizeof(line), "#! \t%s -x\nexit", w->file);
	write_file(w->script, line, strlen(line));
	assert_int_equal(program_look(AT_FDCWD, w->script, 0),
	    UNFOLLOWED_CPU);

	/* One that interprets itself has an end. */
	snprintf(line, sizeof(line), "#!%s", w->script);
	write_file(w->script, line, strlen(line));
	assert_int_equal(program_look(AT_FDCWD, w->script, 0),
	    UNFOLLOWED_NOT);
	write_file(w->script, "#!\n", 3);
	assert_int_equal(program_look(AT_FDCWD, w->script, 0),
	    UNFOLLOWED_NOT);
	write_file(w->script, "#!/no/such/file\n", 16);
	assert_int_equal(program_look(AT_FDCWD, w->script, 0),
	    UNFOLLOWED_NOT);
}

static void
what_is_no_program_is_left_to_the_kernel(void **state)
{
	const struct world *w = *state;

	assert_int_equal(look(w, "", 0), UNFOLLOWED_NOT);
	assert_int_equal(look(w, "hello, world, this is text", 26),
	    UNFOLLOWED_NOT);
	assert_int_equal(program_look(AT_FDCWD, "/no/such/file", 0),
	    UNFOLLOWED_NOT);
	assert_int_equal(program_look(AT_FDCWD, "/", 0), UNFOLLOWED_NOT);
	assert_int_equal(program_look(AT_FDCWD, NULL, 0), UNFOLLOWED_NOT);
	assert_int_equal(program_look(AT_FDCWD, (const char *)8, 0),
	    UNFOLLOWED_NOT);
	assert_int_equal(program_look(99, "", AT_EMPTY_PATH),
	    UNFOLLOWED_NOT);
}

/* Whatever it says of itself: an answer, and neither a crash nor no end. */
static void
a_damaged_program_does_no_harm(void **state)
{
	struct world *w = *state;
	uint32_t random = 1;
	size_t head = min_u64(w->size, 1200);

	for (size_t n = 0; n < head; n += 7)
		(void)look(w, w->bytes, n);
	for (int i = 0; i < 2000; i++) {
		size_t at;
		char was;

		random = random * 1664525 + 1013904223;
		at = EI_NIDENT + (random >> 8) % (head - EI_NIDENT);
		was = w->bytes[at];
		w->bytes[at] = (char)(random >> 24 | 0x80);
		(void)look(w, w->bytes, head);
		w->bytes[at] = was;
	}
	memset(w->bytes + sizeof(ElfW(Ehdr)), 0xff,
	    head - sizeof(ElfW(Ehdr)));
	(void)look(w, w->bytes, head);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_program_like_this_one_is_followed),
		TEST(another_class_or_cpu_is_told),
		TEST(another_dynamic_linker_is_told_and_none_at_all),
		TEST(a_dynamic_linker_may_be_run_like_a_program),
		TEST(a_sanitizer_is_told),
		TEST(a_script_is_as_good_as_its_interpreter),
		TEST(what_is_no_program_is_left_to_the_kernel),
		TEST(a_damaged_program_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
