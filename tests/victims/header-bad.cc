/*
 * header-bad.cc - the same in C++, where callbacks may throw as well
 */
#include "header-bad.c"
