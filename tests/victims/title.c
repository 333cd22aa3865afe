/*
 * title.c - writes its title over its arguments and environment, as daemons do
 *
 * usage: title moved | cleaned
 *
 * The environment is moved away first, or replaced by a short one; then a
 * child is forked that allocates.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile kept;

int
main(int argc, char **argv)
{
	static char path[] = "PATH=/bin";
	static char *clean[] = { path, NULL };
	char *first = environ[0];
	char *end = first;
	char **moved;
	size_t n;

	for (n = 0; environ[n] != NULL; n++)
		end = environ[n] + strlen(environ[n]);
	moved = calloc(n + 1, sizeof(*moved));
	for (n = 0; environ[n] != NULL; n++)
		moved[n] = strdup(environ[n]);
	environ = argc > 1 && strcmp(argv[1], "cleaned") == 0 ? clean : moved;
	memset(first, 'x', (size_t)(end - first));

	if (fork() == 0) {
		kept = malloc(1234);
		_exit(0);
	}
	wait(NULL);
	return argv == NULL;
}
