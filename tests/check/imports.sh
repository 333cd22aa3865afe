#!/bin/sh
# imports.sh - of libc the library calls what is listed here, and no more
#
# So nothing in it can allocate, print, wait for the loader, be cancelled, open
# a pipe or ask for the bounds of a stack while it is in a hook.
. "${srcdir:-.}/tests/lib.sh"
need nm readelf

# Once, while the pool serves whoever allocates; dlopen() for the judge of
# stacks alone.
start='dladdr dladdr1 dlopen dlsym dlvsym getauxval on_exit __register_atfork
	pthread_key_create pthread_key_delete'
# At any time: none of these has a lock or a system call.
ever='__errno_location environ __environ __libc_single_threaded
	_dl_find_object pthread_self pthread_setspecific __sbrk
	memchr memcmp memcpy memmove memrchr memset
	strchr strcmp strcspn strlen strncmp strnlen strrchr strspn strstr'

# The keeper's own thread, and what starts it; it is in no hook.
keeper='accept4 bind close fchmod fstat geteuid getsockopt listen open pipe2
	poll read recv send socket unlink write
	pthread_attr_destroy pthread_attr_init pthread_attr_setdetachstate
	pthread_attr_setstacksize pthread_create pthread_sigmask sigfillset'

nm -D --undefined-only "$LIBHEAPTIDE" | sed -n 's/^ *U \([^@]*\).*/\1/p' \
	>imports || fail "nm cannot read $LIBHEAPTIDE"
[ -s imports ] || fail "nm finds no imports in $LIBHEAPTIDE"
echo $start $ever $keeper | tr ' ' '\n' >allowed
grep -Fxv -f allowed imports >others
[ ! -s others ] || fail "called, and not known to be harmless: $(echo $(cat others))"

# The room for thread-local data of preloaded libraries is small.
bytes=$(readelf -lW "$LIBHEAPTIDE" | awk '$1 == "TLS" { print $6 }')
within "bytes of thread-local data" 1 256 $((${bytes:-0}))
