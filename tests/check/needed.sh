#!/bin/sh
# needed.sh - the library needs libc and nothing else, and no new one
. "${srcdir:-.}/tests/lib.sh"
need readelf

# The dynamic linker is part of libc: _dl_find_object and TLS come from it.
readelf -dW "$LIBHEAPTIDE" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >needed
[ -s needed ] || fail "readelf finds nothing needed by $LIBHEAPTIDE"
grep -v -e '^libc\.so' -e '^ld-linux' needed >others
[ ! -s others ] || fail "needs more than libc: $(echo $(cat others))"

# Ubuntu 22.04 has glibc 2.35.  A name with a later version would keep the
# library from being loaded there.
readelf -VW "$LIBHEAPTIDE" | grep -o 'GLIBC_2\.[0-9]*' | sort -u |
	awk -F. '$2 > 35' >late
[ ! -s late ] || fail "needs $(echo $(cat late)), 2.35 must do"

# Every name that is not libc's must be found at the start, not later.
readelf -dW "$LIBHEAPTIDE" >dynamic
grep -q 'BIND_NOW\|Flags:.*NOW' dynamic || fail "not linked with -z now"
grep -q 'NODELETE' dynamic || fail "not linked with -z nodelete"
! grep -q 'TEXTREL' dynamic || fail "has text relocations"

# Thread-local data by initial-exec alone: anything else may allocate.
! nm -D --undefined-only "$LIBHEAPTIDE" | grep '__tls_get_addr' ||
	fail "uses __tls_get_addr"
