#!/bin/sh
# manual.sh - heaptide.1 tells every command and every option that there is
. "${srcdir:-.}/tests/lib.sh"

manual=$srcdir/doc/heaptide.1
[ -e "$manual" ] || fail "there is no doc/heaptide.1"

# Macros and escapes taken out, so that `.It Fl -json` and `\-\-json` are both
# found as `-json`.
sed -e 's/\\-/-/g' -e 's/\\&//g' -e 's/\\f[A-Z]//g' "$manual" >plain

"$HEAPTIDE" help >help || fail "heaptide help: status $?"
commands=$(sed -n 's/^  \([a-z]\{2,\}\)  .*/\1/p' help | sort -u)
[ -n "$commands" ] || fail "no command is found in: $(cat help)"

status=0
for command in $commands; do
	grep -qw "$command" plain || {
		echo "$command: not in the manual"
		status=1
	}
	"$HEAPTIDE" "$command" --help >options ||
		fail "heaptide $command --help: status $?"
	for option in $(grep -o '^ .*--[a-z][a-z-]*' options |
		grep -o -e '--[a-z][a-z-]*' | sort -u); do
		grep -q -e "${option#-}\([^a-z-]\|$\)" plain || {
			echo "$command $option: not in the manual"
			status=1
		}
	done
done
[ "$status" -eq 0 ] || fail "the manual is not complete"

# And the environment that the library reads.
for name in $(grep -oh '"HEAPTIDE_[A-Z_]*' "$srcdir"/src/door/options.c |
	tr -d '"' | sort -u); do
	grep -q "$name" plain || fail "$name: not in the manual"
done
