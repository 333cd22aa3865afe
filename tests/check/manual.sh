#!/bin/sh
# manual.sh - heaptide.1 tells every command and every option that there is,
# heaptide-profile.5 where things lie, and the pages are well made
. "${srcdir:-.}/tests/lib.sh"

manual=$srcdir/doc/heaptide.1
[ -e "$manual" ] || fail "there is no doc/heaptide.1"

# Macros and escapes taken out, so that `.It Fl -json` and `\-\-json` are both
# found as `-json`.
sed -e 's/\\-/-/g' -e 's/\\&//g' -e 's/\\f[A-Z]//g' "$manual" >plain

"$HEAPTIDE" help >help || fail "heaptide help: status $?"
commands=$(sed -n 's/^  \([a-z]\{2,\}\)  .*/\1/p' help | sort -u)
[ -n "$commands" ] || fail "no command is found in: $(cat help)"

# What the synopsis names, without the forms that a command has beside.
sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$manual" |
	sed -n '/^\.Nm$/{n;s/^\.Cm \([a-z]*\)$/\1/p;}' | sort -u >synopsis
printf '%s\n' $commands | grep -vx help | diff - synopsis ||
	fail "the synopsis (>) has other commands than there are (<)"

status=0
for command in $commands; do
	[ -s "$builddir/pages/heaptide-$command.1" ] || {
		echo "$command: has no page of its own"
		status=1
	}
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

# Offsets, as the head of segment.h has them.
profile=$srcdir/doc/heaptide-profile.5
row='^ \* *\([0-9]*\)  *\([0-9]*\)  *\(struct segment_\|uint64_t\).*'
sed -n "s/$row/\1 \2/p" \
	"$srcdir/src/base/segment.h" >offsets
[ "$(wc -l <offsets)" -ge 13 ] || fail "segment.h has no table of offsets"
while read -r offset bytes; do
	grep -q "^\.It $offset Ta $bytes Ta " "$profile" ||
		fail "$bytes bytes at $offset: not in heaptide-profile.5"
done <offsets

# What whoever formats them would stumble over.
judge=
for page in "$srcdir"/doc/heaptide*.[0-9] "$builddir"/pages/*; do
	if command -v mandoc >/dev/null; then
		judge=mandoc
		mandoc -T lint -W warning "$page" >said 2>&1 ||
			fail "mandoc: $(cat said)"
	fi
	if command -v groff >/dev/null; then
		judge=groff
		groff -mdoc -T ascii -ww -z "$page" >said 2>&1
		[ ! -s said ] || fail "groff: $(cat said)"
	fi
done
[ -n "$judge" ] || without "neither mandoc nor groff is installed"
