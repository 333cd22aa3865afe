/*
 * operators.cc - every operator new and delete that C++ has
 *
 * usage: operators [idle] [unfailing]
 *
 * Prints its account.  With `idle` nothing but what fails or throws is left:
 * what is allocated then is the C++ library's own, and to be taken off.
 * With `unfailing` no new is made to fail; some allocators abort there.
 */
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "account.h"

namespace {

struct account mine;
volatile std::size_t huge = PTRDIFF_MAX - 4096;
int handled;

/* As large as its alignment, so that no library has to round it up. */
struct alignas(256) wide {
	char bytes[256];
};

template <typename T>
T *
take(T *block, std::size_t requested)
{
	return static_cast<T *>(account_alloc(&mine, block, requested));
}

void
give(void *block, std::size_t requested)
{
	account_free(&mine, block, requested);
}

void
plain(std::size_t n)
{
	void *a = take(::operator new(n), n);
	void *b = take(::operator new[](n), n);
	void *c = take(::operator new(n, std::nothrow), n);
	void *d = take(::operator new[](n, std::nothrow), n);
	void *e = take(::operator new(n), n);
	void *f = take(::operator new[](n), n);

	give(a, n);
	::operator delete(a);
	give(b, n);
	::operator delete[](b);
	give(c, n);
	::operator delete(c, std::nothrow);
	give(d, n);
	::operator delete[](d, std::nothrow);
	give(e, n);
	::operator delete(e, n);
	give(f, n);
	::operator delete[](f, n);
}

void
aligned(std::size_t n, std::align_val_t to)
{
	void *a = take(::operator new(n, to), n);
	void *b = take(::operator new[](n, to), n);
	void *c = take(::operator new(n, to, std::nothrow), n);
	void *d = take(::operator new[](n, to, std::nothrow), n);
	void *e = take(::operator new(n, to), n);
	void *f = take(::operator new[](n, to), n);

	give(a, n);
	::operator delete(a, to);
	give(b, n);
	::operator delete[](b, to);
	give(c, n);
	::operator delete(c, to, std::nothrow);
	give(d, n);
	::operator delete[](d, to, std::nothrow);
	give(e, n);
	::operator delete(e, n, to);
	give(f, n);
	::operator delete[](f, n, to);
}

/* Its block goes back by itself, as the object was never finished. */
struct refuses {
	char bytes[48];
	refuses()
	{
		take(this, sizeof(*this));
		give(this, sizeof(*this));
		mine.temporary--; /* the exception comes in between */
		throw std::bad_alloc();
	}
};

int
unfinished()
{
	try {
		delete new refuses;
	} catch (const std::bad_alloc &) {
		return 1;
	}
	return 0;
}

/* As people write it; the second of each stays. */
void
expressions()
{
	auto *number = take(new long(1), sizeof(long));
	auto *list = take(new char[333], 333);
	auto *object = take(new wide, sizeof(wide));

	take(new long(2), sizeof(long));
	take(new char[444], 444);
	take(new wide, sizeof(wide));
	give(number, sizeof(long));
	delete number;
	give(list, 333);
	delete[] list;
	give(object, sizeof(wide));
	delete object;
}

void
give_up()
{
	handled++;
	std::set_new_handler(nullptr);
}

/* No block comes of it, but a bad_alloc each; the handler is asked first. */
int
failures()
{
	int caught = 0;

	std::set_new_handler(give_up);
	try {
		::operator delete(::operator new(huge));
	} catch (const std::bad_alloc &) {
		caught++;
	}
	try {
		::operator delete[](::operator new[](huge));
	} catch (const std::bad_alloc &) {
		caught++;
	}
	try {
		auto to = std::align_val_t(64);

		::operator delete(::operator new(huge, to), to);
	} catch (const std::bad_alloc &) {
		caught++;
	}
	if (::operator new(huge, std::nothrow) != nullptr ||
	    ::operator new[](huge, std::nothrow) != nullptr)
		std::abort();
	return caught;
}

} // namespace

int
main(int argc, char **argv)
{
	bool idle = false, unfailing = false;
	int caught = 0;

	for (int i = 1; i < argc; i++) {
		idle |= std::strcmp(argv[i], "idle") == 0;
		unfailing |= std::strcmp(argv[i], "unfailing") == 0;
	}
	if (!unfailing && (failures() != 3 || handled != 1))
		std::abort();
	if (!idle) {
		for (std::size_t n = 1; n < 5000; n = n * 3 + 1)
			plain(n);
		for (std::size_t to = 8; to <= 8192; to *= 2)
			aligned(to, std::align_val_t(to));
		expressions();
		caught = unfinished();
	} else {
		try {
			throw std::bad_alloc();
		} catch (const std::bad_alloc &) {
			caught = 1;
		}
	}
	account_print(&mine);
	return caught == 1 ? 0 : 1;
}
