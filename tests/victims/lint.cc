/*
 * lint.cc - blocks that one operator makes and another gives back
 *
 * usage: lint++ WHAT [TIMES]
 *
 * `nothing` is all that is right: every pair of operators, containers, and a
 * class with operators of its own; in threads as well.
 */
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

void *volatile kept; /* or the compiler leaves a pair out */

template <typename T>
T *
keep(T *block)
{
	kept = block;
	return static_cast<T *>(kept);
}

struct alignas(64) wide {
	char bytes[192];
};

void new_free() { std::free(keep(new int(1))); }
void new_array_free() { std::free(keep(new int[3])); }
void new_delete_array() { ::operator delete[](keep(::operator new(24))); }
void new_array_delete() { ::operator delete(keep(::operator new[](24))); }
void malloc_delete() { ::operator delete(keep(std::malloc(24))); }
void malloc_delete_array() { ::operator delete[](keep(std::malloc(24))); }
void nothrow_free() { std::free(keep(::operator new(24, std::nothrow))); }

void
nothrow_array_delete()
{
	::operator delete(keep(::operator new[](24, std::nothrow)));
}

void
aligned_new_delete()
{
	::operator delete(keep(::operator new(128, std::align_val_t(64))));
}

void
new_aligned_delete()
{
	::operator delete(keep(::operator new(128)), std::align_val_t(64));
}

void
new_realloc()
{
	std::free(std::realloc(keep(::operator new(24)), 100));
}

void other_size() { ::operator delete(keep(::operator new(24)), 25); }

void
other_aligned_size()
{
	::operator delete(keep(::operator new(128, std::align_val_t(64))), 256,
	    std::align_val_t(64));
}

/* The block is none of ours to judge: what was made by its own is given so. */
struct own {
	char bytes[40];
	static void *operator new(std::size_t n) { return std::malloc(n); }
	static void operator delete(void *block) { std::free(block); }
};

struct throws {
	char bytes[56];
	throws() { throw 1; }
};

void
operators(std::size_t n)
{
	::operator delete(keep(::operator new(n)));
	::operator delete(keep(::operator new(n)), n);
	::operator delete[](keep(::operator new[](n)));
	::operator delete[](keep(::operator new[](n)), n);
	::operator delete(keep(::operator new(n, std::nothrow)));
	::operator delete(keep(::operator new(n, std::nothrow)), std::nothrow);
	::operator delete[](keep(::operator new[](n, std::nothrow)));
	::operator delete[](keep(::operator new[](n)), std::nothrow);
	for (std::size_t to = 8; to <= 4096; to *= 8) {
		auto a = std::align_val_t(to);

		::operator delete(keep(::operator new(n, a)), a);
		::operator delete(keep(::operator new(n, a)), n, a);
		::operator delete[](keep(::operator new[](n, a)), a);
		::operator delete[](keep(::operator new[](n, a)), n, a);
		::operator delete(keep(::operator new(n, a, std::nothrow)), a,
		    std::nothrow);
	}
}

void
containers()
{
	std::map<int, std::string> words;
	std::vector<std::unique_ptr<wide>> wides;
	std::vector<int> numbers;

	for (int i = 0; i < 100; i++) {
		words[i] = std::string(static_cast<std::size_t>(i), 'x');
		wides.emplace_back(new wide);
		numbers.push_back(100 - i);
	}
	std::stable_sort(numbers.begin(), numbers.end());
	auto shared = std::make_shared<std::string>("shared by some, and long");
	std::shared_ptr<char[]> list(new char[100]);
	std::unique_ptr<wide[]> several(new wide[3]);
	std::unique_ptr<std::string[]> strings(new std::string[7]);
	std::allocator<wide> a;
	wide *w = a.allocate(5);
	a.deallocate(w, 5);
}

void
nothing()
{
	for (std::size_t n = 0; n < 3000; n = n * 3 + 1)
		operators(n);
	containers();
	delete keep(new own);
	try {
		delete keep(new throws);
	} catch (int) {
	}
	/* Placement: no block of its own. */
	alignas(wide) static char place[sizeof(wide)];
	keep(new (place) wide)->~wide();
	std::thread one(containers), other(containers);
	one.join();
	other.join();
}

const struct {
	const char *name;
	void (*run)();
} rows[] = {
	{ "new-free", new_free },
	{ "new-array-free", new_array_free },
	{ "new-delete-array", new_delete_array },
	{ "new-array-delete", new_array_delete },
	{ "malloc-delete", malloc_delete },
	{ "malloc-delete-array", malloc_delete_array },
	{ "nothrow-free", nothrow_free },
	{ "nothrow-array-delete", nothrow_array_delete },
	{ "aligned-new-delete", aligned_new_delete },
	{ "new-aligned-delete", new_aligned_delete },
	{ "new-realloc", new_realloc },
	{ "other-size", other_size },
	{ "other-aligned-size", other_aligned_size },
	{ "nothing", nothing },
};

} // namespace

int
main(int argc, char **argv)
{
	int times = argc > 2 ? std::atoi(argv[2]) : 1;

	for (const auto &row : rows) {
		if (argc < 2 || std::strcmp(argv[1], row.name) != 0)
			continue;
		for (int i = 0; i < times; i++)
			row.run();
		return 0;
	}
	return 2;
}
