#!/bin/sh
# purge.sh - a cleanup has the allocator give back what is free in it: glibc,
# and each other that is installed
. "${srcdir:-.}/tests/lib.sh"

# given_back NAME PINS COMMAND...: of 64 MB that are free in it, most, though so
# many blocks in between are in use
given_back()
{
	name=$1 pins=$2
	shift 2
	for stacks in none all; do
		under $stacks "$@" "$victims/cleaner" purge "$pins" >out \
		    2>said || fail "$name: status $?: $(cat said)"
		within "$name --stacks=$stacks: returned" 40000000 80000000 \
		    "$(sed -n 's/.*returned \([0-9]*\) .*/\1/p' out)"
	done
}

given_back glibc 64 env

# library NAME: its path
library()
{
	PATH=$PATH:/sbin:/usr/sbin ldconfig -p |
		sed -n "s|.* => \(/.*/$1\)\$|\1|p" | head -n 1
}

for name in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2; do
	path=$(library $name)
	# mimalloc gives back whole segments at once, and pages in its own time.
	case $name in
	libmimalloc*) pins=0 ;;
	*) pins=64 ;;
	esac
	if [ -n "$path" ]; then
		given_back $name $pins env LD_PRELOAD="$LIBHEAPTIDE:$path"
	else
		without "$name, which is not installed"
	fi
done
