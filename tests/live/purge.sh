#!/bin/sh
# purge.sh - a cleanup has the allocator give back what is free in it: glibc,
# and each other that is installed
. "${srcdir:-.}/tests/lib.sh"

# given_back NAME MS LEAST COMMAND...: of 64 MB that are free in it, at least so
# much; where MS is not 0, at the second time, so long after the first
given_back()
{
	name=$1 ms=$2 least=$3
	shift 3
	for stacks in none all; do
		under $stacks "$@" "$victims/cleaner" purge "$ms" >out 2>said ||
			fail "$name: status $?: $(cat said)"
		returned=$(sed -n 's/.*returned \([0-9]*\) .*/\1/p' out)
		within "$name --stacks=$stacks: returned" "$least" 80000000 \
		    "$returned"
	done
}

given_back glibc 0 40000000 env

# library NAME: its path
library()
{
	PATH=$PATH:/sbin:/usr/sbin ldconfig -p |
		sed -n "s|.* => \(/.*/$1\)\$|\1|p" | head -n 1
}

# mimalloc only notes what is to be given back, and does it when it is asked once
# more, its delay later (25 to 500 ms), and in parts.
for name in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2; do
	path=$(library $name)
	if [ -n "$path" ]; then
		case $name in
		libmimalloc*) set -- 1000 10000000 ;;
		*) set -- 0 40000000 ;;
		esac
		given_back $name "$@" env LD_PRELOAD="$LIBHEAPTIDE:$path"
	else
		without "$name, which is not installed"
	fi
done
