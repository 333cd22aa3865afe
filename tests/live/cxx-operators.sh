#!/bin/sh
# cxx-operators.sh - all variants of new and delete are counted, once
. "${srcdir:-.}/tests/allocators.sh"

operators_count
