/*
 * lists.js - batches, threads, pools, findings, losses, modules: each a table,
 * or a sentence that there is none
 */
import { h } from "./dom.js";
import { brief, bytes, count, duration, share, signed } from "./format.js";
import { base } from "./names.js";
import { frameWords, stackList, telling } from "./stack.js";
import { Table } from "./table.js";

const none = (text) => h("p.none", null, text);

const text = (name, of, title) => ({ name, title, value: of, show: of });
const number = (name, of, show = count, title) => ({ name, title,
	number: true, value: (r) => of(r) ?? 0, show: (r) => show(of(r)) });

/* --- batches -------------------------------------------------------------- */

function progress(op) {
	return op.total > 0 ? `${count(op.done)} of ${count(op.total)}` :
		count(op.items);
}

function checkpoints(op) {
	return op.checkpoints > 0 ? `${count(op.checkpoints)}, ` +
		bytes(op.checkpoint_bytes) : "none";
}

export function batchesView(profile) {
	const ops = profile.report.ops ?? [];
	if (ops.length === 0)
		return none("The program tells of no batches: a loop around " +
			"tide_batch_begin() does (heaptide.3).");
	return new Table({
		label: "Operations", rows: ops, sort: ["Growth, most", true],
		columns: [
			text("Operation", (o) => o.name),
			number("Batches", (o) => o.batches),
			number("Items", (o) => o.items, count),
			{ name: "Progress", value: (o) => o.done, show: progress },
			number("Failed", (o) => o.items_failed),
			number("Cut", (o) => o.cuts, count,
				"ended early for want of room"),
			number("Least", (o) => o.n_least),
			number("Most", (o) => o.n_most),
			number("Next", (o) => o.n_next),
			number("Growth, mean", (o) => o.growth_mean, bytes,
				"peak of a batch above where it began"),
			number("Growth, most", (o) => o.growth_most, bytes),
			number("An item", (o) => o.bytes_per_item, bytes),
			number("Retained", (o) => o.retained_bytes, bytes,
				"held at the end of batches and not before"),
			number("Items/s", (o) => o.items_per_second, brief),
			number("Time", (o) => o.seconds, duration),
			number("Delays", (o) => o.delay_seconds, duration),
			text("Bound", (o) => o.bound,
				"what the next batch is limited by"),
			{ name: "Checkpoints", value: (o) => o.checkpoints,
				show: checkpoints },
		],
	}).node;
}

/* --- threads -------------------------------------------------------------- */

export function threadsView(profile) {
	const threads = profile.report.threads ?? [];
	if (threads.length === 0)
		return none("No thread has allocated anything.");
	const all = profile.report.totals.allocated_bytes;
	return new Table({
		label: "Threads", rows: threads, sort: ["Allocated", true],
		text: threads.length > 8 ? (t) => `${t.name} ${t.tid} ${t.state}` :
			null,
		columns: [
			text("Name", (t) => t.name),
			number("Thread", (t) => t.tid, (n) => String(n || "-")),
			text("State", (t) => t.state),
			number("Allocations", (t) => t.allocations),
			number("Frees", (t) => t.frees),
			number("Allocated", (t) => t.allocated_bytes, bytes),
			number("Share", (t) => t.allocated_bytes,
				(n) => share(n, all)),
			number("Net", (t) => t.net_bytes, signed,
				"allocated less freed; below zero: it freed what " +
				"others had allocated"),
		],
	}).node;
}

/* --- pools ---------------------------------------------------------------- */

export function poolsView(profile) {
	const pools = profile.report.pools ?? [];
	if (pools.length === 0)
		return null;
	return new Table({
		label: "Pools", rows: pools, sort: ["Live", true],
		columns: [
			text("Pool", (p) => p.name),
			number("Made", (p) => p.pools),
			number("Live", (p) => p.live_bytes, bytes),
			number("Blocks", (p) => p.live_blocks),
			number("Peak", (p) => p.peak_bytes, bytes),
			number("Allocations", (p) => p.allocations),
			number("Lost", (p) => p.lost),
		],
	}).node;
}

/* --- findings ------------------------------------------------------------- */

const PARTS = [["allocated", "allocated"], ["freed", "freed"],
	["first_freed", "first freed"]];

function findingDetail(f) {
	const part = ([name, title]) => {
		const stack = Array.isArray(f[name]) ? f[name] : f[name]?.stack;
		return stack && h("div", null, h("h4", null, title),
			stackList(stack));
	};
	return h("div.columns", null, PARTS.map(part));
}

function findingPlace(f) {
	for (const [name] of PARTS) {
		const stack = Array.isArray(f[name]) ? f[name] : f[name]?.stack;
		const who = stack && telling(stack);
		if (who)
			return frameWords(who);
	}
	return "-";
}

export function findingsView(profile) {
	const list = profile.report.findings ?? [];
	if (list.length === 0)
		return none(profile.report.stacks === "all" ?
			"No wrong free, no mismatch of new and delete was seen." :
			"Wrong frees and mismatches of new and delete are only " +
			"looked for with --stacks all.");
	return new Table({
		label: "Findings", rows: list, sort: ["Count", true],
		detail: findingDetail,
		columns: [
			text("Kind", (f) => f.kind),
			number("Count", (f) => f.count),
			number("Bytes", (f) => f.bytes, bytes),
			text("Where", findingPlace),
		],
	}).node;
}

/* --- what was lost, what was executed, modules ---------------------------- */

function nonZero(object) {
	return Object.entries(object ?? {}).filter(([, n]) => n > 0);
}

/* Counted, and no loss: segment.h has which. */
const HARMLESS = new Set(["truncated", "verified"]);

export function lossesView(profile) {
	const r = profile.report;
	const all = nonZero(r.lost);
	const lost = all.filter(([name]) => !HARMLESS.has(name));
	const noted = all.filter(([name]) => HARMLESS.has(name));
	const executed = nonZero(r.not_profiled);
	const bypassed = r.bypassed ?? [];
	const list = (title, rows) => rows.length > 0 && h("div", null,
		h("h3", null, title), h("dl.pairs", null, rows.map(([k, n]) =>
			[h("dt", null, k.replaceAll("_", " ")),
				h("dd", null, count(n))])));
	return [lost.length + executed.length + bypassed.length === 0 &&
		none("Nothing was lost, and no module allocates past heaptide: " +
			"every number here is of all there was."),
	h("div.columns", null, list("Lost", lost),
		list("Programs executed and not profiled", executed),
		list("Counted, and no loss", noted),
		bypassed.length > 0 && h("div", null,
			h("h3", null, "Allocate past heaptide"),
			h("ul", null, bypassed.map((b) => h("li", null,
				`${base(b.module ?? "")} ${b.why ?? ""}`)))))];
}

export function modulesView(profile) {
	const modules = profile.report.modules ?? [];
	if (modules.length === 0)
		return none("No modules are known.");
	return new Table({
		label: "Modules", rows: modules, sort: ["Module", false],
		text: (m) => `${m.path} ${m.build_id}`,
		columns: [
			{ name: "Module", value: (m) => base(m.path ?? ""),
				show: (m) => h("span", { title: m.path },
					base(m.path ?? "")) },
			number("Mapped", (m) => m.end - m.start, bytes),
			{ name: "Path", value: (m) => m.path ?? "",
				show: (m) => h("span.faint", null, m.path) },
			{ name: "Build id", value: (m) => m.build_id,
				show: (m) => h("code", null, m.build_id || "-") },
		],
	}).node;
}
