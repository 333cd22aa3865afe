#!/bin/sh
# reloaded.sh - another library in the place of one that was closed is another:
# each allocation is under the name of who made it; the same one is the same
. "${srcdir:-.}/tests/lib.sh"

# by FUNCTION: the blocks that it allocated
by()
{
	json report.json "[.sites[] | select(.stack[0].function == \"$1\") |
	    .allocations] | add // 0"
}

sites()
{
	json report.json '.sites | length'
}

unharmed "$victims/reloaded" other "$modules/forward.so" "$modules/onward.so"
grep -q "at one address" under.out ||
	without "a library in another's place: here each has a new one"
same "allocated by the first" 50 "$(by call_on)"
same "allocated by the second" 100 "$(by pass_it_on)"

# A plugin that comes and goes needs no more room each time.
unharmed "$victims/reloaded" same "$modules/forward.so"
same "allocated by the plugin" 10000 "$(by call_on)"
within "sites" 1 20 "$(sites)"

# More than are watched, in each other's places, beside threads that allocate.
numbers="01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20"
for i in $numbers; do
	${CC:-cc} -O1 -fPIC -shared -DFORWARD=call_on_$i \
	    -Wl,-soname,module-$i.so -o module-$i.so \
	    "$srcdir/tests/victims/forward.c" || fail "cannot build module $i"
done
# Each in a thread of its own: one is unmapped while another thread looks at
# all there are.  One may be taken for another then, and no more.
unharmed "$victims/reloaded" at-once ./module-0*.so
same "allocated by all" 9000 "$(json report.json '[.sites[] |
    select(.stack[0].function // "" | startswith("call_on_")) |
    .allocations] | add')"

unharmed "$victims/reloaded" many ./module-*.so
grep -q "at others' addresses" under.out ||
	without "many in each other's places: here each has a new one"
for i in $numbers; do
	same "allocated by module $i" 15 "$(by call_on_$i)"
done
within "sites" 20 2000 "$(sites)"
