/*
 * pure.test.mjs - what needs no browser: numbers, names, trees, tables of data
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Profile } from "../src/data.js";
import { brief, bytes, count, duration, probability, rate, share, signed }
	from "../src/format.js";
import { matcher } from "../src/matcher.js";
import { base, place, shorten } from "../src/names.js";
import { byFunction, childrenOf, frameKeys, makeTree, pathTo, search }
	from "../src/tree.js";
import { generate } from "./generate.mjs";

function table(what, rows) {
	for (const [given, expected] of rows)
		assert.equal(what(given), expected, `of ${given}`);
}

test("bytes are told in powers of 1024, with one unit", () => {
	table(bytes, [[0, "0 B"], [1, "1 B"], [1023, "1023 B"],
		[1024, "1.0 KiB"], [1536, "1.5 KiB"], [1048575, "1.0 MiB"],
		[10 * 2 ** 20, "10.0 MiB"], [123 * 2 ** 20, "123 MiB"],
		[2 ** 40, "1.0 TiB"], [-2048, "-2.0 KiB"], [null, "-"],
		[undefined, "-"], [NaN, "-"]]);
	table(signed, [[2048, "+2.0 KiB"], [-1, "-1 B"], [0, "0 B"]]);
});

test("counts have their thousands apart, or are brief", () => {
	table(count, [[7, "7"], [1234, "1\u202f234"],
		[1234567, "1\u202f234\u202f567"], [-1234, "-1\u202f234"],
		[null, "-"]]);
	table(brief, [[999, "999"], [12345, "12.3 k"], [2.5e6, "2.50 M"]]);
});

test("times are told in the units that people use", () => {
	table(duration, [[0, "0 s"], [4e-6, "4.00 us"], [0.25, "250 ms"],
		[1, "1.00 s"], [59.5, "59.5 s"], [60, "1 min 00 s"],
		[119.7, "2 min 00 s"], [3600, "1 h 00 min"],
		[90000, "1 d 1 h"], [-2, "-2.00 s"], [null, "-"]]);
	table(rate, [[1024, "+1.0 KiB/s"], [0.5, "+1.8 KiB/h"],
		[-2048, "-2.0 KiB/s"]]);
	table(probability, [[1e-9, "p < 0.001"], [0.02, "p = 0.020"]]);
});

test("a share of nothing is not known, and a small one is not 0", () => {
	assert.equal(share(1, 0), "-");
	assert.equal(share(1, 10000), "<0.1 %");
	assert.equal(share(0, 10), "0.0 %");
	assert.equal(share(10, 10), "100 %");
	assert.equal(share(1, 8), "12.5 %");
});

test("names of C++ and Rust are short and still names", () => {
	table(shorten, [
		["main", "main"],
		["std::vector<int, std::allocator<int> >::push_back(int const&)",
			"std::vector<>::push_back"],
		["void app::run<std::map<int, int> >(int)", "app::run<>"],
		["std::__cxx11::basic_string<char, std::char_traits<char>, " +
			"std::allocator<char> >::_M_create(unsigned long&)",
		"std::string::_M_create"],
		["operator new(unsigned long)", "operator new"],
		["std::ostream& operator<< <std::char_traits<char> >(std::ostream&)",
			"std::ostream& operator<< <>"],
		["app::Less::operator()(int, int) const",
			"app::Less::operator()"],
		["app::Ptr::operator->() const", "app::Ptr::operator->"],
		["(anonymous namespace)::parse(char const*)", "(anon)::parse"],
		["alloc::vec::Vec<T,A>::push::h0123456789abcdef",
			"alloc::vec::Vec<>::push"],
		["[deeper frames cut]", "[deeper frames cut]"],
		["libc.so.6+0x2724a", "libc.so.6+0x2724a"],
		["f[abi:cxx11](int)", "f"],
		["<", "<"], ["(", "("], ["a<b", "a<>"],
	]);
});

test("places are the last part of a path and a line", () => {
	assert.equal(place("/src/a/b.c", 12), "b.c:12");
	assert.equal(place("/src/b.c", 0), "b.c");
	assert.equal(place("", 12), "");
	assert.equal(base("libc.so.6"), "libc.so.6");
});

test("a search is of all words, or of a regular expression", () => {
	assert.equal(matcher("  "), null);
	assert.equal(matcher("parse REC")("Record::parse"), true);
	assert.equal(matcher("parse x")("Record::parse"), false);
	assert.equal(matcher("/^rec.*e$/")("Record::parse"), true);
	assert.equal(matcher("/[/")("a/[/b"), true);
	assert.equal(matcher("/[/")("ab"), false);
});

/*
 * main calls a and b; a calls itself; site 1: main a a, 2: main b, 3: main a
 */
function small() {
	const frame = (f, line) => ({ f, line });
	const frames = [frame(1, 1), frame(2, 5), frame(2, 9), frame(3, 3)];
	return new Profile({
		report: { totals: {} },
		strings: ["", "main", "a", "b", "prog"],
		frames: { function: frames.map((x) => x.f),
			file: [0, 0, 0, 0], line: frames.map((x) => x.line),
			module: [4, 4, 4, 4], flags: [0, 0, 0, 0] },
		paths: { parent: [0, 0, 1, 2, 1, 1], frame: [0, 0, 1, 2, 3, 2] },
		sites: { id: [1, 2, 3], kind: [0, 0, 0], path: [3, 4, 5],
			live_bytes: [10, 5, 7], live_blocks: [1, 1, 1] },
		moments: [{ at: 1 }, { at: 2 }, { at: 3 }],
		history: { site: [1, 3], first: [0, 2], moment: [0, 2, 1],
			live: [4, 10, 7] },
		lives: { site: [2], bucket: Array.from({ length: 22 },
			(_, i) => i), living: [0] },
	});
}

const named = (p, tree, node) =>
	p.strings[p.frames.function[tree.frame[node]]];

test("sites become one tree, a function's lines one box", () => {
	const p = small();
	const tree = makeTree(p, p.sites.live, false);
	assert.equal(tree.value[0], 22);
	const [main] = childrenOf(tree, 0);
	assert.equal(tree.value[main], 22);
	const [a, b] = childrenOf(tree, main);
	assert.deepEqual([named(p, tree, a), named(p, tree, b)], ["a", "b"]);
	assert.deepEqual([tree.value[a], tree.value[b]], [17, 5]);
	assert.equal(tree.self[a], 7);
	const [again] = childrenOf(tree, a);
	assert.equal(tree.value[again], 10);
	assert.deepEqual([...pathTo(tree, again)], [main, a, again]);
});

test("inverted, it begins at who allocates, and is as large", () => {
	const p = small();
	const tree = makeTree(p, p.sites.live, true);
	const top = [...childrenOf(tree, 0)];
	assert.deepEqual(top.map((n) => named(p, tree, n)), ["a", "b"]);
	assert.equal(tree.value[0], 22);
	assert.equal(tree.value[top[0]], 17);
	assert.equal(childrenOf(tree, top[0]).length, 2);
});

test("what is not above zero is not there", () => {
	const p = small();
	const tree = makeTree(p, Float64Array.from([-3, 0, 7]), false);
	assert.equal(tree.value[0], 7);
	assert.equal(tree.count, 3);
});

test("what matches below a match is not counted twice", () => {
	const p = small();
	const tree = makeTree(p, p.sites.live, false);
	const of = (name) => search(tree, 0, (frame) =>
		p.strings[p.frames.function[frame]] === name);
	assert.equal(of("a").sum, 17);
	assert.equal(of("a").found, 2);
	assert.equal(of("main").sum, 22);
	assert.equal(of("none").found, 0);
	const [main] = childrenOf(tree, 0);
	const [, b] = childrenOf(tree, main);
	assert.equal(search(tree, b, () => true).sum, 5);
});

test("a function that calls itself is counted once", () => {
	const p = small();
	const tree = makeTree(p, p.sites.live, false);
	const rows = byFunction(tree, frameKeys(p.frames)).map((r) =>
		[p.strings[p.frames.function[r.frame]], r.total, r.self]);
	assert.deepEqual(rows, [["main", 22, 0], ["a", 17, 17], ["b", 5, 5]]);
});

test("history is what was held from a change to the next", () => {
	const p = small();
	assert.deepEqual([...p.held(0)], [4, 4, 10]);
	assert.deepEqual([...p.held(1)], [0, 0, 0]);
	assert.deepEqual([...p.held(2)], [0, 7, 7]);
	assert.deepEqual([...p.heldAt(1)], [4, 0, 7]);
	assert.deepEqual([...p.heldAt(-1)], [10, 5, 7]);
	assert.equal(p.lifetimes(1)[21], 21);
	assert.equal(p.lifetimes(0), null);
});

test("stacks are leaf first", () => {
	const p = small();
	assert.deepEqual(p.stack(3).map((f) => `${f.function}:${f.line}`),
		["a:9", "a:5", "main:1"]);
	assert.deepEqual(p.stack(0), []);
});

test("an empty object is an empty profile", () => {
	const p = new Profile({});
	assert.equal(p.sites.count, 0);
	assert.equal(makeTree(p, p.sites.live, false).count, 1);
});

test("of 20,000 sites nothing is lost in the tree, either way up", () => {
	const p = new Profile(generate(20000));
	const sum = p.sites.live.reduce((a, b) => a + b, 0);
	assert.equal(p.sites.count, 20000);
	for (const inverted of [false, true]) {
		const tree = makeTree(p, p.sites.live, inverted);
		assert.equal(tree.value[0], sum);
		assert.equal(tree.self.reduce((a, b) => a + b, 0), sum);
		for (let n = 1; n < tree.count; n++)
			assert.ok(tree.parent[n] < n);
	}
});
