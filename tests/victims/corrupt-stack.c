/*
 * corrupt-stack.c - allocates where the stack does not tell who called
 *
 * usage: corrupt-stack MODE
 *
 *   trampled   the words above the frame that allocates are nonsense meanwhile
 *   registers  the frame pointer is nonsense, in functions whose unwind
 *              information relies on it, or that have none
 *   generated  the caller is code that was written a moment ago, in ever new
 *              pages, of which the earlier are gone
 *   jumps      the frames are left by longjmp(), over and over
 *
 * Each allocates and frees 2000 blocks, and holds every tenth.
 */
#include <setjmp.h>
#include <sys/mman.h>

#include "account.h"

#define ROUNDS 2000

static struct account account;
static uint32_t random_state = 1;
static char *no_page, *last_page; /* not to be read; none behind it is */
static int round_now;

void allocate(void);

__attribute__((noinline)) void
allocate(void)
{
	size_t size = account_random(&random_state) % 700;
	void *block = account_alloc(&account, malloc(size), size);

	if (round_now++ % 10 == 0)
		return;
	account_free(&account, block, size);
	free(block);
}

/* What may be found where an address is expected. */
static uint64_t
nonsense(void)
{
	uint64_t random = account_random(&random_state) |
	    (uint64_t)account_random(&random_state) << 24 |
	    (uint64_t)account_random(&random_state) << 48;
	const uint64_t values[] = {
		0, 1, 8, 4096, UINT64_MAX, UINT64_MAX - 7, random,
		UINT64_C(0x00007ffffffffff8), UINT64_C(0xffff800000000000),
		(uintptr_t)no_page, (uintptr_t)no_page + 8,
		(uintptr_t)no_page - 8, (uintptr_t)last_page + 4088,
		(uintptr_t)&account, (uintptr_t)allocate,
		(uintptr_t)allocate + random % 64, (uintptr_t)malloc + 5,
		(uintptr_t)abort + random % 4096,
		(uintptr_t)__builtin_frame_address(0) + random % 4096,
		((uintptr_t)__builtin_frame_address(0) + random % 4096) & ~7ul,
		(uintptr_t)__builtin_frame_address(0) - random % 65536,
	};

	return values[random % (sizeof(values) / sizeof(*values))];
}

/* --- trampled ------------------------------------------------------------- */

#define WORDS 96

static uint64_t kept[WORDS], instead[WORDS];

static __attribute__((noinline)) void
trample(void)
{
	/* What lies above: our return address, and our callers' frames. */
	uint64_t *volatile frame = __builtin_frame_address(0);

	for (int i = 0; i < WORDS; i++)
		instead[i] = account_random(&random_state) % 4 == 0 ?
		    frame[i] : nonsense();
	memcpy(kept, frame, sizeof(kept));
	memcpy(frame, instead, sizeof(instead));
	allocate();
	memcpy(frame, kept, sizeof(kept));
}

/* Room for it: these words are nobody's. */
static __attribute__((noinline)) void
trample_below(void)
{
	volatile uint64_t room[2 * WORDS];

	room[0] = room[2 * WORDS - 1] = 0;
	trample();
	(void)room[0];
}

static void
trampled(void)
{
	for (int i = 0; i < ROUNDS; i++)
		trample_below();
}

/* --- registers, generated ------------------------------------------------- */

#if defined(__x86_64__)
/* Each calls @f with @fp as its frame pointer. */
void without_rules(uint64_t fp, void (*f)(void));
void by_frame_pointer(uint64_t fp, void (*f)(void));
void by_expression(uint64_t fp, void (*f)(void));
void by_other_register(uint64_t fp, void (*f)(void));

#define FUNCTION(name, start, rule, end)		\
	".type " name ", @function\n"			\
	name ":\n" start				\
	"	push %rbp\n"				\
	"	mov %rdi, %rbp\n" rule			\
	"	call *%rsi\n"				\
	"	pop %rbp\n"				\
	"	ret\n" end				\
	".size " name ", . - " name "\n"

__asm__(".text\n"
	FUNCTION("without_rules", "", "", "")
	FUNCTION("by_frame_pointer", ".cfi_startproc\n",
	    ".cfi_def_cfa %rbp, 16\n.cfi_offset %rbp, -16\n",
	    ".cfi_endproc\n")
	/* As in a function with aligned locals: *(%rbp - 8). */
	FUNCTION("by_expression", ".cfi_startproc\n",
	    ".cfi_escape 0x0f, 3, 0x76, 0x78, 0x06\n"
	    ".cfi_escape 0x10, 6, 2, 0x76, 0\n", ".cfi_endproc\n")
	FUNCTION("by_other_register", ".cfi_startproc\n",
	    ".cfi_def_cfa %r11, 16\n", ".cfi_endproc\n"));

static void
registers(void)
{
	static void (*const functions[])(uint64_t, void (*)(void)) = {
		without_rules, by_frame_pointer, by_expression,
		by_other_register,
	};

	for (int i = 0; i < ROUNDS; i++)
		functions[i % 4](nonsense(), allocate);
}

/* The bytes of without_rules(), wherever there is room. */
static void
generated(void)
{
	extern char code[] __asm__("without_rules");
	void (*f)(uint64_t, void (*)(void));

	for (int i = 0; i < ROUNDS; i++) {
		char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE |
		    PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *at = page + account_random(&random_state) % 4000;

		memcpy(at, code, 16);
		memcpy(&f, &at, sizeof(f));
		f(nonsense(), allocate);
		if (i % 3 != 0)
			munmap(page, 4096);
	}
}
#else
static void
registers(void)
{
	exit(77);
}

static void
generated(void)
{
	exit(77);
}
#endif

/* --- jumps ---------------------------------------------------------------- */

static jmp_buf out;
static volatile int never;

static __attribute__((noinline)) void
jump_from(int depth)
{
	if (depth == 0) {
		allocate();
		longjmp(out, 1);
	}
	if (!never)
		jump_from(depth - 1);
}

static void
jumps(void)
{
	volatile int i = 0;

	if (setjmp(out) != 0)
		i++;
	if (i < ROUNDS)
		jump_from(i % 50);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "trampled", trampled },
		{ "registers", registers },
		{ "generated", generated },
		{ "jumps", jumps },
	};

	no_page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);
	no_page += 4096;
	last_page = no_page + 4096;
	mprotect(no_page, 4096, PROT_NONE);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc == 2 && strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run();
			account_print(&account);
			return 0;
		}
	return 2;
}
