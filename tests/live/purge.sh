#!/bin/sh
# purge.sh - a cleanup has the allocator give back what is free in it, and no
# more than is wanted where it lets itself be told: glibc, and each other that is
# installed; with the library inside and without
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

# alone NAME PINS COMMAND...: the same by heaptide.h, with no library inside
alone()
{
	name=$1 pins=$2
	shift 2
	"$@" "$victims/cleaner" purge "$pins" >out 2>said ||
		fail "$name alone: status $?: $(cat said)"
	within "$name alone: returned" 40000000 80000000 \
	    "$(sed -n 's/.*returned \([0-9]*\) .*/\1/p' out)"
}

# wanted NAME LIBRARY MIB MOST PINS THREADS: so much of 64 MB, and not all; the
# kernel tells what is resident to some pages a CPU
wanted()
{
	what="$1, $3 MiB wanted"
	under all env ${2:+LD_PRELOAD="$LIBHEAPTIDE:$2"} "$victims/cleaner" \
	    give "$3" "$5" "$6" >out 2>said ||
		fail "$what: status $?: $(cat said)"
	within "$what: returned" $((($3 << 20) - 1000000)) $(($4 << 20)) \
	    "$(sed -n 's/^returned //p' out)"
	env ${2:+LD_PRELOAD="$2"} "$victims/cleaner" give "$3" "$5" "$6" \
	    >out 2>said || fail "$what, alone: status $?: $(cat said)"
	within "$what, alone: returned" $((($3 << 20) - 1000000)) $(($4 << 20)) \
	    "$(sed -n 's/^returned //p' out)"
}

given_back glibc 64 env
alone glibc 64 env
# Of the top; what is free in between goes in any case.
wanted glibc '' 16 18 0 1
wanted glibc '' 48 50 0 1

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
		alone $name $pins env LD_PRELOAD="$path"
		# jemalloc by whole arenas, of which each thread has one here;
		# tcmalloc by spans.  mimalloc is not to be told.
		case $name in
		libjemalloc*)
			wanted $name "$path" 12 36 64 4
			wanted $name "$path" 24 52 64 4
			;;
		libtcmalloc*)
			wanted $name "$path" 16 24 64 1
			;;
		esac
	else
		without "$name, which is not installed"
	fi
done
