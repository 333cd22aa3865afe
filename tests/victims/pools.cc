/*
 * pools.cc - an allocator for containers that takes from an arena
 */
#include <cstdio>
#include <map>
#include <memory>

#include "heaptide.h"

namespace {

class arena {
public:
	explicit arena(const char *name) : pool(tide_pool_create(name)) {}
	~arena() { tide_pool_destroy(pool); }
	arena(const arena &) = delete;
	arena &operator=(const arena &) = delete;

	void *take(std::size_t n)
	{
		void *block = memory.get() + used;

		used += (n + 15) / 16 * 16;
		tide_pool_alloc(pool, block, n);
		return block;
	}
	void give(void *block) { tide_pool_free(pool, block); }

private:
	struct tide_pool *pool;
	std::unique_ptr<char[]> memory{new char[1 << 20]};
	std::size_t used = 0;
};

template <typename T> struct from_arena {
	using value_type = T;
	arena *a;
	explicit from_arena(arena *from) : a(from) {}
	template <typename U>
	from_arena(const from_arena<U> &other) : a(other.a) {}
	T *allocate(std::size_t n)
	{
		return static_cast<T *>(a->take(n * sizeof(T)));
	}
	void deallocate(T *block, std::size_t) { a->give(block); }
	template <typename U>
	bool operator==(const from_arena<U> &o) const { return a == o.a; }
	template <typename U>
	bool operator!=(const from_arena<U> &o) const { return a != o.a; }
};

} // namespace

int
main()
{
	/* Never destroyed, so what it holds is held at the end. */
	auto *a = new arena("map");
	using pair = std::pair<const int, long>;
	auto *m = new std::map<int, long, std::less<int>, from_arena<pair>>(
	    std::less<int>(), from_arena<pair>(a));

	for (int i = 0; i < 1000; i++)
		(*m)[i] = i;
	for (int i = 0; i < 900; i++)
		m->erase(i);
	arena gone("gone");
	gone.take(100);
	return std::printf("%zu\n", m->size()) < 0;
}
