#!/bin/sh
# allocator-knobs.sh - what programs and users ask of glibc's malloc, and how
# they tune it, goes to glibc's malloc; and the counts stay exact
#
# malloc_usable_size, mallinfo2, malloc_info, malloc_trim, mallopt; tunables,
# M_PERTURB, MALLOC_CHECK_ with libc_malloc_debug.so; _FORTIFY_SOURCE.  The
# first blocks are those that they would be by themselves.
. "${srcdir:-.}/tests/lib.sh"

fortified=
for level in 3 2; do
	"${CC:-cc}" -D_GNU_SOURCE -O2 -fno-builtin-malloc \
	    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level -o fortified \
	    "$srcdir/tests/victims/questions.c" 2>/dev/null || continue
	fortified=./fortified
	break
done

for stacks in none sampled all; do
	plain_and_under "$stacks" "$victims/questions" idle
	same "its own answers" "bytes that others wrote: 0" \
	    "$(sed -n 1p under.out)"
	report profile.tide
	adds_up
	[ -z "$fortified" ] || plain_and_under "$stacks" $fortified
	plain_and_under "$stacks" "$victims/first-blocks"
	plain_and_under "$stacks" env GLIBC_TUNABLES=glibc.malloc.tcache_count=0 \
		"$victims/first-blocks"
done

debug=$(ldconfig -p 2>/dev/null | sed -n \
    's|.* => \(/.*/libc_malloc_debug\.so\.0\)$|\1|p' | head -n 1)
[ -n "$debug" ] || debug=$(ls /lib/*/libc_malloc_debug.so.0 2>/dev/null |
	head -n 1)

# turned NAME=VALUE...: the counts of small-print, with these set; $behind is
# preloaded, too
behind=
turned()
{
	env LD_PRELOAD="$behind" "$@" "$victims/small-print" >plain.out \
	    2>/dev/null
	plain_status=$?
	set -- "$@" LD_PRELOAD="$LIBHEAPTIDE:$behind"
	under "$stacks" env "$@" "$victims/small-print" idle 2>err ||
		fail "$*: idle: status $?"
	report profile.tide
	mv report.json idle.json
	under "$stacks" env "$@" "$victims/small-print" >under.out 2>account
	same "$*: status" "$plain_status" $?
	cmp plain.out under.out || fail "$*: another output"
	report profile.tide
	grep '^[a-z_]* [0-9]*$' account >sums
	[ -s sums ] || fail "$*: no account"
	totals_match sums idle.json
}

for stacks in none sampled all; do
	turned A=B
	turned GLIBC_TUNABLES=glibc.malloc.tcache_count=0
	turned GLIBC_TUNABLES=glibc.malloc.mmap_threshold=4096
	turned GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.perturb=85
	turned GLIBC_TUNABLES=glibc.malloc.hugetlb=1 MALLOC_TOP_PAD_=100000
	turned MALLOC_PERTURB_=85 MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=64
	[ -n "$debug" ] || continue
	# Heads differ there: libc_malloc_debug has a malloc of its own.
	behind=$debug
	turned MALLOC_CHECK_=3 GLIBC_TUNABLES=glibc.malloc.check=3
	same "the allocator" "${debug##*/}" "$(json report.json '.allocator |
		sub(".*/"; "")')"
	turned MALLOC_TRACE="$scratch/trace"
	behind=
done
[ -n "$debug" ] || without "libc_malloc_debug.so, which is not installed"
