#!/bin/sh
# children-policy.sh - whom --children follows: all, those that were exec'ed, or
# none, however deep the tree is, and by hand as under `heaptide run`
. "${srcdir:-.}/tests/lib.sh"

# A program that calls a shell, which calls programs; one of them forks and
# goes on without an exec.
cat >tree <<'END'
"$0" leaf >&2
(: "a subshell that allocates: $(echo $((1 + 1)))"; exit 3)
sh -c '"$0" leaf >&2; "$0" leaf >&2; exit 4' "$0"
"$0" fork >/dev/null
exit 6
END

# followed POLICY: the programs that have a profile, with how many
followed()
{
	rm -rf account.* profile.tide.d
	limited 60 "$HEAPTIDE" run -q --stacks $stacks --children "$1" \
		-o profile.tide -- perl -e 'exit((system @ARGV) >> 8)' -- \
		sh -c "$(cat tree)" "$victims/family" 2>/dev/null
	same "--children $1: status" 6 $?
	[ -s profile.tide ] || fail "--children $1: the program has none itself"
	for profile in profile.tide.d/*.tide; do
		[ -e "$profile" ] || continue
		report "$profile"
		same "$profile is exact" true "$(json report.json .exact)"
		json report.json '.command | [.[0], .[1]] |
			map(split("/") | last) | join(" ")'
	done | sed 's/ -c$//' | grep -v ^perl | sort | uniq -c | awk '{
		printf "%s%s %s %s", NR == 1 ? "" : ", ", $1, $2, $3 }'
}

for stacks in none sampled all; do
	same "all" "3 family fork, 3 family leaf, 2 sh " \
		"$(followed all | sed 's/[0-9]* sh /2 sh /')"
	same "exec" "1 family fork, 3 family leaf, 2 sh " "$(followed exec)"
	same "none" "" "$(followed none)"
done

# By hand: whose parent has a profile is a child, and so are its children.
mkdir -m 700 -p "$HEAPTIDE_DIR"
for policy in all exec none; do
	rm -rf account.* "$HEAPTIDE_DIR"/*
	LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_CHILDREN=$policy \
		"$victims/family" system >/dev/null
	same "by hand, $policy: status" 0 $?
	expected=3 # itself, the shell, the leaf
	[ $policy != none ] || expected=1
	same "by hand, $policy: profiles" $expected \
		"$(ls "$HEAPTIDE_DIR" | wc -l)"
done
