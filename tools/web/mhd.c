#include "web/mhd.h"

#include <dlfcn.h>
#include <stdio.h>

struct mhd mhd;

bool
mhd_load(char why[MHD_WHY_ROOM])
{
	void *library = dlopen(MHD_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL) {
		snprintf(why, MHD_WHY_ROOM, "%s cannot be loaded; install it "
		    "(Debian: libmicrohttpd12)", MHD_SONAME);
		return false;
	}
#define MHD_FIND(name) \
	mhd.name = (__typeof__(mhd.name))dlsym(library, "MHD_" #name); \
	if (mhd.name == NULL) { \
		snprintf(why, MHD_WHY_ROOM, "%s is too old: it has no " \
		    "MHD_%s", MHD_SONAME, #name); \
		return false; \
	}
	MHD_FUNCTIONS(MHD_FIND)
#undef MHD_FIND
	return true;
}
