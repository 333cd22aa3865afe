/*
 * flame-view.js - which flame graph of a profile: what is measured, of which
 * sites, from which end; search, zoom, and the same as a table
 */
import { announce, check, choose, h, replace } from "./dom.js";
import { Flame, flameRow } from "./flame.js";
import { bytes, count, duration, share, signed } from "./format.js";
import { matcher } from "./matcher.js";
import { base, place, shorten } from "./names.js";
import { Table } from "./table.js";
import { byFunction, frameKeys, makeTree, pathTo, search } from "./tree.js";

const MEASURES = [
	["live", "live bytes", (s) => s.live, bytes],
	["peak", "live at the peak", (s) => s.peak, bytes],
	["allocated", "bytes allocated", (s) => s.allocated, bytes],
	["allocations", "allocations", (s) => s.allocations, count],
	["temporary", "temporary allocations", (s) => s.temporary, count],
	["growth", "growth between two moments", null, bytes],
];
const OF_THREADS = new Set(["allocated", "allocations"]);
const KINDS = ["heap", "mappings", "pools"];

function momentName(profile, m) {
	if (m < 0)
		return "now, or the end";
	const { at, mark, epoch } = profile.moments[m];
	const name = mark >= 0 ? profile.report.marks?.[mark]?.name : "";
	return `${name || (epoch ? `epoch ${epoch}` : "moment")}, ` +
		duration(at);
}

export class FlameView {
	constructor(profile) {
		this.measure = "live";
		this.kind = 0;
		this.thread = -1;
		this.from = 0;
		this.to = -1;
		this.inverted = false;
		this.full = false;
		this.build();
		this.setProfile(profile);
		new ResizeObserver(() => {
			if (this.room.clientWidth !== this.flame.width)
				this.flame.draw();
		}).observe(this.room);
	}

	build() {
		this.canvas = h("canvas", { role: "img", "aria-hidden": "true" });
		this.tools = h("div.tools");
		this.search = h("input", {
			type: "search", placeholder: "Search ( / ): words or /regexp/",
			"aria-label": "Search functions, files and modules",
			oninput: () => this.find(this.search.value),
			onkeydown: (e) => e.key === "Escape" && this.clear(),
		});
		this.share = h("output.share", { "aria-live": "polite" });
		this.crumbs = h("nav.crumbs", { "aria-label": "Zoomed to" });
		this.note = h("p.faint");
		this.tip = h("div.tip", { hidden: true, role: "presentation" });
		this.about = h("p.about", null, "\u00a0");
		this.room = h("div.flame", {
			tabindex: 0, role: "application",
			"aria-label": "Flame graph. Arrow keys move between " +
				"boxes, Enter zooms, Escape zooms out, slash " +
				"searches. The same as a table is below.",
			onkeydown: (e) => this.key(e),
			onblur: () => this.setFocus(-1),
		}, this.canvas);
		this.table = h("details", {
			ontoggle: () => this.fillTable(),
		}, h("summary", null, "As a table, by function"));
		this.node = h("div", null, this.tools,
			h("div.tools", null, this.search, this.share),
			this.crumbs, this.note, this.room, this.about, this.table,
			this.tip);
		this.flame = new Flame(this.canvas, {
			name: (f) => this.nameOf(f),
			module: (f) => this.moduleOf(f),
			onPick: (n) => this.zoom(n),
			onHover: (n, e) => this.hovered(n, e),
		});
	}

	setProfile(profile) {
		const before = this.tree ? pathTo(this.tree, this.flame.root)
			.map((n) => this.labelKey(n)) : [];
		this.profile = profile;
		profile.keys ??= frameKeys(profile.frames);
		if (this.measure === "live" && !this.tree &&
		    profile.sites.live.every((v, i) => v === 0 ||
		    profile.sites.kind[i] !== 0))
			this.measure = "peak"; /* all was given back */
		this.makeTools();
		this.rebuild(before);
	}

	labelKey(node) {
		return `${this.nameOf(this.tree.frame[node])}\0` +
			this.moduleOf(this.tree.frame[node]);
	}

	makeTools() {
		const p = this.profile;
		const set = (name) => (v) => {
			this[name] = v;
			this.makeTools();
			this.rebuild([]);
		};
		const number = (name) => (v) => set(name)(Number(v));
		const kinds = [0, 0, 0];
		p.sites.kind.forEach((k) => kinds[k]++);
		const moments = p.moments.map((_, m) =>
			[String(m), momentName(p, m)]);
		replace(this.tools,
			choose("Width is", MEASURES.map(([v, text]) => [v,
				v === "growth" && moments.length === 0 ?
					`${text} (none were noted)` : text,
				v === "growth" && moments.length === 0]),
			this.measure, set("measure")),
			this.measure === "growth" && [
				choose("from", [["-2", "the start"], ...moments],
					String(this.from), number("from")),
				choose("to", [...moments,
					["-1", momentName(p, -1)]],
				String(this.to), number("to"))],
			(kinds[1] > 0 || kinds[2] > 0) && choose("Sites of",
				KINDS.map((k, i) => [String(i), k,
					kinds[i] === 0]), String(this.kind),
				number("kind")),
			this.threadChoice(number("thread")),
			check("Inverted", this.inverted, set("inverted")),
			check("Full names", this.full, (v) => {
				this.full = v;
				this.flame.draw();
			}));
	}

	threadChoice(onchange) {
		const threads = this.profile.raw.by_thread?.thread;
		if (!threads)
			return null;
		const off = !OF_THREADS.has(this.measure);
		return choose("Thread", [["-1", off ?
			"all (choose allocated for one)" : "all"],
		...threads.map((t, i) => [String(i),
			`${t.name || "thread"} ${t.tid}${t.several ?
				" and earlier ones" : ""}`, off])],
		off ? "-1" : String(this.thread), onchange);
	}

	/* What each site (a row) comes to. */
	amounts() {
		const p = this.profile;
		const s = p.sites;
		if (this.measure === "growth")
			return this.growth();
		const [, , of] = MEASURES.find(([m]) => m === this.measure);
		if (this.thread >= 0 && OF_THREADS.has(this.measure))
			return this.ofThread();
		return of(s).map((v, i) => (s.kind[i] === this.kind ? v : 0));
	}

	growth() {
		const p = this.profile;
		const a = this.from === -2 ? new Float64Array(p.sites.count) :
			p.heldAt(this.from);
		const b = p.heldAt(this.to);
		return b.map((v, i) => (p.sites.kind[i] === this.kind ?
			v - a[i] : 0));
	}

	ofThread() {
		const { row, site, allocations, allocated_bytes } =
			this.profile.raw.by_thread;
		const list = this.measure === "allocated" ? allocated_bytes :
			allocations;
		const out = new Float64Array(this.profile.sites.count);
		row.forEach((thread, k) => {
			const i = this.profile.index.get(site[k]);
			if (thread === this.thread && i !== undefined &&
			    this.profile.sites.kind[i] === this.kind)
				out[i] += list[k];
		});
		return out;
	}

	rebuild(path) {
		const amounts = this.amounts();
		this.tree = makeTree(this.profile, amounts, this.inverted);
		this.flame.setTree(this.tree);
		let root = 0;
		for (const key of path) {
			const next = this.childNamed(root, key);
			if (next < 0)
				break;
			root = next;
		}
		this.tell(amounts);
		this.zoom(root, true);
		this.table.querySelector(".table")?.remove();
		this.fillTable();
	}

	childNamed(node, key) {
		const { children, first } = this.tree;
		for (let i = first[node]; i < first[node + 1]; i++)
			if (this.labelKey(children[i]) === key)
				return children[i];
		return -1;
	}

	/* What of the whole the graph does not show. */
	tell(amounts) {
		const shrunk = amounts.filter((v) => v < 0);
		const total = this.kind === 0 ? {
			live: this.profile.report.totals?.live_bytes,
			peak: this.profile.report.totals?.peak_bytes,
		}[this.measure] : undefined;
		const words = [];
		if (this.measure === "growth" && shrunk.length > 0)
			words.push(`${count(shrunk.length)} sites shrank by ` +
				`${bytes(-shrunk.reduce((a, b) => a + b, 0))}` +
				" together and are not shown");
		if (total > 0 && this.tree.value[0] < 0.995 * total)
			words.push(`sites explain ${bytes(this.tree.value[0])} of ` +
				bytes(total));
		if (this.profile.report.stacks === "sampled")
			words.push("estimated from a sample");
		this.note.textContent = words.join("; ");
	}

	nameOf(frame) {
		const { frames, strings } = this.profile;
		const name = strings[frames.function[frame]];
		return this.full ? name : shorten(name);
	}

	moduleOf(frame) {
		const { frames, strings } = this.profile;
		return base(strings[frames.module[frame]]);
	}

	amountWords(v) {
		const show = MEASURES.find(([m]) => m === this.measure)[3];
		return this.measure === "growth" ? signed(v) : show(v);
	}

	words(node) {
		const { tree, profile } = this;
		const of = `${this.amountWords(tree.value[node])}, ` +
			share(tree.value[node], tree.value[0]);
		if (node === 0)
			return `all: ${of}`;
		const f = profile.describe(tree.frame[node]);
		return `${f.function}: ${of}` +
			(tree.self[node] > 0 ? ` (${this.amountWords(
				tree.self[node])} here)` : "") +
			` \u2014 ${[place(f.file, f.line), base(f.module)]
				.filter(Boolean).join(", ")}`;
	}

	/* --- looking around ------------------------------------------------- */

	zoom(node, quietly) {
		this.flame.root = node;
		this.find(this.words_ ?? "");
		replace(this.crumbs, [0, ...pathTo(this.tree, node)].slice(-12)
			.map((n) => h("button", {
				type: "button", title: n === 0 ? "all" :
					this.words(n),
				"aria-current": n === node ? "location" : null,
				onclick: () => this.zoom(n),
			}, this.flame.label(n))));
		this.crumbs.hidden = node === 0;
		if (!quietly)
			announce(`zoomed to ${this.words(node)}`);
	}

	find(text) {
		this.words_ = text;
		const matches = matcher(text);
		this.flame.found = matches ? search(this.tree, this.flame.root,
			this.frameTest(matches)) : null;
		const found = this.flame.found;
		this.share.textContent = !found ? "" : found.found === 0 ?
			"nothing matches" :
			`${count(found.found)} ${found.found === 1 ?
				"box matches" : "boxes match"}, ` +
			`${this.amountWords(found.sum)}, ` +
			share(found.sum, this.tree.value[this.flame.root]);
		this.flame.draw();
	}

	/* Each frame is tested once, however many boxes it has. */
	frameTest(matches) {
		const known = new Map();
		return (frame) => {
			let hit = known.get(frame);
			if (hit === undefined) {
				const f = this.profile.describe(frame);
				hit = matches(`${f.function} ${shorten(f.function)} ` +
					`${f.file} ${base(f.module)}`);
				known.set(frame, hit);
			}
			return hit;
		};
	}

	clear() {
		this.search.value = "";
		this.find("");
	}

	setFocus(node) {
		const before = this.flame.focus;
		this.flame.focus = node;
		this.flame.repaint(before);
		this.flame.repaint(node);
		this.about.textContent = node >= 0 ? this.words(node) : "\u00a0";
	}

	go(direction) {
		const next = this.flame.next(direction);
		if (next < 0)
			return;
		if (!this.flame.boxOf(next))
			this.zoom(this.tree.parent[next], true);
		this.setFocus(next);
		announce(this.words(next));
		const box = this.flame.boxOf(next);
		if (box && this.room.scrollHeight > this.room.clientHeight)
			this.room.scrollTop = Math.min(Math.max(
				this.room.scrollTop, (box.row + 2) * flameRow -
				this.room.clientHeight), box.row * flameRow);
	}

	out() {
		const parent = this.tree.parent[this.flame.root];
		if (parent < 0)
			return;
		const was = this.flame.root;
		this.zoom(parent);
		this.setFocus(was);
	}

	key(e) {
		const keys = {
			ArrowUp: () => this.go("up"),
			ArrowDown: () => this.go("down"),
			ArrowLeft: () => this.go("left"),
			ArrowRight: () => this.go("right"),
			Enter: () => this.zoom(Math.max(0, this.flame.focus)),
			Escape: () => this.out(),
			Backspace: () => this.out(),
			Home: () => {
				this.zoom(0);
				this.setFocus(0);
			},
		};
		if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key])
			return;
		keys[e.key]();
		e.preventDefault();
	}

	hovered(node, e) {
		this.tip.hidden = node < 0 || !e;
		this.about.textContent = node >= 0 ? this.words(node) : "\u00a0";
		if (this.tip.hidden)
			return;
		this.tip.textContent = this.words(node);
		const wide = Math.min(480, innerWidth - 24);
		this.tip.style.maxWidth = `${wide}px`;
		this.tip.style.left = `${Math.max(8, Math.min(e.clientX + 12,
			innerWidth - this.tip.offsetWidth - 12))}px`;
		this.tip.style.top = `${e.clientY + 18}px`;
	}

	fillTable() {
		if (!this.table.open || this.table.querySelector(".table"))
			return;
		const all = this.tree.value[0];
		const name = (r) => this.nameOf(r.frame);
		this.table.append(new Table({
			label: "Functions",
			rows: byFunction(this.tree, this.profile.keys),
			text: (r) => `${name(r)} ${this.moduleOf(r.frame)}`,
			sort: ["Total", true],
			columns: [
				{ name: "Total", number: true,
					title: "it and what it calls",
					value: (r) => r.total,
					show: (r) => this.amountWords(r.total) },
				{ name: "Share", number: true,
					value: (r) => r.total,
					show: (r) => share(r.total, all) },
				{ name: "Self", number: true,
					value: (r) => r.self,
					show: (r) => this.amountWords(r.self) },
				{ name: "Function", value: name, show: (r) =>
					h("button.link", { type: "button",
						onclick: () => this.zoom(r.node) },
					name(r)) },
				{ name: "Module",
					value: (r) => this.moduleOf(r.frame),
					show: (r) => this.moduleOf(r.frame) },
			],
		}).node);
	}

	/* What grew between two times: between the moments that are nearest. */
	showGrowth(from, to) {
		const near = (t) => this.profile.moments.reduce((best, m, i) =>
			(Math.abs(m.at - t) < Math.abs(
				this.profile.moments[best].at - t) ? i : best), 0);
		this.measure = "growth";
		this.from = near(from);
		this.to = near(to);
		if (this.to <= this.from)
			this.to = this.from + 1 < this.profile.moments.length ?
				this.from + 1 : -1;
		this.makeTools();
		this.rebuild([]);
		this.node.scrollIntoView({ block: "nearest" });
	}
}

export function flameView(profile) {
	return profile.sites.count === 0 ? { node: h("p.none", null,
		"No stacks, so no flame graph: it was counted without " +
		"(--stacks sampled or all has them).") } :
		new FlameView(profile);
}
