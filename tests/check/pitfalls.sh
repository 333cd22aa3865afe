#!/bin/sh
# pitfalls.sh - each situation of doc/pitfalls.md has a test that exists, or a
# heading in doc/limits.md
. "${srcdir:-.}/tests/lib.sh"

cd "$srcdir" || exit
rows=$scratch/rows
sed -n 's/^| *\([0-9][0-9]*\) *|.*| *\([^|]*\) *|$/\1 \2/p' doc/pitfalls.md \
	>"$rows"
same "rows" 83 "$(wc -l <"$rows")"

# A heading's name as a link to it: "Static programs" is #static-programs.
anchors=$scratch/anchors
sed -n 's/^##* //p' doc/limits.md | tr 'A-Z ' 'a-z-' |
	sed 's/[^a-z0-9-]//g' >"$anchors"

expected=1
while read -r number answers; do
	same "the row after $((expected - 1))" "$expected" "$number"
	expected=$((expected + 1))
	[ -n "$answers" ] || fail "row $number has no answer"
	for answer in $(echo "$answers" | tr -d '`,'); do
		case $answer in
		'[limit](limits.md#'*')')
			anchor=${answer#*#}
			grep -qx "${anchor%)}" "$anchors" ||
				fail "row $number: limits.md has no $answer"
			;;
		*)
			set -- tests/"$answer".*
			[ -e "$1" ] || fail "row $number: there is no $answer"
			;;
		esac
	done
done <"$rows"
