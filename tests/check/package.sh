#!/bin/sh
# package.sh - the Debian packages are built and found clean; they install, run
# the demonstration, serve programs that build by the header, and go again
# without a trace
. "${srcdir:-.}/tests/lib.sh"
need dpkg-buildpackage dh tar

files()
{
	cd "$srcdir" || exit
	git ls-files 2>/dev/null ||
		find . -type f ! -path './build/*' ! -name '*.o'
}

mkdir -p tree/heaptide
files | tar -C "$srcdir" -cf files.tar -T - || fail "cannot copy the sources"
tar -C tree/heaptide -xf files.tar || fail "cannot copy the sources"

# As a distribution has it.
[ ! -f "$builddir/web/page.html" ] ||
	cp "$builddir/web/page.html" tree/heaptide/web/

unset MAKEFLAGS CFLAGS CXXFLAGS CPPFLAGS LDFLAGS
cd tree/heaptide || exit
DEB_BUILD_OPTIONS=nocheck limited 900 dpkg-buildpackage -us -uc -b -d -j2 \
	>"$scratch/log" 2>&1 || fail "dpkg-buildpackage: $(tail -n 20 \
	    "$scratch/log")"
cd "$scratch/tree" || exit
[ -s heaptide_*.deb ] && [ -s libheaptide-dev_*.deb ] ||
	fail "packages are missing: $(ls)"

# --- what Debian finds of it -------------------------------------------------

if command -v lintian >/dev/null; then
	limited 300 lintian --allow-root --fail-on error,warning ./*.changes \
		>"$scratch/lintian" 2>&1 || fail "lintian: $(cat \
		    "$scratch/lintian")"
else
	without "lintian is not installed"
fi

# --- installed, used, removed: in a machine that is this one, written over ----

cat >"$scratch/inside" <<'I'
#!/bin/sh
user()
{
	(cd "$work/user" && HOME=$work/user setpriv --reuid 65534 --regid 65534 --clear-groups "$@")
}

unset HEAPTIDE_DIR
cd "$work" || exit
mkdir -m 777 user
dpkg -i --force-depends packages/*.deb >log 2>&1 || { cat log; exit 1; }

# The demonstration, as an ordinary user would.
cp tree/heaptide/examples/ingest.c user/
find /usr/include -type f -name '*.h' | sort | head -n 300 >user/headers.txt
user cc -g -o ingest ingest.c || exit
user heaptide run --stacks all -q -o demo.tide -- ./ingest headers.txt \
	>user/out || exit
user heaptide report demo.tide | grep -m 1 -o 'record_read.*ingest.c:[0-9]*' ||
	echo "the demonstration finds nothing"
user env LD_PRELOAD=libheaptide.so HEAPTIDE_DIR="$work/user/seg" true ||
	echo "it cannot be preloaded by its name"

# The header, by those who build with it.
cat >user/room.c <<'C'
#include <heaptide.h>
int main(void) { return tide_available() == 0; }
C
user sh -c 'cc -o room room.c $(pkg-config --cflags heaptide) && ./room' ||
	echo "not by pkg-config"
cat >user/CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.13)
project(room C)
find_package(heaptide 0.1 REQUIRED)
add_executable(room room.c)
target_link_libraries(room PRIVATE heaptide::heaptide)
C
! command -v cmake >/dev/null || user sh -c \
	'mkdir cmade && cd cmade && cmake .. >log 2>&1 && make >>log 2>&1 &&
	./room' || { echo "not by CMake"; cat user/cmade/log; }
cat >user/configure.ac <<'C'
AC_INIT([room], [1])
AC_PROG_CC
HEAPTIDE_HEADER([echo with-header >found], [echo without >found])
AC_OUTPUT
C
user sh -c 'aclocal && autoconf && ./configure >log 2>&1'
[ "$(cat user/found)" = with-header ] || echo "not by autoconf"

for page in 1/heaptide 1/heaptide-run 1/heaptide-leaks 3/heaptide \
	5/heaptide-config 7/heaptide-environment; do
	[ -s /usr/share/man/man${page%/*}/${page#*/}.${page%/*}.gz ] ||
		echo "no page ${page#*/}(${page%/*})"
done

dpkg -P heaptide libheaptide-dev >log 2>&1 || cat log
I

work=$scratch/work
cat >"$scratch/over" <<'O'
set -e
mkdir -p "$scratch/layers"
mount -t tmpfs none "$scratch/layers"
cd "$scratch/layers"
mkdir upper work root
mount -t overlay overlay root \
	-o "lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work"
[ $# -eq 0 ] || exit 0
mkdir -p root"$work"/packages
cp "$scratch"/tree/*_*.deb root"$work"/packages/
rm -f root"$work"/packages/*dbgsym*
mkdir -p root"$work"/tree/heaptide
cp -r "$scratch/tree/heaptide/examples" root"$work"/tree/heaptide/
cp "$scratch/inside" root"$work"/inside
mount -t proc proc root/proc
mount --rbind /dev root/dev
chmod 755 root"$scratch" root"$work"
chroot root env work="$work" sh "$work/inside"
# All that was written lies in the upper layer; directories that were there
# before are copied up, and dpkg and the linker have their own books.
cd upper
find . \( -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log \
	-o -path ./etc/ld.so.cache -o -path ./tmp -o -path ./run \
	-o -path ".$work" \) -prune -o -print |
	while read -r name; do
		[ -d "$name" ] && [ -d "/$name" ] || echo "left behind: $name"
	done
O
export scratch work
if [ "$(id -u)" -ne 0 ] ||
    ! unshare -m sh "$scratch/over" try 2>"$scratch/said"; then
	without "only root can lay one root over another"
	exit 0
fi
limited 300 unshare -mp --fork sh "$scratch/over" >"$scratch/said" 2>&1 ||
	fail "inside: $(cat "$scratch/said")"
grep -q '^record_read.*ingest.c:[0-9]*$' "$scratch/said" ||
	fail "the demonstration: $(cat "$scratch/said")"
same "installed, used and removed" "" \
    "$(grep -v '^record_read' "$scratch/said")"
