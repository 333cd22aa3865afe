#!/bin/sh
# allocator-tcmalloc.sh - heaptide counts right in front of tcmalloc
. "${srcdir:-.}/tests/allocators.sh"

before_allocator libtcmalloc_minimal.so.4
