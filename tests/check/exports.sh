#!/bin/sh
# exports.sh - the library shows the world what it must, under no version
. "${srcdir:-.}/tests/lib.sh"
need nm readelf

# The families of malloc, mmap and exec, what ends or confines, and operators
# new and delete, which all begin with _Znw, _Zna, _Zdl, _Zda.
names='malloc|calloc|realloc|reallocarray|free|free_sized'
names="$names|free_aligned_sized|posix_memalign|aligned_alloc|memalign"
names="$names|valloc|pvalloc"
names="$names|mmap|mmap64|munmap|mremap|brk|sbrk|prctl|syscall|mlockall"
names="$names|dlclose|setrlimit|setrlimit64|prlimit|prlimit64"
names="$names|execve|execv|execvp|execvpe|execl|execle|execlp|fexecve|execveat"
names="$names|posix_spawn|posix_spawnp"
names="$names|(_Znw|_Zna|_Zdl|_Zda)[A-Za-z0-9_]*"
names="$names|heaptide_[a-z0-9_]*"

nm -D --defined-only "$LIBHEAPTIDE" | awk '{ print $3 }' >all ||
	fail "nm cannot read $LIBHEAPTIDE"
grep -Exv "$names" all >others
[ ! -s others ] || fail "shown, but no business of others: $(echo $(cat others))"

for name in malloc calloc realloc free posix_memalign aligned_alloc \
	mmap munmap execve posix_spawn _Znwm _ZdlPv; do
	grep -qx "$name" all || fail "$name is not exported"
done

# With a version on it, our malloc is not taken for malloc@GLIBC_2.2.5.
! readelf -VW "$LIBHEAPTIDE" | grep -q 'Version definition section' ||
	fail "the exported names have a version"
