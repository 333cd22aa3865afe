/*
 * test-symbol.c - names of addresses, taken from this very test
 *
 * The profile is made by hand around return addresses of functions below, so
 * that what must come out is known: __func__, __FILE__ and __LINE__.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "symbols/object.h"
#include "symbols/symbol.h"

/* --- addresses whose names are known -------------------------------------- */

static uint64_t called_from;
static uint32_t inlined_line, outer_line, plain_line;

__attribute__((noinline))
static void
note_caller(void)
{
	called_from = (uintptr_t)__builtin_return_address(0);
	__asm__ volatile("");
}

__attribute__((always_inline))
static inline void
inlined_function(void)
{
	inlined_line = __LINE__ + 1;
	note_caller();
	__asm__ volatile("");
}

__attribute__((noinline))
static uint64_t
outer_function(void)
{
	outer_line = __LINE__ + 1;
	inlined_function();
	__asm__ volatile("");
	return called_from;
}

__attribute__((noinline))
static uint64_t
plain_function(void)
{
	plain_line = __LINE__ + 1;
	note_caller();
	__asm__ volatile("");
	return called_from;
}

/* --- a profile around them ------------------------------------------------ */

#define NODES 8

struct made {
	struct profile profile;
	struct segment segment;
	struct module module;
	struct site site;
	struct node node[NODES];
	char text[4096];
};

/* Where this program lies, and its build-id. */
static int
note_program(struct dl_phdr_info *info, size_t size, void *context)
{
	struct module *m = context;

	(void)size;
	m->base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uint64_t at = info->dlpi_addr + h->p_vaddr;

		if (h->p_type != PT_LOAD)
			continue;
		if (m->start == 0)
			m->start = at;
		m->end = at + h->p_memsz;
	}
	return 1; /* the first is the program */
}

static void
make(struct made *m)
{
	ssize_t length;

	memset(m, 0, sizeof(*m));
	dl_iterate_phdr(note_program, &m->module);
	length = readlink("/proc/self/exe", m->text, sizeof(m->text) - 1);
	assert_true(length > 0);
	m->module.path = (struct segment_text){ 0, (uint32_t)length };
	/* Nobody looks at the file's own build-id unless one is recorded. */
	m->site.leaf = 1;
	m->profile = (struct profile){
		.segment = &m->segment,
		.sites = 1, .site = &m->site,
		.nodes = NODES, .node = m->node,
		.modules = 1, .module = &m->module,
		.text_bytes = sizeof(m->text), .text = m->text,
	};
}

/* The build-id that the file has, so that the cache has a name to keep. */
static void
record_build_id(struct made *m)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const void *id;
	ssize_t bytes;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	bytes = dwelf_elf_gnu_build_id(elf, &id);
	if (bytes > 0 && bytes <= (ssize_t)sizeof(m->module.build_id)) {
		m->module.build_id_bytes = (uint8_t)bytes;
		memcpy(m->module.build_id, id, (size_t)bytes);
	}
	elf_end(elf);
	close(fd);
	if (bytes <= 0)
		skip(); /* linked without: the cache has nothing to go by */
}

/* The stack of the site is one address; where it has a parent, @parent. */
static void
set_stack(struct made *m, uint64_t leaf, uint64_t parent)
{
	m->node[1] = (struct node){ .pc = leaf };
	m->site.leaf = 1;
	if (parent == 0)
		return;
	m->node[1].pc = parent;
	m->node[2] = (struct node){ .pc = leaf, .parent = 1 };
	m->site.leaf = 2;
}

/* A build without -g has names, but no lines and no inlined frames. */
static bool
has_lines(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
	bool has = dwarf != NULL;

	dwarf_end(dwarf);
	close(fd);
	return has;
}

static size_t
look_up(const struct made *m, struct symbols **s, struct frame **frames)
{
	*s = symbols_open(&m->profile, false);
	return symbols_stack(*s, &m->site, frames);
}

static void
close_all(struct symbols *s, struct frame *frames)
{
	free(frames);
	symbols_close(s);
}

/* The name of the one frame of a plain_function() call. */
static void
expect_plain(const struct made *m, const char *name)
{
	struct symbols *s;
	struct frame *frames;

	assert_int_equal(look_up(m, &s, &frames), 1);
	assert_string_equal(frames[0].function, name);
	close_all(s, frames);
}

/* --- the cache of the tests ----------------------------------------------- */

static char home[] = "/tmp/test-symbol.XXXXXX";

static int
make_home(void **state)
{
	(void)state;
	if (mkdtemp(home) == NULL)
		return -1;
	return setenv("XDG_CACHE_HOME", home, 1);
}

static int
remove_home(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", home);
	return system(command);
}

/* The file in which the cache keeps this program. */
static void
cache_path(const struct made *m, char path[256])
{
	int n = snprintf(path, 256, "%s/heaptide/", home);

	for (size_t i = 0; i < m->module.build_id_bytes; i++)
		n += snprintf(path + n, 256 - (size_t)n, "%02x",
		    m->module.build_id[i]);
	snprintf(path + n, 256 - (size_t)n, ".symbols");
}

/* --- tests ---------------------------------------------------------------- */

static void
a_call_is_named_by_function_file_and_line(void **state)
{
	struct made m;
	struct symbols *s;
	struct frame *frames;
	char place[SYMBOL_PLACE_ROOM], expected[64];

	(void)state;
	make(&m);
	set_stack(&m, plain_function(), 0);
	assert_int_equal(look_up(&m, &s, &frames), 1);
	assert_string_equal(frames[0].function, "plain_function");
	assert_true(frames[0].named);
	assert_false(frames[0].inlined);
	assert_string_equal(frames[0].module, m.text);
	assert_null(symbols_trouble(s, 0));
	if (has_lines()) {
		snprintf(expected, sizeof(expected), "test-symbol.c:%u",
		    plain_line);
		assert_string_equal(symbols_place(&frames[0], place),
		    expected);
	}
	close_all(s, frames);
}

static void
an_inlined_function_is_a_frame_of_its_own(void **state)
{
	struct made m;
	struct symbols *s;
	struct frame *frames;

	(void)state;
	if (!has_lines())
		skip();
	make(&m);
	set_stack(&m, outer_function(), plain_function());
	assert_int_equal(look_up(&m, &s, &frames), 3);
	assert_string_equal(frames[0].function, "inlined_function");
	assert_true(frames[0].inlined);
	assert_int_equal(frames[0].line, inlined_line);
	assert_string_equal(frames[1].function, "outer_function");
	assert_false(frames[1].inlined);
	assert_int_equal(frames[1].line, outer_line);
	assert_string_equal(frames[2].function, "plain_function");
	assert_true(frames[0].pc == frames[1].pc);
	close_all(s, frames);
}

static void
notes_in_a_stack_are_said_in_words(void **state)
{
	static const struct {
		uint64_t pc;
		const char *words;
	} cases[] = {
		{ NODE_CUT, "[deeper frames cut]" },
		{ NODE_NO_STACK, "[heaptide was busy]" },
		{ NODE_FULL, "[table full]" },
	};
	struct made m;
	struct symbols *s;
	struct frame *frames;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		make(&m);
		set_stack(&m, plain_function(), cases[i].pc);
		assert_int_equal(look_up(&m, &s, &frames), 2);
		assert_string_equal(frames[1].function, cases[i].words);
		assert_true(frames[1].note);
		assert_string_equal(frames[1].module, "");
		close_all(s, frames);
	}
}

static void
an_address_in_no_module_shows_as_it_is(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	set_stack(&m, 0x1234, 0);
	expect_plain(&m, "0x1234");
}

static void
another_build_gives_no_names_and_says_why(void **state)
{
	struct made m;
	struct symbols *s;
	struct frame *frames;
	uint64_t pc = plain_function();
	char expected[128];

	(void)state;
	make(&m);
	set_stack(&m, pc, 0);
	m.module.build_id_bytes = 20;
	memset(m.module.build_id, 0xee, 20);
	assert_int_equal(look_up(&m, &s, &frames), 1);
	snprintf(expected, sizeof(expected), "%s+0x%llx",
	    strrchr(m.text, '/') + 1,
	    (unsigned long long)(pc - m.module.base));
	assert_string_equal(frames[0].function, expected);
	assert_false(frames[0].named);
	assert_string_equal(symbols_trouble(s, 0),
	    "another build of it is there now");
	close_all(s, frames);
}

static void
what_is_no_object_gives_no_names_and_says_why(void **state)
{
	static const struct {
		const char *path, *trouble;
	} cases[] = {
		{ "/no/such/file", "No such file or directory" },
		{ "/tmp", "it is no ELF file" },
		{ "/etc/passwd", "it is no ELF file" },
		{ "/dev/null", "it is no ELF file" },
	};
	struct made m;
	struct symbols *s;
	struct frame *frames;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		make(&m);
		set_stack(&m, plain_function(), 0);
		strcpy(m.text, cases[i].path);
		m.module.path.bytes = (uint32_t)strlen(cases[i].path);
		assert_int_equal(look_up(&m, &s, &frames), 1);
		assert_false(frames[0].named);
		assert_string_equal(symbols_trouble(s, 0), cases[i].trouble);
		close_all(s, frames);
	}
}

static void
names_outlive_the_file_they_came_from(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	record_build_id(&m);
	set_stack(&m, plain_function(), 0);
	expect_plain(&m, "plain_function");
	strcpy(m.text, "/no/such/file");
	m.module.path.bytes = (uint32_t)strlen(m.text);
	expect_plain(&m, "plain_function");
}

/* Write the file back with one byte changed, or cut there. */
static void
spoil(const char *path, const char *bytes, size_t n, size_t at, bool cut)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fwrite(bytes, 1, at, file);
	if (!cut) {
		fputc(bytes[at] ^ 1, file);
		fwrite(bytes + at + 1, 1, n - at - 1, file);
	}
	fclose(file);
}

static void
a_cache_that_is_damaged_is_not_believed(void **state)
{
	static char bytes[64 * 1024];
	struct made m;
	char path[256];
	FILE *file;
	size_t n;

	(void)state;
	make(&m);
	record_build_id(&m);
	set_stack(&m, plain_function(), 0);
	expect_plain(&m, "plain_function");
	cache_path(&m, path);
	file = fopen(path, "r");
	assert_non_null(file);
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_true(n > 0);
	for (size_t at = 0; at < n; at += 7) {
		spoil(path, bytes, n, at, false);
		expect_plain(&m, "plain_function");
		spoil(path, bytes, n, at, true);
		expect_plain(&m, "plain_function");
	}
}

static void
a_home_that_cannot_be_written_does_no_harm(void **state)
{
	static const char *const homes[] = { "/proc/none", "/dev/null", "" };
	struct made m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(homes); i++) {
		setenv("XDG_CACHE_HOME", homes[i], 1);
		setenv("HOME", homes[i], 1);
		make(&m);
		record_build_id(&m);
		set_stack(&m, plain_function(), 0);
		expect_plain(&m, "plain_function");
	}
	setenv("XDG_CACHE_HOME", home, 1);
}

static void
many_at_once_are_the_same_as_one_by_one(void **state)
{
	struct made m;
	struct symbols *s;
	struct frame *frames;
	const struct site *sites[] = { &m.site, &m.site };

	(void)state;
	make(&m);
	set_stack(&m, outer_function(), plain_function());
	s = symbols_open(&m.profile, false);
	symbols_resolve(s, sites, ARRAY_LENGTH(sites));
	assert_true(symbols_stack(s, &m.site, &frames) >= 2);
	assert_string_equal(frames[has_lines() ? 2 : 1].function,
	    "plain_function");
	close_all(s, frames);
}

static void
names_of_cxx_and_rust_are_written_as_people_do(void **state)
{
	static const struct {
		const char *name, *plain;
	} cases[] = {
		{ "main", "main" },
		{ "_ZN2ns3fooEi", "ns::foo(int)" },
		{ "_ZNSt6vectorIiSaIiEE9push_backERKi",
		  "std::vector<int, std::allocator<int> >::push_back"
		  "(int const&)" },
		{ "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
		  "core::fmt::Write::write_fmt" },
		{ "_RNvCs1234_7mycrate3foo", "mycrate::foo" },
		{ "_Zebra!", "_Zebra!" },
		{ "_Remarkable", "_Remarkable" },
		{ "_init", "_init" },
		{ "D", "D" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char *plain = object_demangle(cases[i].name);

		assert_string_equal(plain, cases[i].plain);
		free(plain);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_named_by_function_file_and_line),
		cmocka_unit_test(an_inlined_function_is_a_frame_of_its_own),
		cmocka_unit_test(notes_in_a_stack_are_said_in_words),
		cmocka_unit_test(an_address_in_no_module_shows_as_it_is),
		cmocka_unit_test(another_build_gives_no_names_and_says_why),
		cmocka_unit_test(
		    what_is_no_object_gives_no_names_and_says_why),
		cmocka_unit_test(names_outlive_the_file_they_came_from),
		cmocka_unit_test(a_cache_that_is_damaged_is_not_believed),
		cmocka_unit_test(a_home_that_cannot_be_written_does_no_harm),
		cmocka_unit_test(many_at_once_are_the_same_as_one_by_one),
		cmocka_unit_test(
		    names_of_cxx_and_rust_are_written_as_people_do),
	};

	return cmocka_run_group_tests(tests, make_home, remove_home);
}
