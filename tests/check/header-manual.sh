#!/bin/sh
# header-manual.sh - heaptide.3 tells every function and constant of heaptide.h,
# and every member of what a program fills in or is given; and no other function
. "${srcdir:-.}/tests/lib.sh"

page=$srcdir/doc/heaptide.3
[ -e "$page" ] || fail "there is no doc/heaptide.3"
sources="$srcdir/include/heaptide.h.in $srcdir/src/base/room.h \
	$srcdir/src/plan/client.h"

# Without comments; names that end in _ are the header's own.
cat $sources | perl -0pe 's{/\*.*?\*/}{}gs' >public

# --- functions: both ways ----------------------------------------------------

grep -o '^tide_[a-z_]*(' public | tr -d '(' | grep -v '_$' | sort -u >there
[ "$(wc -l <there)" -ge 50 ] || fail "few functions: $(cat there)"
sed -n 's/^\.Fn \(tide_[a-z_]*\) ".*/\1/p' "$page" | sort >told
diff told there >differing ||
	fail "functions: < in the page alone or twice, > in the header alone:
$(cat differing)"

# With as many arguments as it has.
perl -0ne 'while (/^(tide_[a-z_]*[a-z])\(((?:[^()]|\([^()]*\))*)\)\s*\{/gm) {
	my ($name, $list) = ($1, $2); $list =~ s/\([^()]*\)/()/g;
	print "$name ", scalar(split /,/, $list), "\n" }' public |
	sort -u >there
perl -ne 'print "$1 ", scalar(() = $2 =~ /"[^"]*"/g), "\n"
	if /^\.Fn (tide_\w+) (".*)/' "$page" | sort -u >told
diff told there >differing ||
	fail "arguments: < in the page, > in the header: $(cat differing)"

# --- constants and members ---------------------------------------------------

tr -c 'A-Za-z0-9_' '\n' <"$page" | sort -u >words
tr -c 'A-Za-z0-9_' '\n' <public | grep '^TIDE_' | grep -v '_$' |
	sort -u >constants
[ "$(wc -l <constants)" -ge 50 ] || fail "few constants: $(cat constants)"
for type in tide_info tide_op_conf tide_reclaim_result; do
	sed -n "/^typedef struct $type {/,/^}/p" public |
		sed -n 's/^\t[a-z].* \**\([^;]*\);.*/&/p' | sed -e \
		's/^[[:space:]]*\(const \)*[a-z0-9_]* //' -e 's/\[.*//' |
		tr -d '*;' | tr ',' '\n' | tr -d ' ' | grep .
done | sort -u >members
[ "$(wc -l <members)" -ge 30 ] || fail "few members: $(cat members)"
sort -u constants members | comm -23 - words >missing
[ ! -s missing ] || fail "not in heaptide.3: $(cat missing)"

# --- and pkg-config finds the header, which is all there is ------------------

command -v pkg-config >/dev/null || {
	without "pkg-config is not installed"
	exit 0
}
same "libraries that pkg-config names" "" \
	"$(PKG_CONFIG_PATH=$builddir pkg-config --libs heaptide)"
mkdir -p there.d/include
cp "$srcdir/include/heaptide.h" there.d/include
cat >asks.c <<'END'
#include <heaptide.h>
int main(void) { return tide_used() == 0; }
END
${CC:-cc} $(PKG_CONFIG_PATH=$builddir pkg-config \
	--define-variable=includedir="$scratch/there.d/include" --cflags \
	heaptide) -o asks asks.c || fail "not built with what pkg-config says"
./asks || fail "it does not work: status $?"
