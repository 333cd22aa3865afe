#include "stack/pyread.h"

#include "sys/sys.h"

_Atomic uint64_t pyread_page[PYREAD_PAGES];

/* Not COLD: compilers then take the road that leads by it for cold as well. */
bool
pyread_ask(uint64_t number, _Atomic uint64_t *slot)
{
	if (!sys_is_readable((const void *)(uintptr_t)(number <<
	    PYREAD_PAGE_BITS)))
		return false;
	atomic_store_explicit(slot, number, memory_order_relaxed);
	return true;
}

bool
pyread_may(uint64_t at, uint64_t bytes)
{
	uint64_t number = at >> PYREAD_PAGE_BITS;

	if (number == 0 || at >= PYREAD_USER_END || bytes == 0)
		return false;
	for (; number <= (at + bytes - 1) >> PYREAD_PAGE_BITS; number++)
		if (!pyread_is_page(number))
			return false;
	return true;
}
