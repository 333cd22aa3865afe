#!/bin/sh
# lint.sh - what a program does wrong with its blocks is found, with where it
# was allocated and freed; nothing changes for it; and who is right is left
# alone
. "${srcdir:-.}/tests/lib.sh"

# finding N MEMBER: of the N-th of report.json
found()
{
	json report.json ".findings[$1].$2"
}

# path N WHICH: "leaf < caller < ..." without what the C++ library adds
path()
{
	json report.json "[.findings[$1].$2[].function |
	    select(startswith(\"operator \") | not)] |
	    .[:2] | map(sub(\".*::\"; \"\")) | join(\" < \")"
}

# finds PROGRAM WHAT KIND ALLOCATED FREED: one finding, and all else is as ever
finds()
{
	plain_and_under all "$victims/$1" "$2"
	cmp plain.err under.err || fail "$1 $2: another message"
	report profile.tide
	same "$1 $2: kinds" "$3" "$(json report.json '[.findings[].kind] |
	    join(" ")')"
	same "$1 $2: count" 1 "$(found 0 count)"
	case $(path 0 allocated) in
	"$4"*) ;;
	*) fail "$1 $2: allocated by $(path 0 allocated)" ;;
	esac
	case $(path 0 freed) in
	"$5"*) ;;
	*) fail "$1 $2: freed by $(path 0 freed)" ;;
	esac
}

# finds_nothing STACKS COMMAND...
finds_nothing()
{
	plain_and_under "$@"
	limited 60 "$HEAPTIDE" report --json --top 1 profile.tide \
		>report.json || fail "no report: $*"
	same "findings: $*" "" "$(json report.json '.findings[] |
	    "\(.kind) \(.allocated[0].function) \(.freed[0].function)"')"
}

# --- in C --------------------------------------------------------------------

# Who was first is not kept; who frees such blocks as a rule is known.
usually()
{
	json report.json "[.findings[0].usually_freed[].by[].function] |
	    join(\" \")"
}

# The first two end by abort(), and glibc has a word on each.
finds lint double-free double-free 'make <' give_back
same "usually freed" give_back "$(usually)"
finds lint large-double-free double-free 'make < large_double_free' \
    'give_back < large_double_free'
[ "$plain_status" -ge 128 ] || fail "glibc minds no double free any more"
finds lint foreign-variable foreign-free '' give_back
finds lint foreign-stack foreign-free '' 'give_back < foreign_stack'
finds lint interior interior-free 'make < interior' give_back
same "of no double free" '' "$(usually)"
finds lint realloc-zero realloc-zero 'make < realloc_to_nothing' \
    realloc_to_nothing
finds lint realloc-after-free double-free 'make < realloc_after_free' \
    realloc_after_free
under all "$victims/lint" other-size >/dev/null || fail "status $?"
report profile.tide
same "sizes" "sized-delete 71 70" \
    "$(json report.json '.findings[0] | "\(.kind) \(.given) \(.asked)"')"
under all "$victims/lint" same-size >/dev/null || fail "status $?"
report profile.tide
same "findings" 0 "$(json report.json '.findings | length')"

# The same a thousand times is one, counted.
under all "$victims/lint" realloc-zero 1000 >/dev/null || fail "status $?"
report profile.tide
same "of a thousand" "1 1000 56000" "$(json report.json \
    '"\(.findings | length) \(.findings[0].count) \(.findings[0].bytes)"')"

# Without all stacks nobody looks.
for stacks in none sampled; do
	finds_nothing $stacks "$victims/lint" realloc-zero
done
finds_nothing all "$victims/lint" nothing

# What is said of it.
limited 60 "$HEAPTIDE" run --stacks all -o profile.tide -- "$victims/lint" \
    double-free >/dev/null 2>summary
grep -q '1 finding: 1 double free; heaptide report tells where' summary ||
	fail "the summary does not say: $(cat summary)"
limited 60 "$HEAPTIDE" report profile.tide >text || fail "no report"
grep -q 'double free; 1 time, 40 B' text || fail "the report does not say"
grep -q 'usually by  give_back  lint.c' text || fail "who was first: $(cat text)"
limited 60 "$HEAPTIDE" run --stacks all -o profile.tide -- "$victims/lint" \
    nothing >/dev/null 2>summary
! grep -q finding summary || fail "the summary tells of nothing"
limited 60 "$HEAPTIDE" report profile.tide >text || fail "no report"
! grep -q 'does wrong' text || fail "the report tells of nothing"

# --- real programs -----------------------------------------------------------

# nothing_of COMMAND...
nothing_of()
{
	command -v "$1" >/dev/null || return 0
	finds_nothing all "$@"
}
nothing_of python3 -c 'import json, re; json.dumps([{}] * 1000)'
nothing_of perl -e '@a = map { $_ x 10 } 1 .. 9999; print scalar @a'
nothing_of sort /etc/services
nothing_of cmake --version

# --- in C++ ------------------------------------------------------------------

[ -x "$victims/lint++" ] || {
	without "C++: there is no compiler"
	exit 0
}
finds lint++ new-free new-free new_free main
finds lint++ new-array-free new-array-free new_array_free main
finds lint++ new-delete-array new-delete-array new_delete_array main
finds lint++ new-array-delete new-array-delete new_array_delete main
finds lint++ malloc-delete malloc-delete malloc_delete main
finds lint++ malloc-delete-array malloc-delete-array malloc_delete_array main
finds lint++ nothrow-free new-free nothrow_free main
finds lint++ nothrow-array-delete new-array-delete nothrow_array_delete main
finds lint++ aligned-new-delete aligned-new-delete aligned_new_delete main
finds lint++ new-aligned-delete new-aligned-delete new_aligned_delete main
finds lint++ new-realloc new-realloc new_realloc new_realloc
finds lint++ other-size sized-delete other_size main
finds lint++ other-aligned-size sized-delete other_aligned_size main
finds_nothing all "$victims/lint++" nothing
under all "$victims/operators" >/dev/null || fail "operators: status $?"
report profile.tide
same "findings of operators" 0 "$(json report.json '.findings | length')"

# Who replaces the operators, in whole or in part, or has them linked in.
build()
{
	"${CXX:-c++}" -std=gnu++17 -w -O2 -o replaced "$@" \
	    "$srcdir/tests/victims/lint-replaced.cc" ||
		fail "cannot build replaced $*"
}
for how in -DOFFSET=0 -DOFFSET=16 '-DOFFSET=0 -DPLAIN_ONLY' \
    '-DOFFSET=16 -DPLAIN_ONLY' '-DLINKED_IN -static-libstdc++' \
    '-DLINKED_IN -fno-optimize-sibling-calls'; do
	# shellcheck disable=SC2086
	build $how
	finds_nothing all ./replaced
done

# One C++ library for all, and another linked into one of two that share objects.
"${CXX:-c++}" -std=gnu++17 -w -O2 -DPLUGIN -fPIC -shared -o shared.so \
    "$srcdir/tests/victims/lint-replaced.cc" || fail "cannot build shared.so"
"${CXX:-c++}" -std=gnu++17 -w -O2 -DPLUGIN -fPIC -shared -static-libstdc++ \
    -static-libgcc -Wl,--exclude-libs,ALL -o whole.so \
    "$srcdir/tests/victims/lint-replaced.cc" || fail "cannot build whole.so"
for how in '-DLINKED_IN -static-libstdc++ -static-libgcc' -DLINKED_IN; do
	# shellcheck disable=SC2086
	build $how
	finds_nothing all ./replaced ./shared.so
	[ "$plain_status" -eq 0 ] || fail "it cannot open shared.so"
	finds_nothing all ./replaced ./whole.so
done

# A path that was cut before it came to who called the operator.
limited 60 "$HEAPTIDE" run --stacks all --depth 1 --summary off \
    -o profile.tide -- "$victims/lint++" nothing || fail "status $?"
report profile.tide
same "findings with a depth of 1" 0 "$(json report.json '.findings | length')"
