/*
 * generate.mjs - a profile of any size, as a page has it
 *
 * usage: generate.mjs TEMPLATE OUT [SITES]
 *
 * The same from the same number: a walk through calls of a program of 3,000
 * functions in C++, stacks of 12 to 60 frames, half of which are shared.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/* xorshift: what is random here is so each time in the same way */
function dice(seed) {
	let x = seed >>> 0 || 1;
	return (n) => {
		x ^= x << 13; x >>>= 0;
		x ^= x >>> 17;
		x ^= x << 5; x >>>= 0;
		return x % n;
	};
}

const MODULES = ["/usr/bin/ingest", "/usr/lib/libparse.so.3",
	"/usr/lib/libstore.so.1", "/lib/x86_64-linux-gnu/libstdc++.so.6",
	"/lib/x86_64-linux-gnu/libc.so.6"];
const WORDS = ["parse", "record", "index", "table", "fetch", "merge", "cache",
	"token", "batch", "store", "visit", "node", "emit", "split", "scan"];

function makeNames(roll, strings) {
	const functions = [];
	for (let i = 0; i < 3000; i++) {
		const a = WORDS[roll(15)];
		const b = WORDS[roll(15)];
		functions.push(strings.length);
		strings.push(roll(3) === 0 ?
			`std::vector<${a}::${b}_${i}, std::allocator<${a}::${b}_${i}> >::` +
			"emplace_back(unsigned long const&)" :
			`${a}::${b}_${i}(std::__cxx11::basic_string<char> const&, int)`);
	}
	return functions;
}

function makeFrames(roll, strings) {
	const functions = makeNames(roll, strings);
	const modules = MODULES.map((m) => strings.push(m) - 1);
	const files = WORDS.map((w) => strings.push(`/src/${w}.cc`) - 1);
	const frames = { function: [], file: [], line: [], module: [],
		flags: [] };
	for (let i = 0; i < 9000; i++) {
		const f = roll(3000);
		frames.function.push(functions[f]);
		frames.file.push(files[f % files.length]);
		frames.line.push(1 + roll(2000));
		frames.module.push(modules[f % modules.length]);
		frames.flags.push(roll(6) === 0 ? 1 : 0);
	}
	return frames;
}

function makePaths(roll, count, frames) {
	const paths = { parent: [0], frame: [0] };
	const leaves = [];
	const add = (parent) => paths.frame.push(roll(frames)) &&
		paths.parent.push(parent) - 1;
	while (leaves.length < count) {
		let at = leaves.length ? leaves[roll(leaves.length)] : 0;
		for (let up = 1 + roll(12); up > 0 && at > 0; up--)
			at = paths.parent[at];
		let depth = 0;
		for (let p = at; p > 0; p = paths.parent[p])
			depth++;
		const deep = Math.max(1, Math.min(60 - depth,
			(depth < 12 ? 12 - depth : 1) + roll(6)));
		for (let i = 0; i < deep; i++)
			at = add(at);
		leaves.push(at);
	}
	return [paths, leaves];
}

const COLUMNS = ["id", "kind", "path", "allocations", "frees",
	"allocated_bytes", "live_blocks", "live_bytes", "live_requested_bytes",
	"at_peak_bytes", "temporary", "error", "drawn", "pool"];

function makeSites(roll, leaves) {
	const sites = Object.fromEntries(COLUMNS.map((c) => [c, []]));
	leaves.forEach((path, i) => {
		const calls = 1 + Math.floor(10 ** (roll(600) / 100));
		const blocks = roll(3) === 0 ? 1 + roll(calls) : 0;
		const size = 16 << roll(9);
		const row = [i + 1, 0, path, calls, calls - blocks, calls * size,
			blocks, blocks * size, blocks * size - blocks,
			blocks * size + roll(4) * size, roll(calls), 0, 0, 0];
		COLUMNS.forEach((c, k) => sites[c].push(row[k]));
	});
	return sites;
}

function makeSeries(total) {
	const series = { at: [], live: [], resident: [], peak: [],
		allocated: [], terms: null };
	for (let i = 0; i < 3600; i++) {
		const live = Math.round(total * (0.4 + 0.6 * i / 3600 +
			0.03 * Math.sin(i / 40)));
		series.at.push(i * 8);
		series.live.push(live);
		series.resident.push(i % 5 ? 0 : Math.round(live * 1.2));
		series.peak.push(live);
		series.allocated.push(i * 5e6);
	}
	return series;
}

function makeHistory(roll, sites, moments) {
	const history = { site: [], first: [], moment: [], live: [] };
	sites.id.forEach((id, i) => {
		if (sites.live_bytes[i] === 0)
			return;
		history.site.push(id);
		history.first.push(history.moment.length);
		for (let m = roll(moments); m < moments; m += 1 + roll(12)) {
			history.moment.push(m);
			history.live.push(Math.round(sites.live_bytes[i] * m /
				moments));
		}
	});
	return history;
}

const sum = (list) => list.reduce((a, b) => a + b, 0);

function makeReport(sites, duration) {
	const live = sum(sites.live_bytes);
	return {
		pid: 4711, command: ["ingest", "--all", "/data/2026"],
		executable: "/usr/bin/ingest", host: "node17", started: 1.79e9,
		duration, end: { how: "exited", status: 0 }, stacks: "all",
		exact: true, lost: {}, allocator: "/lib/libc.so.6",
		totals: { allocations: sum(sites.allocations),
			frees: sum(sites.frees),
			allocated_bytes: sum(sites.allocated_bytes),
			live_blocks: sum(sites.live_blocks), live_bytes: live,
			peak_bytes: sum(sites.at_peak_bytes), peak_at: 28000,
			temporary: sum(sites.temporary) },
		rss: { resident: Math.round(live * 1.25),
			peak: Math.round(live * 1.4),
			terms: { live, slack: 0,
				retained: Math.round(live * 1.25) - live } },
		threads: [], ops: [], marks: [], pools: [], findings: [],
		modules: MODULES.map((path, i) => ({ path, build_id: "00",
			start: i * 1e6, end: i * 1e6 + 5e5 })),
	};
}

function makeLeaks(sites) {
	const leaks = [];
	sites.id.forEach((site, i) => {
		if (sites.live_bytes[i] > 0 && leaks.length < 3000)
			leaks.push({ verdict: leaks.length < 20 ? "growing" :
				"stable", site, live_bytes: sites.live_bytes[i],
			live_blocks: sites.live_blocks[i], bytes_per_epoch: 4096,
			bytes_per_hour: 16384, low: 4000, high: 4200, p: 1e-6,
			q: 1e-5, since: 3, rose: 1e5, limit_in: null,
			survivors: [[1, 4000], [2, 3900]], made: [4096, 4096] });
	});
	return { by: "epochs", points: 32, epochs: 32,
		heap: { verdict: "growing" }, leaks };
}

export function generate(count, seed = 7) {
	const roll = dice(seed);
	const strings = [""];
	const frames = makeFrames(roll, strings);
	const [paths, leaves] = makePaths(roll, count, 9000);
	const sites = makeSites(roll, leaves);
	const report = makeReport(sites, 28800);
	const moments = Array.from({ length: 32 }, (_, i) => ({ at: i * 900,
		live: Math.round(report.totals.live_bytes * i / 32),
		epoch: i + 1, mark: -1 }));
	return {
		heaptide: "0", schema: 1, page: 1, report,
		sentences: [{ level: "warn", topic: "leaks",
			text: "20 sites grow" }],
		strings, frames, paths, sites, by_thread: null,
		series: makeSeries(report.totals.live_bytes), budget: null,
		moments, history: makeHistory(roll, sites, 32),
		leaks: makeLeaks(sites), lives: { site: [], bucket: [],
			living: [] }, advice: [],
	};
}

/* As page_write() does it. */
export function write(template, out, data) {
	const text = JSON.stringify(data).replaceAll("<", "\\u003c");
	writeFileSync(out, readFileSync(template, "utf8")
		.replace("@HEAPTIDE_DATA@", () => text));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	const [template, out, count] = process.argv.slice(2);
	write(template, out, generate(Number(count ?? 20000)));
}
