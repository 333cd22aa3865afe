#include "control/bypass.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "base/base.h"
#include "sys/arch.h"
#include "sys/proc.h"
#include "sys/sys.h"

/* In a file that is damaged these end what would go on. */
#define HEADERS_MOST 32
#define TAGS_MOST    256
#define SYMBOLS_MOST 65536
#define CHAIN_MOST   4096
#define RELOCS_MOST  1000000

#define NAME_BYTES 16 /* of a symbol that are compared */

/* By any of them one can tell where the rest goes. */
static const char family[][NAME_BYTES] = {
	"malloc", "free", "calloc", "realloc", "posix_memalign",
	"aligned_alloc", "memalign",
};

/* A table of a module, in the memory of its process. */
struct table {
	uint64_t start;
	uint64_t bytes;
};

/* What a module says of itself, in addresses of its process. */
struct loaded {
	const char *path;
	uint64_t start;
	uint64_t base; /* what is added to addresses in the file */
	uint64_t end;
	uint64_t inode;
	uint64_t dynamic;
	uint64_t symbols, strings, hash, gnu_hash;
	struct table calls;   /* relocations of the PLT */
	struct table relocs;
	uint64_t relatives;   /* of them at the front, without a symbol */
	bool symbolic;        /* its own symbols come first for it */
	uint32_t wanted[ARRAY_LENGTH(family)]; /* symbols by index */
	size_t count;         /* of wanted */
	uint64_t malloc;      /* which it defines for others; 0: it does not */
};

/* Who defines a malloc. */
struct provider {
	uint64_t start;
	uint64_t end;
	uint64_t inode;
	char path[sizeof(((struct segment_bypass *)NULL)->module)];
};

/* A module whose calls go to @target, for which we may come later. */
struct suspect {
	uint64_t target;
	uint64_t start;
	char path[sizeof(((struct segment_bypass *)NULL)->module)];
};

struct look {
	struct segment *segment;
	int pid;
	uint64_t end; /* of the module that was looked at last */
	size_t providers;
	size_t suspects;
	struct provider provider[SEGMENT_BYPASSES];
	struct suspect suspect[SEGMENT_BYPASSES];
};

/* --- rows ----------------------------------------------------------------- */

/* The end of a path is what tells modules apart. */
static void
copy_path(char *to, size_t room, const char *path)
{
	size_t bytes = strlen(path);

	if (bytes >= room) {
		path += bytes - (room - 1);
		bytes = room - 1;
	}
	memcpy(to, path, bytes);
	to[bytes] = '\0';
}

static bool
is_same(const char *row, const char *path)
{
	char end[sizeof(((struct segment_bypass *)NULL)->module)];

	copy_path(end, sizeof(end), path);
	return strncmp(row, end, sizeof(end)) == 0;
}

struct segment_bypass *
bypass_note(struct segment *segment, enum bypass_why why, const char *module,
    const char *allocator)
{
	size_t i;

	for (i = 0; i < SEGMENT_BYPASSES; i++) {
		struct segment_bypass *row = &segment->bypass[i];
		uint32_t there = atomic_load(&row->why);

		if (there == why && is_same(row->module, module))
			return row;
		if (there != BYPASS_NONE || atomic_exchange(&row->taken, 1))
			continue;
		copy_path(row->module, sizeof(row->module), module);
		if (allocator != NULL)
			copy_path(row->allocator, sizeof(row->allocator),
			    allocator);
		atomic_store(&row->why, why);
		return row;
	}
	return NULL;
}

/* --- memory of the process ------------------------------------------------ */

static bool
peek(const struct look *look, uint64_t at, void *to, size_t bytes)
{
	return sys_read_pieces(look->pid, &at, 1, to, bytes) ==
	    (ssize_t)bytes;
}

/* --- a module ------------------------------------------------------------- */

static bool
read_headers(const struct look *look, struct loaded *m)
{
	ElfW(Phdr) ph[HEADERS_MOST];
	ElfW(Ehdr) eh;
	size_t i;

	if (!peek(look, m->start, &eh, sizeof(eh)) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_machine != ARCH_ELF_MACHINE ||
	    eh.e_phentsize != sizeof(ph[0]) || eh.e_phnum > HEADERS_MOST ||
	    !peek(look, m->start + eh.e_phoff, ph, eh.e_phnum * sizeof(ph[0])))
		return false;
	m->base = m->start;
	for (i = 0; i < eh.e_phnum; i++)
		if (ph[i].p_type == PT_LOAD) {
			m->base = m->start - round_down(ph[i].p_vaddr, 4096);
			break;
		}
	for (i = 0; i < eh.e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			m->end = max_u64(m->end, m->base + ph[i].p_vaddr +
			    ph[i].p_memsz);
		else if (ph[i].p_type == PT_DYNAMIC)
			m->dynamic = m->base + ph[i].p_vaddr;
	}
	return m->dynamic != 0;
}

/* The linker turns offsets into addresses where it can; else we do. */
static uint64_t
address_of(const struct loaded *m, uint64_t value)
{
	return value < m->base ? value + m->base : value;
}

static void
take_tag(struct loaded *m, const ElfW(Dyn) *d)
{
	uint64_t value = d->d_un.d_val;

	switch (d->d_tag) {
	case DT_SYMTAB: m->symbols = address_of(m, value); return;
	case DT_STRTAB: m->strings = address_of(m, value); return;
	case DT_HASH: m->hash = address_of(m, value); return;
	case DT_GNU_HASH: m->gnu_hash = address_of(m, value); return;
	case DT_JMPREL: m->calls.start = address_of(m, value); return;
	case DT_PLTRELSZ: m->calls.bytes = value; return;
	case DT_RELA: m->relocs.start = address_of(m, value); return;
	case DT_RELASZ: m->relocs.bytes = value; return;
	case DT_RELACOUNT: m->relatives = value; return;
	case DT_SYMBOLIC: m->symbolic = true; return;
	case DT_FLAGS: m->symbolic |= (value & DF_SYMBOLIC) != 0; return;
	}
}

static bool
read_dynamic(const struct look *look, struct loaded *m)
{
	ElfW(Dyn) d[16];
	size_t i;

	for (i = 0; i < TAGS_MOST; i++) {
		if (i % ARRAY_LENGTH(d) == 0 && !peek(look, m->dynamic +
		    i * sizeof(d[0]), d, sizeof(d)))
			return false;
		if (d[i % ARRAY_LENGTH(d)].d_tag == DT_NULL)
			break;
		take_tag(m, &d[i % ARRAY_LENGTH(d)]);
	}
	return m->symbols != 0 && m->strings != 0;
}

/* --- its symbols ---------------------------------------------------------- */

static bool
is_family(const char name[NAME_BYTES])
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(family); i++)
		if (strncmp(name, family[i], NAME_BYTES) == 0)
			return true;
	return false;
}

static void
want(struct loaded *m, uint32_t index, const ElfW(Sym) *symbol,
    const char *name)
{
	if (m->count < ARRAY_LENGTH(m->wanted))
		m->wanted[m->count++] = index;
	if (symbol->st_shndx != SHN_UNDEF && strcmp(name, family[0]) == 0)
		m->malloc = m->base + symbol->st_value;
}

/* Look at the symbols from @first on, before @last, by name. */
static void
scan_symbols(const struct look *look, struct loaded *m, uint32_t first,
    uint32_t last)
{
	ElfW(Sym) symbol[SYS_PIECES_MOST];
	uint64_t at[SYS_PIECES_MOST];
	char name[SYS_PIECES_MOST][NAME_BYTES];
	uint32_t n;
	uint32_t i;

	for (; first < last; first += n) {
		n = (uint32_t)min_u64(last - first, SYS_PIECES_MOST);
		if (!peek(look, m->symbols + first * sizeof(symbol[0]), symbol,
		    n * sizeof(symbol[0])))
			return;
		for (i = 0; i < n; i++)
			at[i] = m->strings + symbol[i].st_name;
		if (sys_read_pieces(look->pid, at, n, name, NAME_BYTES) !=
		    (ssize_t)(n * NAME_BYTES))
			return;
		for (i = 0; i < n; i++)
			if (is_family(name[i]))
				want(m, first + i, &symbol[i], name[i]);
	}
}

static uint32_t
hash_of(const char *name)
{
	uint32_t h = 5381;

	for (; *name != '\0'; name++)
		h = h * 33 + (unsigned char)*name;
	return h;
}

struct gnu_hash {
	uint32_t buckets, first, bloom, shift;
};

/* One that is defined, as the dynamic linker finds it. */
static void
find_defined(const struct look *look, struct loaded *m,
    const struct gnu_hash *h, const char *name)
{
	uint64_t buckets = m->gnu_hash + sizeof(*h) + h->bloom * UINT64_C(8);
	uint32_t wanted = hash_of(name), hash, index;
	int i;

	if (!peek(look, buckets + wanted % h->buckets * sizeof(index), &index,
	    sizeof(index)) || index < h->first)
		return;
	for (i = 0; i < CHAIN_MOST; i++, index++) {
		if (!peek(look, buckets + (h->buckets + (uint64_t)index -
		    h->first) * sizeof(hash), &hash, sizeof(hash)))
			return;
		if ((hash | 1) == (wanted | 1))
			scan_symbols(look, m, index, index + 1);
		if (hash & 1)
			return;
	}
}

/* What is undefined stands in front of what the hash table knows. */
static void
find_symbols(const struct look *look, struct loaded *m)
{
	struct gnu_hash h;
	uint32_t words[2];

	if (m->gnu_hash == 0) {
		if (m->hash != 0 && peek(look, m->hash, words, sizeof(words)))
			scan_symbols(look, m, 1, (uint32_t)min_u64(words[1],
			    SYMBOLS_MOST));
		return;
	}
	if (!peek(look, m->gnu_hash, &h, sizeof(h)))
		return;
	/* Of one that defines nothing the table says 1: then the names stand
	 * behind the symbols, nearly always. */
	if (h.first <= 1 && m->strings > m->symbols)
		h.first = (uint32_t)min_u64((m->strings - m->symbols) /
		    sizeof(ElfW(Sym)), SYMBOLS_MOST);
	scan_symbols(look, m, 1, (uint32_t)min_u64(h.first, SYMBOLS_MOST));
	if (h.buckets != 0)
		find_defined(look, m, &h, family[0]);
}

/* --- where its calls go --------------------------------------------------- */

static bool
is_wanted(const struct loaded *m, uint32_t index)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (m->wanted[i] == index)
			return true;
	return false;
}

/* Keep who is bound to another: whether that matters is known at the end. */
static void
suspect(struct look *look, const struct loaded *m, uint64_t target)
{
	const struct segment_objects *o = &look->segment->objects;
	struct suspect *s;

	/* In itself, but for its own malloc: the call was never made. */
	if ((target >= m->start && target < m->end && target != m->malloc) ||
	    m->start == o->heaptide || m->start == o->allocator ||
	    look->suspects == ARRAY_LENGTH(look->suspect))
		return;
	s = &look->suspect[look->suspects];
	if (look->suspects > 0 && s[-1].start == m->start &&
	    s[-1].target == target)
		return;
	s->target = target;
	s->start = m->start;
	copy_path(s->path, sizeof(s->path), m->path);
	look->suspects++;
}

static void
scan_relocs(struct look *look, const struct loaded *m, struct table t,
    uint64_t skip)
{
	ElfW(Rela) r[SYS_PIECES_MOST];
	uint64_t n = min_u64(t.bytes / sizeof(r[0]), RELOCS_MOST);
	uint64_t target;
	uint64_t i;

	for (i = skip; i < n; i++) {
		const ElfW(Rela) *one = &r[(i - skip) % ARRAY_LENGTH(r)];

		if ((i - skip) % ARRAY_LENGTH(r) == 0 && !peek(look,
		    t.start + i * sizeof(r[0]), r, sizeof(r[0]) *
		    min_u64(n - i, ARRAY_LENGTH(r))))
			return;
		if (is_wanted(m, (uint32_t)ELF64_R_SYM(one->r_info)) &&
		    peek(look, m->base + one->r_offset, &target,
		    sizeof(target)))
			suspect(look, m, target);
	}
}

/*
 * A process that executes another program says so before it does (END_EXEC),
 * and from then on what is seen of it is that program's.
 */
static void
found(const struct look *look, enum bypass_why why, const char *module,
    const char *allocator)
{
	if (atomic_load(&look->segment->end.how) == END_UNKNOWN)
		(void)bypass_note(look->segment, why, module, allocator);
}

/*
 * One that binds its own calls to itself.  The allocator that comes after us
 * may well do so: it is asked through us.
 */
static void
judge_own(struct look *look, const struct loaded *m)
{
	if (m->malloc != 0 && m->symbolic &&
	    m->start != look->segment->objects.allocator &&
	    m->start != look->segment->objects.heaptide)
		found(look, BYPASS_OWN, m->path, NULL);
}

static void
provide(struct look *look, const struct loaded *m)
{
	struct provider *p;

	if (look->providers == ARRAY_LENGTH(look->provider))
		return;
	p = &look->provider[look->providers++];
	p->start = m->start;
	p->end = m->end;
	p->inode = m->inode;
	copy_path(p->path, sizeof(p->path), m->path);
}

static void
look_at(void *context, const struct proc_vma *vma)
{
	struct look *look = context;
	struct loaded m = {
		.path = vma->name,
		.start = vma->start,
		.inode = vma->inode,
	};

	if (!vma->readable || vma->inode == 0 || vma->name[0] != '/' ||
	    vma->start < look->end || !read_headers(look, &m))
		return;
	look->end = m.end;
	if (!read_dynamic(look, &m))
		return;
	find_symbols(look, &m);
	if (m.malloc != 0)
		provide(look, &m);
	judge_own(look, &m);
	if (m.count == 0)
		return;
	scan_relocs(look, &m, m.calls, 0);
	scan_relocs(look, &m, m.relocs, m.relatives);
}

/* --- the verdicts --------------------------------------------------------- */

static const struct provider *
provider_of(const struct look *look, uint64_t target)
{
	size_t i;

	for (i = 0; i < look->providers; i++)
		if (target >= look->provider[i].start &&
		    target < look->provider[i].end)
			return &look->provider[i];
	return NULL;
}

/* The same file loaded twice: a libc, in a namespace of its own. */
static bool
is_doubled(const struct look *look, const struct provider *p)
{
	size_t i;

	for (i = 0; i < look->providers; i++)
		if (look->provider[i].start != p->start &&
		    look->provider[i].inode == p->inode)
			return true;
	return false;
}

/* No provider: the stub of a program by which it names malloc's address. */
static void
judge(const struct look *look, const struct suspect *s)
{
	const struct segment_objects *o = &look->segment->objects;
	const struct provider *p = provider_of(look, s->target);

	if (p == NULL || p->start == o->heaptide || p->start == o->first)
		return;
	if (p->start == s->start) {
		if (!is_doubled(look, p))
			found(look, BYPASS_OWN, s->path, NULL);
		return;
	}
	found(look, p->start != o->allocator &&
	    is_doubled(look, p) ? BYPASS_NAMESPACE : BYPASS_BOUND, s->path,
	    p->path);
}

int
bypass_look(struct segment *segment, int pid)
{
	struct look look = {
		.segment = segment,
		.pid = pid != 0 ? pid : sys_pid(),
	};
	struct proc_lines lines;
	char path[64];
	size_t i;
	int r;

	if (segment->objects.heaptide == 0)
		return -EINVAL; /* it was made by an older heaptide */
	r = proc_path(path, sizeof(path), "", pid, "maps");
	if (r == 0)
		r = proc_lines_open(&lines, path);
	if (r < 0)
		return r;
	(void)proc_vmas_parse(&lines, look_at, &look);
	r = proc_lines_close(&lines);
	for (i = 0; i < look.suspects; i++)
		judge(&look, &look.suspect[i]);
	return r;
}
