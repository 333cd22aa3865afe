#include "say/signals.h"

#include <stddef.h>

bool
signals_are_ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN;
}

void
signals_add(sigset_t *set, int signal)
{
	if (!signals_are_ignored(signal))
		sigaddset(set, signal);
}
