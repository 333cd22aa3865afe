/*
 * client.c - libheaptide-client.so: heaptide.h for who cannot compile it
 *
 * The same functions as ordinary symbols, for languages that call by name
 * (ctypes, FFI).  They work in the same depths: where libheaptide.so counts in
 * the process they call it, else they read /proc and the control groups
 * themselves.  Nothing else is in here.
 */
#define TIDE_EXPORT __attribute__((visibility("default")))

#include "bindings/exported.h"
