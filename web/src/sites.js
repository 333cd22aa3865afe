/*
 * sites.js - who holds the memory, as a table; a stack in each row
 */
import { choose, h } from "./dom.js";
import { brief, bytes, count, share } from "./format.js";
import { lifetimeBars } from "./histogram.js";
import { base, place, shorten } from "./names.js";
import { spark } from "./spark.js";
import { briefly, stackList, telling } from "./stack.js";
import { Table } from "./table.js";
import { KIND_HEAP } from "./data.js";

const KINDS = ["heap", "mappings (mmap family)", "the program's pools"];

/* Only rows that are shown, searched or sorted by name are looked at closer. */
class Row {
	constructor(profile, i) {
		this.profile = profile;
		this.i = i;
	}

	get described() {
		const frames = this.profile.stack(
			this.profile.sites.path[this.i]);
		const who = telling(frames);
		const value = {
			who: who ? shorten(who.function) : "(no stack)",
			full: who?.function ?? "",
			place: who ? place(who.file, who.line) ||
				base(who.module) : "",
			file: who?.file ?? "",
			callers: briefly(frames, 4),
			all: frames.map((f) => `${f.function} ` +
				place(f.file, f.line)).join(" "),
		};
		Object.defineProperty(this, "described", { value });
		return value;
	}

	get who() { return this.described.who; }
	get full() { return this.described.full; }
	get place() { return this.described.place; }
	get file() { return this.described.file; }
	get callers() { return this.described.callers; }
	get all() { return this.described.all; }
}

function detail(profile, row) {
	const s = profile.sites;
	const i = row.i;
	const held = profile.held(i);
	const lives = profile.lifetimes(i);
	const facts = [
		["site", `#${s.id[i]}`], ["frees", count(s.frees[i])],
		["mean size", s.allocations[i] > 0 ?
			bytes(s.allocated[i] / s.allocations[i]) : "-"],
		s.requested && s.kind[i] === KIND_HEAP && ["live, as asked for",
			bytes(s.requested[i])],
		s.drawn[i] > 0 && ["estimated", `of ${count(s.drawn[i])} drawn, ` +
			`\u00b1${bytes(s.error[i])}`],
		s.pool[i] > 0 && ["pool", profile.strings[s.pool[i]]],
	].filter(Boolean);
	return h("div.columns", null,
		stackList(profile.stack(s.path[i])),
		h("div", null,
			h("dl.pairs", null, facts.map(([k, v]) =>
				[h("dt", null, k), h("dd", null, v)])),
			held && spark(profile.moments.map((m, k) =>
				[m.at, held[k]]), null),
			lives && lifetimeBars(lives, "How long its blocks lived")));
}

function columns(profile) {
	const s = profile.sites;
	const number = (name, list, show, title) => ({
		name, number: true, title, value: (r) => list[r.i],
		show: (r) => h("span", { title: count(list[r.i]) },
			(s.drawn[r.i] > 0 ? "\u2248" : "") + show(list[r.i])),
	});
	const total = profile.report.totals?.live_bytes ?? 0;
	return [
		number("Live", s.live, bytes, "held now, or at the end"),
		{ name: "Share", number: true, value: (r) => s.live[r.i],
			title: "of all live bytes",
			show: (r) => share(s.live[r.i], total) },
		number("Peak", s.peak, bytes, "held when the heap was highest"),
		number("Blocks", s.blocks, brief),
		number("Allocated", s.allocated, bytes, "all that it ever got"),
		number("Calls", s.allocations, brief),
		number("Temporary", s.temporary, brief,
			"freed before the next allocation"),
		{ name: "Function", value: (r) => r.who,
			show: (r) => h("span.name", { title: r.full }, r.who) },
		{ name: "Where", value: (r) => r.place,
			show: (r) => h("span.place", { title: r.file },
				r.place) },
		{ name: "Stack", sort: false,
			show: (r) => h("span.faint", null, r.callers) },
	];
}

export function sitesView(profile) {
	const s = profile.sites;
	if (s.count === 0)
		return { node: h("p.none", null, "No sites: it was counted " +
			"without stacks (--stacks sampled or all has them).") };
	const rows = [[], [], []];
	for (let i = 0; i < s.count; i++)
		rows[s.kind[i]].push(i);
	const described = new Map();
	const of = (kind) => rows[kind].map((i) => {
		if (!described.has(i))
			described.set(i, new Row(profile, i));
		return described.get(i);
	});
	const table = new Table({
		label: "Sites", columns: columns(profile), rows: of(KIND_HEAP),
		text: (r) => `${r.all} #${s.id[r.i]}`,
		detail: (r) => detail(profile, r),
		sort: ["Live", true], empty: "none of this kind",
	});
	if (rows[1].length + rows[2].length > 0)
		table.node.firstChild.prepend(choose("Sites of", KINDS.map(
			(name, k) => [String(k), `${name} (${count(
				rows[k].length)})`, rows[k].length === 0]), "0",
		(k) => table.setRows(of(Number(k)))));
	return table;
}
