/*
 * dlerror.cc - allocates before it asks what the dynamic linker had to say
 *
 * Each operator is used for the first time between a failure and its dlerror().
 */
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <new>

namespace {

void
ask(const char *what)
{
	const char *error = dlerror();

	std::printf("%s: %s\n", what, error != nullptr ? error : "nothing");
}

void
fail()
{
	if (dlopen("/none/of/this/name.so", RTLD_NOW) != nullptr)
		std::abort();
}

} // namespace

int
main()
{
	void *block;

	fail();
	block = std::malloc(100);
	ask("malloc");
	fail();
	std::free(block);
	ask("free");
	fail();
	block = ::operator new(100);
	ask("new");
	fail();
	::operator delete(block);
	ask("delete");
	fail();
	block = ::operator new[](100, std::nothrow);
	ask("nothrow new[]");
	fail();
	::operator delete[](block, std::nothrow);
	ask("nothrow delete[]");
	if (dlclose(dlopen("libm.so.6", RTLD_NOW)) != 0)
		return 1;
	ask("dlclose");
	return 0;
}
