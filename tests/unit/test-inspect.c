#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "profile/inspect.h"
#include "sys/arch.h"

#define OTHER_MACHINE 22 /* EM_S390 */

/*
 * A program made by hand: the headers that inspect.c reads, and no code.  It
 * is little more than a sentence about itself.
 */
struct program {
	Elf64_Ehdr head;
	Elf64_Phdr segment[3]; /* interpreter, all of it, dynamic */
	Elf64_Shdr section[3]; /* none, names, symbols */
	Elf64_Dyn dynamic[3];
	Elf64_Sym symbol[2];
	char names[64];        /* "\0" word "\0" */
	char interpreter[64];
};

/* What the program is to say; zeros: nothing, so it is a static one. */
struct wish {
	unsigned machine, class; /* 0: this machine's */
	const char *interpreter;
	const char *needed;
	const char *defines;     /* a function of its own */
	const char *wants;       /* a function of another */
};

static char directory[] = "/tmp/heaptide-inspect.XXXXXX";

static int
enter_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

static int
leave_directory(void **state)
{
	(void)state;
	(void)!chdir("/");
	return rmdir(directory);
}

static void
write_file(const char *name, const void *bytes, size_t n, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
write_text(const char *name, const char *text, mode_t mode)
{
	write_file(name, text, strlen(text), mode);
}

static void
fill_sections(struct program *p, const struct wish *w)
{
	const char *word = w->needed ? w->needed : w->defines ? w->defines :
	    w->wants ? w->wants : "";

	snprintf(p->names + 1, sizeof(p->names) - 1, "%s", word);
	p->section[1] = (Elf64_Shdr){
		.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(struct program, names),
		.sh_size = sizeof(p->names),
	};
	p->section[2] = (Elf64_Shdr){
		.sh_type = SHT_DYNSYM,
		.sh_link = 1,
		.sh_offset = offsetof(struct program, symbol),
		.sh_size = sizeof(p->symbol),
		.sh_entsize = sizeof(p->symbol[0]),
	};
	p->symbol[1].st_name = 1;
	p->symbol[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	p->symbol[1].st_shndx = w->defines ? 1 : SHN_UNDEF;
	p->symbol[1].st_value = w->defines ? 0x1000 : 0;
}

static void
fill_segments(struct program *p, const struct wish *w)
{
	if (w->interpreter != NULL) {
		snprintf(p->interpreter, sizeof(p->interpreter), "%s",
		    w->interpreter);
		p->segment[0] = (Elf64_Phdr){
			.p_type = PT_INTERP,
			.p_offset = offsetof(struct program, interpreter),
			.p_filesz = strlen(w->interpreter) + 1,
		};
	}
	p->segment[1] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_filesz = sizeof(*p),
	};
	p->segment[2] = (Elf64_Phdr){
		.p_type = PT_DYNAMIC,
		.p_offset = offsetof(struct program, dynamic),
		.p_filesz = sizeof(p->dynamic),
	};
	p->dynamic[0].d_tag = DT_STRTAB;
	p->dynamic[0].d_un.d_ptr = offsetof(struct program, names);
	p->dynamic[1].d_tag = w->needed ? DT_NEEDED : DT_NULL;
	p->dynamic[1].d_un.d_val = 1;
}

static void
write_program(const char *name, const struct wish *w, mode_t mode)
{
	struct program p = {
		.head = {
			.e_ident = { 0x7f, 'E', 'L', 'F',
			    w->class != 0 ? (unsigned char)w->class :
			    ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_DYN,
			.e_machine = w->machine != 0 ?
			    (Elf64_Half)w->machine : ARCH_ELF_MACHINE,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(struct program, segment),
			.e_shoff = offsetof(struct program, section),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 3,
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = 3,
		},
	};

	fill_segments(&p, w);
	fill_sections(&p, w);
	write_file(name, &p, sizeof(p), mode);
}

/* Both NULL, or the one holds the other. */
static void
assert_says(const char *text, const char *words)
{
	if (words == NULL) {
		if (text != NULL)
			fail_msg("said '%s'", text);
		return;
	}
	if (text == NULL || strstr(text, words) == NULL)
		fail_msg("said '%s', not '%s'", text != NULL ? text : "nothing",
		    words);
}

#define GLIBC "/lib64/ld-linux-x86-64.so.2"

static void
programs_are_told_apart(void **state)
{
	static const struct {
		struct wish wish;
		const char *reason, *warning;
		bool may_preload;
	} cases[] = {
		{ { .interpreter = GLIBC }, NULL, NULL, true },
		{ { .interpreter = GLIBC, .needed = "libc.so.6" },
		  NULL, NULL, true },
		{ { .interpreter = GLIBC, .wants = "malloc" },
		  NULL, NULL, true },
		{ { .interpreter = GLIBC, .defines = "malloc_x" },
		  NULL, NULL, true },
		{ { .interpreter = GLIBC, .defines = "mallocx" },
		  NULL, "jemalloc linked into it", true },
		{ { .interpreter = GLIBC, .wants = "mi_malloc" },
		  NULL, NULL, true },
		{ { .interpreter = GLIBC, .defines = "malloc" },
		  NULL, "malloc of its own", true },
		{ { .interpreter = NULL }, "statically linked", NULL, true },
		{ { .interpreter = "/lib/ld-musl-x86_64.so.1" },
		  "musl", NULL, false },
		{ { .interpreter = GLIBC, .needed = "libasan.so.8" },
		  "AddressSanitizer", NULL, false },
		{ { .interpreter = GLIBC, .needed = "libtsan.so.2" },
		  "AddressSanitizer or its kin", NULL, false },
		{ { .interpreter = "/system/bin/linker64" },
		  "another libc", NULL, false },
		{ { .interpreter = GLIBC, .machine = OTHER_MACHINE },
		  "another CPU", NULL, false },
		{ { .interpreter = GLIBC, .class = ELFCLASS32 },
		  "program of 32 bits", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct inspection in;

		write_program("program", &cases[i].wish, 0755);
		inspect_command("./program", &in);
		assert_says(in.obstacle, NULL);
		assert_says(in.reason, cases[i].reason);
		assert_says(in.warning, cases[i].warning);
		assert_int_equal(in.may_preload, cases[i].may_preload);
		inspect_free(&in);
	}
	unlink("program");
}

static void
a_script_is_what_its_interpreter_is(void **state)
{
	struct inspection in;

	(void)state;
	write_program("static", &(struct wish){ 0 }, 0755);
	write_text("inner", "#!./static\n", 0755);
	write_text("outer", "#! \t./inner -x y\necho\n", 0755);
	inspect_command("./outer", &in);
	assert_says(in.obstacle, NULL);
	assert_says(in.reason, "statically linked");
	assert_string_equal(in.path, "./static");
	inspect_free(&in);

	write_text("outer", "#!./outer\n", 0755); /* it is its own, forever */
	inspect_command("./outer", &in);
	assert_says(in.reason, NULL);
	inspect_free(&in);

	write_text("outer", "#!./missing\n", 0755);
	inspect_command("./outer", &in);
	assert_says(in.obstacle, "interpreter ./missing cannot be run: there "
	    "is no such file");
	inspect_free(&in);

	write_text("outer", "#!\n", 0755); /* names nobody: the shell's */
	inspect_command("./outer", &in);
	assert_says(in.obstacle, NULL);
	assert_says(in.reason, NULL);
	inspect_free(&in);
	unlink("static");
	unlink("inner");
	unlink("outer");
}

static void
what_cannot_be_run_is_told_apart(void **state)
{
	static const struct {
		const char *name, *obstacle;
	} cases[] = {
		{ "no-such-command-anywhere", "no such command" },
		{ "", "no such command" },
		{ "./missing", "no such file" },
		{ "./folder", "directory" },
		{ "./pipe", "no regular file" },
		{ "./plain", "not executable" },
		{ "./plain/x", "Not a directory" },
	};

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(mkfifo("pipe", 0700), 0);
	write_text("plain", "echo\n", 0600);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct inspection in;

		inspect_command(cases[i].name, &in);
		assert_says(in.obstacle, cases[i].obstacle);
		assert_says(in.reason, NULL);
		inspect_free(&in);
	}
	rmdir("folder");
	unlink("pipe");
	unlink("plain");
}

static void
a_command_is_searched_as_exec_does(void **state)
{
	struct inspection in;

	(void)state;
	assert_int_equal(mkdir("first", 0700), 0);
	assert_int_equal(mkdir("second", 0700), 0);
	assert_int_equal(mkdir("first/tool", 0700), 0); /* no command */
	write_text("second/tool", "echo\n", 0755);
	write_text("here", "echo\n", 0755);

	setenv("PATH", "/no-such:first:second", 1);
	inspect_command("tool", &in);
	assert_string_equal(in.path, "second/tool");
	inspect_free(&in);
	inspect_command("here", &in);
	assert_says(in.obstacle, "no such command");
	inspect_free(&in);

	setenv("PATH", "first::second", 1); /* between: this directory */
	inspect_command("here", &in);
	assert_string_equal(in.path, "here");
	inspect_free(&in);

	rmdir("first/tool");
	unlink("second/tool");
	unlink("here");
	rmdir("first");
	rmdir("second");
}

static void
a_damaged_program_is_nothing_to_stumble_over(void **state)
{
	struct inspection in;
	struct program p;
	int fd;

	(void)state;
	srand(1);
	for (int round = 0; round < 500; round++) {
		write_program("program", &(struct wish){
		    .interpreter = GLIBC, .needed = "libc.so.6" }, 0755);
		fd = open("program", O_RDWR | O_CLOEXEC);
		assert_int_equal(read(fd, &p, sizeof(p)), sizeof(p));
		for (int i = 0; i < 12; i++)
			((char *)&p)[EI_NIDENT + rand() % (int)(sizeof(p) -
			    EI_NIDENT)] = (char)rand();
		assert_int_equal(pwrite(fd, &p, sizeof(p), 0), sizeof(p));
		assert_int_equal(ftruncate(fd, rand() % (int)sizeof(p)), 0);
		close(fd);
		inspect_command("./program", &in);
		inspect_free(&in);
	}
	unlink("program");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_told_apart),
		cmocka_unit_test(a_script_is_what_its_interpreter_is),
		cmocka_unit_test(what_cannot_be_run_is_told_apart),
		cmocka_unit_test(a_command_is_searched_as_exec_does),
		cmocka_unit_test(a_damaged_program_is_nothing_to_stumble_over),
	};

	return cmocka_run_group_tests_name("inspect", tests, enter_directory,
	    leave_directory);
}
