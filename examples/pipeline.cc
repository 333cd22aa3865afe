// pipeline.cc - records are counted by their words, in batches that fit: how
// heaptide.h looks in C++, where scopes end what was begun
//
//	pipeline++ RECORDS
//
// Needs nothing but heaptide.h, and works with and without heaptide around it.
#include <heaptide.h>

#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <new>
#include <string>
#include <vector>

// --- three small classes around three pairs of calls ------------------------

class Batch {
public:
	Batch() { memset(&b, 0, sizeof(b)); }
	Batch(const Batch &) = delete;
	Batch &operator=(const Batch &) = delete;
	// Given up, unless end() was called: so after an exception.
	~Batch() { tide_batch_abort(&b, TIDE_CANCEL); }

	bool begin(tide_op *op, uint64_t at, uint64_t left)
	{
		return tide_batch_begin(op, &b, at, left, -1) > 0;
	}
	bool takes(uint64_t bytes)
	{
		return tide_batch_more(&b) && tide_item(&b, bytes);
	}
	void end(uint64_t done) { tide_batch_end(&b, done); }
	void no_memory() { tide_batch_abort(&b, TIDE_NOMEM); }

private:
	tide_batch b;
};

class Inside {
public:
	explicit Inside(int component) : id(component)
	{
		tide_component_enter(id);
	}
	~Inside() { tide_component_leave(id); }

private:
	int id;
};

// What was counted lately, by word; the oldest goes when memory is short, or
// when the cache holds more than its share.
class Cache {
public:
	Cache() : id(tide_component("words", 1 << 20, 0)),
	    callback(tide_on_pressure(give_up, this, TIDE_CLEAN_BENIGN, 0, 0,
	    "words"))
	{
	}
	~Cache() { tide_off_pressure(callback); }

	uint64_t hash(const std::string &word)
	{
		Inside here(id);
		auto found = known.find(word);

		if (found != known.end())
			return found->second;
		uint64_t h = 14695981039346656037u;
		for (unsigned char c : word)
			h = (h ^ c) * 1099511628211u;
		if (held > tide_cache_budget(id))
			give_up(this, TIDE_WARNING, held / 2);
		known[word] = h;
		order.push_back(word);
		held += 2 * word.size() + 128;
		return h;
	}

private:
	static uint64_t give_up(void *self, int, uint64_t want)
	{
		Cache *c = static_cast<Cache *>(self);
		const uint64_t before = c->held;

		while (!c->order.empty() && before - c->held < want) {
			c->held -= 2 * c->order.front().size() + 128;
			c->known.erase(c->order.front());
			c->order.pop_front();
		}
		return before - c->held;
	}

	int id, callback;
	uint64_t held = 0;
	std::map<std::string, uint64_t> known;
	std::list<std::string> order;
};

// --- the work ---------------------------------------------------------------

static uint64_t
length_of(uint64_t number)
{
	return (number * 2654435761u >> 7) % 3000 + 10;
}

static std::string
read_record(uint64_t number)
{
	std::string text;

	while (text.size() < length_of(number))
		text += "w" + std::to_string(text.size() * (number % 7)) + " ";
	return text;
}

static uint64_t
count(Cache &cache, const std::string &record)
{
	uint64_t sum = 0;
	size_t from = 0, to;

	for (; (to = record.find(' ', from)) != record.npos; from = to + 1)
		sum += cache.hash(record.substr(from, to - from));
	return sum;
}

int
main(int argc, char **argv)
{
	const uint64_t total = argc > 1 ? strtoull(argv[1], nullptr, 10) : 500;
	static const char *const depths[] = { "standalone", "page", "runtime" };
	tide_op *op = tide_op_open("records", nullptr);
	uint64_t at = 0, sum = 0;
	int failures = 0;
	Cache cache;
	Batch batch;

	fprintf(stderr, "depth: %s\n", depths[tide_level()]);
	while (failures < 3 && batch.begin(op, at, total - at)) {
		try {
			std::vector<std::string> records;
			uint64_t here = 0;

			while (at + records.size() < total &&
			    batch.takes(length_of(at + records.size())))
				records.push_back(read_record(at +
				    records.size()));
			for (const std::string &record : records)
				here += count(cache, record);
			sum += here;
			at += records.size();
			batch.end(records.size());
			failures = 0;
		} catch (const std::bad_alloc &) {
			batch.no_memory();
			failures++;
		}
	}
	printf("%llu records, sum %016llx\n", (unsigned long long)at,
	    (unsigned long long)sum);
	return at == total ? 0 : TIDE_EXIT_NO_MEMORY;
}
