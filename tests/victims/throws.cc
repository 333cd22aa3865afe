/*
 * throws.cc - a C++ program that throws in all the places there are
 *
 * usage: throws ROUNDS DEPTH [LIBRARY | only]
 *
 * Through DEPTH frames each of which has something to clean up, out of
 * constructors, operator new, new handlers, threads; nested and rethrown; out
 * of LIBRARY (throws-library), which is opened, and through it.  Prints what it
 * caught, and which library throws for it.
 */
#include <dlfcn.h>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

long cleaned, caught;
volatile std::size_t huge = PTRDIFF_MAX - 4096;

struct cleaner {
	std::string text = "longer than what fits into a string itself";
	~cleaner() { cleaned++; }
};

[[gnu::noinline]] void
dive(int depth)
{
	cleaner here;

	if (depth == 0)
		throw std::runtime_error("the ground");
	dive(depth - 1);
	cleaned++; /* or the call would be a jump */
}

/* The way up alone: nothing is allocated but what is thrown. */
struct counter {
	~counter() { cleaned++; }
};

[[gnu::noinline]] void
dive_bare(int depth)
{
	counter here;

	if (depth == 0)
		throw 7;
	dive_bare(depth - 1);
	cleaned++;
}

struct half_made {
	cleaner first;
	half_made() { throw std::logic_error("half made"); }
};

void
handler()
{
	std::set_new_handler(nullptr);
	throw std::bad_alloc();
}

template <typename E, typename F>
void
expect(F f)
{
	try {
		f();
	} catch (const E &) {
		caught++;
	}
}

void
everywhere(int depth)
{
	expect<std::runtime_error>([&] { dive(depth); });
	expect<std::logic_error>([] { delete new half_made; });
	expect<std::logic_error>([] { delete[] new half_made[3]; });
	expect<std::bad_alloc>([] { ::operator delete(::operator new(huge)); });
	expect<std::bad_array_new_length>([] {
		volatile long n = -1;

		delete[] new int[static_cast<std::size_t>(n)];
	});
	std::set_new_handler(handler);
	expect<std::bad_alloc>([] { ::operator delete(::operator new(huge)); });
	std::set_new_handler(handler); /* bad_alloc there means NULL here */
	caught += ::operator new(huge, std::nothrow) == nullptr;
	expect<std::runtime_error>([&] {
		try {
			dive(3);
		} catch (...) {
			cleaner here;

			throw; /* the same one, on its way further */
		}
	});
	expect<std::runtime_error>([&] {
		std::exception_ptr kept;

		std::thread([&] {
			try {
				dive(depth);
			} catch (...) {
				kept = std::current_exception();
			}
		}).join();
		std::rethrow_exception(kept);
	});
}

int
through_library(const char *path, int depth)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void (*call)(void (*)(int), int) = nullptr;
	void (*raise)(int) = nullptr;

	if (library == nullptr)
		return std::puts(dlerror());
	*reinterpret_cast<void **>(&call) = dlsym(library, "library_call");
	*reinterpret_cast<void **>(&raise) = dlsym(library, "library_raise");
	expect<std::runtime_error>([&] { call(dive, depth); });
	expect<std::out_of_range>([&] { raise(depth); });
	dlclose(library);
	return 0;
}

} // namespace

int
main(int argc, char **argv)
{
	int rounds = argc > 2 ? std::atoi(argv[1]) : 1;
	int depth = argc > 2 ? std::atoi(argv[2]) : 10;
	void *raise = dlsym(RTLD_DEFAULT, "_Unwind_RaiseException");
	Dl_info info{};

	if (argc > 3 && std::strcmp(argv[3], "only") == 0) {
		for (int i = 0; i < rounds; i++)
			expect<int>([&] { dive_bare(depth); });
		return caught == rounds ? 0 : 1;
	}
	for (int i = 0; i < rounds; i++) {
		everywhere(depth);
		if (argc > 3 && through_library(argv[3], depth) != 0)
			return 1;
	}
	dladdr(raise, &info);
	std::printf("caught %ld, cleaned %ld, thrown by %s\n", caught, cleaned,
	    info.dli_fname);
	return 0;
}
