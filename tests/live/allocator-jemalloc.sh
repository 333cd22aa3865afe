#!/bin/sh
# allocator-jemalloc.sh - heaptide counts right in front of jemalloc
. "${srcdir:-.}/tests/allocators.sh"

before_allocator libjemalloc.so.2
