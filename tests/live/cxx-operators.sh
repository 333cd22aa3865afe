#!/bin/sh
# cxx-operators.sh - all variants of new and delete are counted, once
. "${srcdir:-.}/tests/allocators.sh"

operators_count

# --- whose they are ----------------------------------------------------------

# As with malloc, a path begins at who called new, whatever the operator is in.
need jq
command -v "${CXX:-c++}" >/dev/null || {
	without "c++ is not installed"
	exit 0
}
cat >makes.cc <<'C'
struct thing {
	char bytes[3000];
};
thing *volatile one;
int *volatile many;

__attribute__((noinline)) void
make_one()
{
	one = new thing;
}

__attribute__((noinline)) void
make_many()
{
	many = new int[2000];
}

int
main()
{
	make_one();
	make_many();
}
C
"${CXX:-c++}" -g -O1 -o makes makes.cc || fail "c++ fails"
under all ./makes || fail "makes: status $?"
report profile.tide
for site in '3000 make_one 10' '8000 make_many 16'; do
	set -- $site
	same "who made $1 bytes" "$2 $3" "$(json report.json '.sites[] |
		select(.live_requested_bytes == '"$1"') | .stack[0] |
		"\(.function | rtrimstr("()")) \(.line)"')"
done
"$HEAPTIDE" export --format collapsed profile.tide >out || fail "export"
grep -q ';main;make_many()* [0-9]*$' out || fail "export: $(cat out)"
