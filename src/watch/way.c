#include "watch/way.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/arch.h"
#include "sys/sys.h"

#if ARCH_CAN_HOLD
/* What is read from it comes as it is there, and is not waited for any more. */
static bool
is_stream(int fd)
{
	char path[64];
	char link[32];
	struct text t;
	ssize_t n;

	text_open(&t, path, sizeof(path));
	text_put(&t, "/proc/self/fd/");
	text_put_i64(&t, fd);
	n = sys_readlink(path, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	return strncmp(link, "pipe:", 5) == 0 ||
	    strncmp(link, "socket:", 7) == 0;
}

static bool
is_forever(uint64_t milliseconds)
{
	return (int32_t)milliseconds < 0;
}

static enum way
of_futex(uint64_t operation)
{
	switch (operation & ~(uint64_t)(FUTEX_PRIVATE_FLAG |
	    FUTEX_CLOCK_REALTIME)) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return WAY_RESTART;
	default:
		return WAY_NONE;
	}
}

enum way
way_of(int64_t call, const uint64_t *a)
{
	switch (call) {
	case SYS_poll:
		return a != NULL && is_forever(a[2]) ? WAY_AGAIN : WAY_RESTART;
	case SYS_nanosleep:
		return WAY_RESTART;
	case SYS_clock_nanosleep: /* at a time, or after one */
		return a == NULL || (a[1] & 1) ? WAY_AGAIN : WAY_RESTART;
	case SYS_futex:
		return a == NULL ? WAY_RESTART : of_futex(a[1]);
	case SYS_pause:
	case SYS_select:  /* these write down how long it is to go on */
	case SYS_pselect6:
	case SYS_ppoll:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_accept:
	case SYS_accept4:
		return WAY_AGAIN;
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return a == NULL || is_forever(a[3]) ? WAY_AGAIN : WAY_NONE;
	case SYS_read:
		return a == NULL || is_stream((int)a[0]) ? WAY_AGAIN :
		    WAY_NONE;
	case SYS_recvfrom:
		return a == NULL || !(a[3] & MSG_WAITALL) ? WAY_AGAIN :
		    WAY_NONE;
	default:
		return a == NULL ? WAY_AGAIN : WAY_NONE;
	}
}
#endif
