/*
 * fuzz-command.c - a file that somebody wants to run, ELF or script or neither
 */
#include "fuzz.h"

#include "profile/inspect.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct inspection in;
	char path[64];
	int fd = fuzz_file(bytes, size, path);

	inspect_command(path, &in);
	MUST(in.path != NULL || in.obstacle != NULL);
	inspect_free(&in);
	close(fd);
	return 0;
}
