#!/bin/sh
# header.sh - heaptide.h is what assemble.pl makes of its sources now, and
# compiles without a warning as C99 and C++11, by itself and without heaptide

srcdir=${srcdir:-.}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
status=0

perl "$srcdir/include/assemble.pl" "$srcdir/src" >"$dir/heaptide.h" || exit 1
if ! cmp -s "$dir/heaptide.h" "$srcdir/include/heaptide.h"; then
	echo "include/heaptide.h is not of these sources: make header" >&2
	status=1
fi

cat >"$dir/all.c" <<'END'
#include <heaptide.h>
#include <heaptide.h>

int
main(void)
{
	tide_batch b;

	memset(&b, 0, sizeof(b));
	return tide_batch_more(&b) + (tide_used() == 0 && tide_level() == 3);
}
END
# Who includes it behind others has chosen what these show.
{
	printf '#include <%s>\n' stdio.h unistd.h
	cat "$dir/all.c"
} >"$dir/late.c"

program=$dir/all.c
compile()
{
	"$@" -O1 -Wall -Wextra -Wpedantic -Werror -I"$dir" \
	    -o "$dir/all" "$program" >"$dir/out" 2>&1 && "$dir/all" && return
	echo "not with: $*" >&2
	sed 10q "$dir/out" >&2
	status=1
}
for off in "" -DHEAPTIDE_DISABLE; do
	compile cc -std=c99 $off
	compile cc -std=gnu11 $off
	compile c++ -x c++ -std=c++11 $off
	compile c++ -x c++ -std=c++17 $off
	command -v clang >/dev/null || continue
	compile clang -std=c99 $off
	compile clang++ -x c++ -std=c++11 $off
done
program=$dir/late.c
compile cc -std=gnu99
compile cc
compile c++ -x c++
compile cc -std=c99 -D_GNU_SOURCE
# As ISO C alone shows too little, that is what is said.
cc -std=c99 -I"$dir" -c -o "$dir/late.o" "$program" 2>&1 |
	grep -q 'error:.*heaptide.h needs more than ISO C' || {
	echo "-std=c99, behind other headers: no word of what to do" >&2
	status=1
}
exit $status
