#!/bin/sh
# dlerror.sh - what the dynamic linker has to say is there until it is asked
. "${srcdir:-.}/tests/lib.sh"

[ -e "$victims/dlerror" ] || skip "there is no C++ compiler"
unharmed "$victims/dlerror"
same "errors that were told" 6 "$(grep -c "cannot open" under.out)"
