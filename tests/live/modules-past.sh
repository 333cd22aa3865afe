#!/bin/sh
# modules-past.sh - a module whose calls go past heaptide is found, and named
#
# RTLD_DEEPBIND, a namespace of its own (dlmopen) and a library bound to a
# malloc of its own: the program does what it did, and is told who is not seen.
. "${srcdir:-.}/tests/lib.sh"

plugin=$modules/plugin.so
build_own()
{
	"${CC:-cc}" -O2 -fPIC -shared -fno-builtin -DOWN_MALLOC "$@" \
	    -o own.so "$srcdir/tests/victims/plugin.c" ||
		fail "cannot build own.so"
}

# found WHY MODULE: JSON, the report and the summary name it, and it alone
found()
{
	report profile.tide
	same "$stacks: who goes past" "$1 $2" "$(json report.json '
		.bypassed[] | .why + " " + (.module | sub(".*/"; ""))')"
	same "$stacks: exact" false "$(json report.json .exact)"
	"$HEAPTIDE" report profile.tide >text || fail "no report"
	grep -q "not seen .*/$2 " text || fail "$stacks: the report is silent"
}

for stacks in none sampled all; do
	# As most are loaded: nobody goes past, every block is seen.
	for how in global local; do
		plain_and_under "$stacks" "$victims/binder" $how "$plugin"
		report profile.tide
		adds_up
		same "$how: who goes past" 0 \
		    "$(json report.json '.bypassed | length')"
		within "$how: allocations" 600 650 \
		    "$(json report.json .totals.allocations)"
	done

	plain_and_under "$stacks" "$victims/binder" deepbind "$plugin"
	found bound plugin.so
	same "whose malloc it is" libc.so.6 "$(json report.json '
		.bypassed[0].allocator | sub(".*/"; "")')"
	within "deepbind: allocations" 200 240 \
	    "$(json report.json .totals.allocations)"
	if [ "$stacks" = all ]; then
		# The program gave back what the library had taken.
		same "unknown frees, and whose" "200 200 binder" \
		    "$(json report.json '"\(.lost.unknown_frees) \(
			.unknown_frees_by[0] | "\(.frees) \(
			.module | sub(".*/"; ""))")"')"
		grep -q "not seen .* 200 blocks that .*/binder freed" text ||
			fail "unknown frees: the report is silent"
	fi

	plain_and_under "$stacks" "$victims/binder" namespace "$plugin"
	found namespace plugin.so

	# Its own malloc is not called, as ours comes first; unless bound.
	build_own
	plain_and_under "$stacks" "$victims/binder" local ./own.so
	report profile.tide
	adds_up
	plain_and_under "$stacks" "$victims/binder" deepbind ./own.so apart
	found own own.so
	build_own -Wl,-Bsymbolic
	plain_and_under "$stacks" "$victims/binder" local ./own.so apart
	found own own.so
done

# The summary says it as well, and as JSON.
limited 60 "$HEAPTIDE" run -o profile.tide -- "$victims/binder" deepbind \
    "$plugin" >/dev/null 2>summary
grep -q "not seen .*plugin.so allocates.*RTLD_DEEPBIND" summary ||
	fail "the summary is silent: $(cat summary)"
limited 60 "$HEAPTIDE" run --summary json -o profile.tide -- \
    "$victims/binder" deepbind "$plugin" >/dev/null 2>summary.json
same "in JSON" bound "$(json summary.json '.bypassed[0].why')"
