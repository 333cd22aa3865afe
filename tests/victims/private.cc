/*
 * private.cc - a C++ library for a C program to open (loader.c)
 *
 * Opened with RTLD_LOCAL, it brings its C++ library along, and nobody else
 * sees that.
 */
#include <cstdlib>
#include <map>
#include <new>
#include <stdexcept>
#include <string>

extern "C" long private_fill(int n);
extern "C" int private_throw(int n);

/* Uses new by way of the library's templates; returns what it made of it. */
long
private_fill(int n)
{
	std::map<std::string, std::string> words;
	long sum = 0;

	for (int i = 0; i < n; i++)
		words[std::to_string(i) + " is longer than its own room"] =
		    std::string(static_cast<std::size_t>(i) % 100, 'x');
	for (const auto &word : words)
		sum += static_cast<long>(word.first.size() +
		    word.second.size());
	return sum;
}

/* Throws, directly and out of operator new; returns how often it caught. */
int
private_throw(int n)
{
	volatile std::size_t huge = PTRDIFF_MAX - 4096;
	int caught = 0;

	for (int i = 0; i < n; i++)
		try {
			if (i % 2 == 0)
				throw std::runtime_error("a reason");
			::operator delete(::operator new(huge));
		} catch (const std::bad_alloc &) {
			caught++;
		} catch (const std::runtime_error &error) {
			caught += error.what()[0] == 'a';
		}
	return caught;
}
