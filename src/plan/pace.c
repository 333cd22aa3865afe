#include "plan/pace.h"

#include <string.h>

#include "base/base.h"
#include "sys/proc.h"
#include "sys/sys.h"

void
pace_read(const struct pace *known, struct pace *now)
{
	struct pace p;

	memset(&p, 0, sizeof(p));
	p.tid = sys_tid();
	p.switches = (uint32_t)sys_switches();
	if (known->tid == p.tid && known->switches == p.switches)
		p.waited_ns = known->waited_ns;
	else if (proc_waited(&p.waited_ns) < 0)
		p.tid = 0;
	*now = p;
}

uint64_t
pace_waited(const struct pace *from, const struct pace *to)
{
	return from->tid != 0 && from->tid == to->tid ?
	    above_u64(to->waited_ns, from->waited_ns) : 0;
}
