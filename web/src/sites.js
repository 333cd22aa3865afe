/*
 * sites.js - who holds the memory, as a table; a stack in each row
 */
import { choose, h, replace } from "./dom.js";
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
		this.id = profile.sites.id[i];
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

const total = (r) => r.profile.report.totals?.live_bytes ?? 0;

/* Of a row's own profile: there may be a newer one later. */
function number(name, member, show, title) {
	const of = (r) => r.profile.sites[member][r.i];
	return {
		name, number: true, title, value: of,
		show: (r) => h("span", { title: count(of(r)) },
			(r.profile.sites.drawn[r.i] > 0 ? "\u2248" : "") +
			show(of(r))),
	};
}

const COLUMNS = [
	number("Live", "live", bytes, "held now, or at the end"),
	{ name: "Share", number: true, title: "of all live bytes",
		value: (r) => r.profile.sites.live[r.i],
		show: (r) => share(r.profile.sites.live[r.i], total(r)) },
	number("Peak", "peak", bytes, "held when the heap was highest"),
	number("Blocks", "blocks", brief),
	number("Allocated", "allocated", bytes, "all that it ever got"),
	number("Calls", "allocations", brief),
	number("Temporary", "temporary", brief,
		"freed before the next allocation"),
	{ name: "Function", value: (r) => r.who,
		show: (r) => h("span.name", { title: r.full }, r.who) },
	{ name: "Where", value: (r) => r.place,
		show: (r) => h("span.place", { title: r.file }, r.place) },
	{ name: "Stack", sort: false,
		show: (r) => h("span.faint", null, r.callers) },
];

class SitesView {
	constructor(profile) {
		this.kind = KIND_HEAP;
		this.table = new Table({
			label: "Sites", columns: COLUMNS, rows: [],
			text: (r) => `${r.all} #${r.id}`,
			id: (r) => r.id,
			detail: (r) => detail(r.profile, r),
			sort: ["Live", true], empty: "none of this kind",
		});
		this.choice = h("div.tools");
		this.node = h("div", null, this.choice, this.table.node);
		this.setProfile(profile);
	}

	setProfile(profile) {
		const { kind, count: n } = profile.sites;
		this.rows = [[], [], []];
		for (let i = 0; i < n; i++)
			this.rows[kind[i]].push(new Row(profile, i));
		const several = this.rows[1].length + this.rows[2].length > 0;
		replace(this.choice, several && choose("Sites of", KINDS.map(
			(name, k) => [String(k),
				`${name} (${count(this.rows[k].length)})`,
				this.rows[k].length === 0]), String(this.kind),
		(k) => {
			this.kind = Number(k);
			this.table.setRows(this.rows[this.kind]);
		}));
		this.choice.hidden = !several;
		this.table.setRows(this.rows[this.kind]);
	}
}

export function sitesView(profile) {
	return profile.sites.count === 0 ? { node: h("p.none", null,
		"No sites: it was counted without stacks (--stacks sampled or " +
		"all has them).") } : new SitesView(profile);
}
