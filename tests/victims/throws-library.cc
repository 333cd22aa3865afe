/*
 * throws-library.cc - what throws.cc opens, to throw out of and through
 */
#include <stdexcept>
#include <string>
#include <vector>

extern "C" void library_call(void (*f)(int), int n);
extern "C" void library_raise(int n);

void
library_call(void (*f)(int), int n)
{
	std::vector<std::string> held(5, "a string with a block of its own");

	f(n);
	held.clear();
}

void
library_raise(int n)
{
	std::vector<int> few(3);

	if (n > 0)
		library_raise(n - 1);
	few.at(static_cast<std::size_t>(n) + 3) = 1;
}
