/*
 * destructors.cc - C++ objects that allocate while they go: thread_local ones,
 * one that is made by another's destructor, and static ones
 *
 * usage: destructors [idle]
 */
#include <thread>

#include "account.h"

static bool idle;
static struct account sum;

/* One thread runs at a time. */
static char *
take(size_t size)
{
	return idle ? nullptr : static_cast<char *>(account_alloc(&sum,
	    new char[size], size));
}

static void
drop(char *block, size_t size)
{
	if (block == nullptr)
		return;
	account_free(&sum, block, size);
	delete[] block;
}

struct late {
	char *block = take(300);

	~late()
	{
		drop(take(44), 44);
		drop(block, 300);
	}
};

static thread_local late born_in_a_destructor;

struct holder {
	char *block = take(200);

	~holder()
	{
		/* Not met before: it is made now, and goes after us. */
		if (born_in_a_destructor.block == nullptr && !idle)
			abort();
		drop(block, 200);
		drop(take(55), 55);
	}
};

static thread_local holder held;

/* Goes after main(), and says so: nothing of ours comes later. */
struct last {
	char *block = nullptr;

	~last()
	{
		drop(block, 400);
		drop(take(66), 66);
		account_print(&sum);
	}
};

static last goes_last;

int
main(int argc, char **)
{
	idle = argc > 1;
	goes_last.block = take(400);
	for (int i = 0; i < 200; i++)
		std::thread([] {
			if (held.block == nullptr && !idle)
				abort();
		}).join();
	return held.block == nullptr ? !idle : 0;
}
