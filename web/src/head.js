/*
 * head.js - what process it was, its totals, and what is to be said first
 */
import { h } from "./dom.js";
import { brief, bytes, count, date, duration, plural, share }
	from "./format.js";
import { base } from "./names.js";

function ended(r) {
	const { how, status, signal, oom } = r.end ?? {};
	if (oom)
		return "killed by the OOM killer";
	if (how === "exited")
		return `exited, status ${status}`;
	if (how === "signalled")
		return `ended by signal ${signal}`;
	if (how === "exec")
		return "became another program";
	return how === "running" ? "running" : "its end is not known";
}

function counted(r) {
	const kept = { all: "every allocation has its stack",
		sampled: `stacks sampled, one in ${bytes(r.sample_bytes)}`,
		none: "without stacks" }[r.stacks] ?? r.stacks;
	return `${r.exact ? "exact totals" : "totals not exact"}, ${kept}`;
}

function tile(label, value, note, level) {
	return h("div.tile", { "data-level": level },
		h("dt", null, label),
		h("dd", null, h("b", null, value), note && h("small", null, note)));
}

function budgetTile(profile) {
	const b = profile.raw.budget;
	if (!b)
		return null;
	const used = b.used ?? profile.report.rss?.resident ??
		profile.report.totals.live_bytes;
	return tile("of the budget", share(used, b.bytes),
		`${bytes(used)} of ${bytes(b.bytes)}, ${b.source}`,
		used >= b.critical ? "bad" : used >= b.warn ? "warn" : null);
}

export function tiles(profile) {
	const r = profile.report;
	const t = r.totals;
	const running = r.end?.how === "running";
	return h("dl.tiles", { "aria-label": "Totals" },
		tile(running ? "live now" : "live at the end",
			bytes(t.live_bytes), plural(t.live_blocks, "block")),
		tile("peak", bytes(t.peak_bytes),
			`after ${duration(t.peak_at)}`),
		tile("resident", bytes(r.rss?.resident),
			r.rss ? `at most ${bytes(r.rss.peak)}` :
				"nobody looked"),
		tile("allocations", brief(t.allocations),
			`${count(t.allocations)}, ` +
			`${bytes(t.allocated_bytes)} in all`),
		tile("temporary", share(t.temporary, t.allocations),
			"freed before the next"),
		tile("ran", duration(r.duration),
			t.allocations > 0 && r.duration > 0 ?
				`${brief(t.allocations / r.duration)} ` +
				"allocations a second" : null),
		budgetTile(profile));
}

const MARKS = { warn: "!", good: "\u2713", plain: "\u2022" };
const SAID = { warn: "Warning: ", good: "Good: ", plain: "" };

export function sentences(profile) {
	const list = profile.raw.sentences ?? [];
	if (list.length === 0)
		return null;
	return h("ul.sentences", { "aria-label": "Verdicts" },
		list.map((s) => h("li", { "data-level": s.level },
			h("span.mark", { "aria-hidden": "true" },
				MARKS[s.level] ?? MARKS.plain),
			h("span", null, h("span.hidden", null,
				SAID[s.level] ?? ""), s.text))));
}

export function identity(profile) {
	const r = profile.report;
	const command = (r.command ?? []).join(" ");
	return h("div.identity", null,
		h("h1", { title: r.executable }, base(r.command?.[0] ??
			r.executable ?? "a process")),
		h("p.command", { title: command }, command),
		h("p.facts", null, [`pid ${r.pid}`, r.host && `on ${r.host}`,
			date(r.started), ended(r), counted(r),
			r.allocator && `allocator ${base(r.allocator)}`]
			.filter(Boolean).map((t) => h("span", null, t))));
}
