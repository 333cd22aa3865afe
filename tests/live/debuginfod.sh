#!/bin/sh
# debuginfod.sh - a report asks the servers of DEBUGINFOD_URLS only if told to
. "${srcdir:-.}/tests/lib.sh"
need strace sqlite3

PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q 'libdebuginfod\.so\.1 ' ||
	skip "libdebuginfod is not installed, so nothing could be asked"

# A program as distributions ship them, without its debug files.
under all sqlite3 :memory: 'select 1' >/dev/null || fail "status $?"

# asked OPTION...: how often a report, with nothing cached, calls on a server.
# Nobody listens at port 1, so the answer is quick.
asked()
{
	rm -rf "$XDG_CACHE_HOME"
	DEBUGINFOD_URLS=http://127.0.0.1:1/ DEBUGINFOD_CACHE_PATH=$scratch/d \
		limited 60 strace -f -qq -e trace=connect -o calls \
		"$HEAPTIDE" report "$@" profile.tide >/dev/null ||
		fail "report $*: status $?"
	grep -c 'sin_port=htons(1)' calls || true
}

same "calls without the option" 0 "$(asked)"
within "calls with it" 1 1000000 "$(asked --debuginfod)"
