#!/bin/sh
# allocator-mimalloc.sh - heaptide counts right in front of mimalloc
. "${srcdir:-.}/tests/allocators.sh"

before_allocator libmimalloc.so.2
