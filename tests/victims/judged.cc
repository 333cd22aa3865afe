// judged.cc - leaks of C++ for two judges, as in judged.c
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#define NOINLINE __attribute__((noinline))

struct Named {
	std::string name = std::string(100, 'n');
};

struct First {
	virtual ~First() = default;
	long first = 1;
};

struct Second {
	virtual ~Second() = default;
	long second = 2;
};

struct Both : First, Second {
	std::vector<int> numbers = std::vector<int>(50);
};

struct Ring {
	std::shared_ptr<Ring> next;
	long content[4] = { 0 };
};

static std::vector<std::string> names;
static std::map<int, std::vector<int>> numbers;
static std::unordered_map<std::string, std::unique_ptr<Named>> index_of;
static std::list<std::shared_ptr<Ring>> rings;
static std::function<long()> call;
static Named *volatile several;   // behind the count of its elements
static Second *volatile part;     // of a Both, not its start
static std::string *volatile text;

static NOINLINE void
clear_stack()
{
	volatile char below[16384];

	memset(const_cast<char *>(below), 0, sizeof(below));
}

static NOINLINE void
lost_vector()
{
	// Not 10 of them: in the judge's allocator their end would be where
	// another block begins, and that count as held by a vector.
	auto *v = new std::vector<std::vector<int>>(9);

	for (auto &inner : *v)
		inner.resize(30);
}

static NOINLINE void
lost_map()
{
	auto *m = new std::map<int, std::string>;

	for (int i = 0; i < 20; i++)
		(*m)[i] = std::string(60, 'x');
}

static NOINLINE void
lost_array()
{
	auto *array = new Named[7];

	array[3].name[0] = 'm';
}

static NOINLINE void
lost_both()
{
	auto *both = new Both;

	both->first = 3;
}

static NOINLINE void
lost_ring()
{
	auto a = std::make_shared<Ring>(), b = std::make_shared<Ring>();

	a->next = b;
	b->next = a;
}

static NOINLINE void
lost_closure()
{
	long big[20] = { 1 };

	new std::function<long()>([big] { return big[7]; });
}

static NOINLINE void
kept_containers()
{
	for (int i = 0; i < 100; i++) {
		names.push_back(std::string(50 + i, 'k'));
		numbers[i].resize(i + 1);
		index_of[names.back()] = std::make_unique<Named>();
		rings.push_back(std::make_shared<Ring>());
	}
	for (auto &ring : rings)
		ring->next = rings.front();
	rings.front()->next = nullptr;
}

static NOINLINE void
kept_others()
{
	long big[20] = { 1 };

	call = [big] { return big[7]; };
	several = new Named[5];
	part = new Both;
	text = new std::string(200, 't');
}

int
main()
{
	lost_vector();
	lost_map();
	lost_array();
	lost_both();
	lost_ring();
	lost_closure();
	kept_containers();
	kept_others();
	clear_stack();
	return 0;
}
