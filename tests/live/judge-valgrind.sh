#!/bin/sh
# judge-valgrind.sh - valgrind counts the same calls, and as many bytes
. "${srcdir:-.}/tests/judges.sh"
need valgrind

# It gives back at the end what the C library holds; nobody asked for that.
judge()
{
	limited 300 valgrind --run-libc-freeres=no --run-cxx-freeres=no \
	    --undef-value-errors=no --leak-check=no --log-file=valgrind.log \
	    "$@" >/dev/null 2>&1 </dev/null
	tr -d , <valgrind.log |
		awk '/total heap usage:/ { print $5, $7, $9 }'
}

realloc_to_zero='0 0 0'
all_programs
all_threads
xml_program
