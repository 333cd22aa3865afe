/*
 * lint-replaced.cc - a program that has operators of its own
 *
 * By OFFSET its blocks begin so many bytes into those of malloc(); with
 * PLAIN_ONLY it leaves those for arrays to the C++ library.  Nothing that it
 * does is wrong.  With PLUGIN it is a library that makes objects and gives some
 * back, for another with a C++ library of its own.
 */
#include <dlfcn.h>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <vector>

#ifndef OFFSET
#define OFFSET 0
#endif

#ifdef PLUGIN
int given;

extern "C" std::string *
make()
{
	return new std::string(100, 'x');
}

extern "C" void
give(std::string *text)
{
	delete text;
	given++; /* the delete is no jump */
}
#else

#ifndef LINKED_IN
void *
operator new(std::size_t n)
{
	char *block = static_cast<char *>(std::malloc(n + OFFSET));

	if (block == nullptr)
		throw std::bad_alloc();
	return block + OFFSET;
}

void
operator delete(void *block) noexcept
{
	if (block != nullptr)
		std::free(static_cast<char *>(block) - OFFSET);
}

void
operator delete(void *block, std::size_t) noexcept
{
	operator delete(block);
}

#ifndef PLAIN_ONLY
void *
operator new[](std::size_t n)
{
	return operator new(n);
}

void
operator delete[](void *block) noexcept
{
	operator delete(block);
}
#endif
#endif

/* Both ways, and each its own. */
static int
share(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	auto *make = plugin == nullptr ? nullptr :
	    reinterpret_cast<std::string *(*)()>(dlsym(plugin, "make"));
	auto *give = plugin == nullptr ? nullptr :
	    reinterpret_cast<void (*)(std::string *)>(dlsym(plugin, "give"));

	if (make == nullptr || give == nullptr)
		return 1;
	for (int i = 0; i < 100; i++) {
		delete make();
		give(new std::string(100, 'y'));
		give(make());
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return share(argv[1]);
	std::map<int, std::string> words;
	std::vector<int> numbers;

	for (int i = 0; i < 1000; i++) {
		words[i] = std::string(static_cast<std::size_t>(i), 'x');
		numbers.push_back(i);
	}
	for (int i = 0; i < 100; i++) {
		char *volatile text = new char[200];
		std::string *volatile several = new std::string[3];

		delete[] text;
		delete[] several;
		delete new (std::nothrow) long(1);
	}
	return std::printf("%zu %zu\n", words.size(), numbers.size()) < 0;
}
#endif
