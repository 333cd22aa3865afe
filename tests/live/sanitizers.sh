#!/bin/sh
# sanitizers.sh - programs built with a sanitizer run as they do alone, under
# `run` and with the library preloaded by hand; who has to be first, is
. "${srcdir:-.}/tests/lib.sh"

cat >good.c <<'E2'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	char *p = strdup("sound"), *list = malloc(100);

	(void)argv;
	list = realloc(list, 200);
	memset(list, 'x', 200);
	printf("%s %c\n", p, list[argc]);
	free(list);
	free(p);
	return 6;
}
E2
cat >bad.c <<'E2'
#include <stdlib.h>
int main(void)
{
	volatile char *p = malloc(10);

	p[10] = 1; /* one too far */
	free((void *)p);
	return 0;
}
E2
export ASAN_OPTIONS=detect_leaks=0:exitcode=55 TSAN_OPTIONS=exitcode=56

# by_hand LIBRARY: in nothing but the program itself
by_hand()
{
	limited 20 sh -c "LD_PRELOAD=$1 exec ./good"
}

# Some sanitizers do not start on some kernels: alone, or three times out of
# ten.  What does not run alone says nothing of us.
runs_alone()
{
	for turn in 1 2 3; do
		limited 20 "$@" >plain.out 2>/dev/null
		[ $? -eq 6 ] || return 1
	done
}

tried=0
for cc in "${CC:-cc}" clang; do
	command -v "${cc%% *}" >/dev/null || {
		without "$cc, which is not installed"
		continue
	}
	for kind in address thread undefined leak; do
		if ! $cc -g -fsanitize=$kind -o good good.c 2>/dev/null; then
			without "$cc -fsanitize=$kind, which it does not have"
			continue
		fi
		runs_alone ./good || {
			without "$cc -fsanitize=$kind, which does not run alone here"
			continue
		}
		for stacks in none sampled all; do
			limited 60 "$HEAPTIDE" run --stacks $stacks -o "$kind.tide" \
			    -- ./good >under.out 2>words
			same "$cc $kind, run: status" 6 $?
			cmp plain.out under.out || fail "another output"
		done
		case $kind in
		undefined) ;; # it allocates as everybody does
		*) grep -q "Sanitizer\|a malloc of its own\|not seen" words ||
			fail "$cc $kind: run says nothing: $(cat words)" ;;
		esac

		# By hand: a runtime that insists on being first ends the program
		# by itself, whatever the library is.
		by_hand "$modules/bump.so" >other.out 2>err
		other=$?
		by_hand "$LIBHEAPTIDE" >under.out 2>err
		status=$?
		if [ $status -eq 6 ]; then
			cmp plain.out under.out || fail "by hand: another output"
		else
			same "$cc $kind, by hand: status" "$other" "$status"
			grep -q "does not come first\|come first" err ||
				fail "$cc $kind, by hand: $(head -n 3 err)"
		fi
		echo "$cc -fsanitize=$kind: by hand status $status"
		tried=$((tried + 1))
	done
	# It finds what it is there to find.
	if $cc -g -fsanitize=address -o bad bad.c 2>/dev/null; then
		limited 20 ./bad 2>err
		[ $? -eq 55 ] || continue
		limited 60 "$HEAPTIDE" run -o bad.tide -- ./bad 2>err
		same "$cc: an error found: status" 55 $?
		grep -q heap-buffer-overflow err || fail "it is not found"
	fi
done
[ "$tried" -gt 0 ] || skip "no sanitizer works here"
