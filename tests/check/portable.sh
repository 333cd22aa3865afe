#!/bin/sh
# portable.sh - what goes into the public header is C99 and C++11 as it stands
#
# Each file by itself, and all of them as one: then no two may use a name for
# two things.
. "${srcdir:-.}/tests/lib.sh"

# Lowest floor first, and within a floor whoever is called before who calls.
files="model/numbers.c model/sizing-fit.c model/sizing-weights.c
	model/sizing-save.c model/sizing-risk.c model/sizing.c model/knee.c model/states.c
	model/sensor.c model/delay.c model/spread.c model/stats.c
	model/trend.c"

cc=${CC:-cc}
command -v c++ >/dev/null || skip "there is no C++ compiler"

for file in $files; do
	echo "#include \"$file\""
done >all.c

status=0
for file in $files all.c; do
	case $file in
	all.c) path=all.c ;;
	*) path=$srcdir/src/$file ;;
	esac
	$cc -std=c99 -Wall -Wextra -Werror -pedantic -I"$srcdir/src" \
	    -c -o out.o "$path" || status=1
	c++ -x c++ -std=c++11 -Wall -Wextra -Werror -pedantic \
	    -I"$srcdir/src" -c -o out.o "$path" || status=1
	# It has to do with libc alone, and without its malloc.
	for name in $(nm -u out.o | sed 's/.* U //'); do
		case $name in
		memcpy | memset | memmove | memcmp | strcmp | strlen) ;;
		numbers_* | sizing_* | stats_* | _Z*) ;;
		_GLOBAL_OFFSET_TABLE_ | __stack_chk_fail) ;;
		*)
			echo "$file calls $name"
			status=1
			;;
		esac
	done
done
[ $status -eq 0 ] || fail "not portable"
