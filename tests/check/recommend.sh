#!/bin/sh
# recommend.sh - doc/recommend.md has a row for each advice that there is, and
# for no other; each key of a file that is written is a setting
. "${srcdir:-.}/tests/lib.sh"

sed -n 's/^.*\[ADVICE_[A-Z]*\] = { "\(R-[A-Z]*\)".*/\1/p' \
	"$srcdir/src/model/advice.c" | sort >there
[ "$(wc -l <there)" -ge 22 ] || fail "advice.c has no table: $(cat there)"
sed -n 's/^| `\(R-[A-Z]*\)` |.*/\1/p' "$srcdir/doc/recommend.md" |
	sort >told
diff there told >differing ||
	fail "< in advice.c alone, > in doc/recommend.md alone:
$(cat differing)"

keys=$(sed -n 's/^.*\[ADVICE_[A-Z]*\] = { "\([a-z_.]*\)".*/\1/p
	s/^.*return "\([a-z_.]*\)";.*/\1/p' \
	"$srcdir/src/control/counsel-settings.c" | sort -u)
[ -n "$keys" ] || fail "counsel-settings.c has no keys"
"$HEAPTIDE" config >settings || fail "heaptide config: status $?"
for key in $keys; do
	grep -Eq "^(# )?$key (=|is not set)" settings || fail "$key is no setting"
done
