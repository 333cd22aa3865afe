/*
 * leaks.js - what keeps growing, with the evidence drawn
 */
import { h, replace } from "./dom.js";
import { bytes, count, duration, probability, rate, share, signed }
	from "./format.js";
import { bars } from "./histogram.js";
import { spark } from "./spark.js";
import { briefly, frameWords, stackList, telling } from "./stack.js";
import { Table } from "./table.js";

const TOLD = new Set(["growing", "step", "unreachable"]);
const FIRST = 12;

function since(leaks, leak) {
	return leaks.by === "time" ? `since ${duration(leak.since)}` :
		`since epoch ${count(leak.since)}`;
}

export function verdictWords(leaks, leak) {
	const paced = leaks.by !== "time";
	switch (leak.verdict) {
	case "growing":
		return (paced ? `grows by ${bytes(leak.bytes_per_epoch)} an epoch` :
			`grows by ${rate(leak.bytes_per_hour / 3600)}`) +
			` ${since(leaks, leak)} (${probability(leak.p)})`;
	case "step":
		return `made a step of ${signed(leak.rose)}, ` +
			since(leaks, leak);
	case "saturated":
		return `grew by ${bytes(leak.rose)} and has stopped`;
	case "unreachable":
		return "nobody can reach it any more";
	default:
		return leak.verdict;
	}
}

/* Where it began and how fast it goes, in the units of the drawing. */
function slopeOf(leaks, leak, points) {
	if (leak.verdict !== "growing")
		return null;
	const [at, level] = points.find(([x]) => x >= leak.since - 1e-6) ??
		points[0];
	const unit = leaks.by !== "time" ? 1 : leak.bytes_per_epoch > 0 ?
		leak.bytes_per_hour / 3600 / leak.bytes_per_epoch : 0;
	return { from: at, level, rate: leak.bytes_per_epoch * unit,
		low: leak.low * unit, high: leak.high * unit };
}

/* Over time or, where the program paces itself, over epochs: as was judged. */
function pointsOf(profile, leaks, row) {
	const held = row === undefined ? null : profile.held(row);
	if (!held)
		return [];
	return profile.moments.map((m, i) =>
		[leaks.by === "time" ? m.at : m.epoch, held[i]])
		.filter(([x]) => leaks.by === "time" || x > 0);
}

function survivors(leak) {
	const list = (leak.survivors ?? []).filter(([, b]) => b > 0);
	if (list.length === 0)
		return null;
	const made = leak.made ?? [];
	return bars("Still there, by age in epochs", list.map(([age, b], i) =>
		[`${count(age)}`, b, made[i] > 0 ?
			`${bytes(b)}, ${share(b, made[i])}` : bytes(b)]), "age");
}

function freers(leak) {
	const lives = leak.lives;
	if (!lives)
		return null;
	const rows = lives.freed.slice(0, 3).map((f) => h("li", null,
		`freed by ${f.by ? frameWords(f.by) : "somebody"}: ` +
		`${count(f.blocks)} blocks, half of them after ` +
		duration(f.median)));
	if (lives.older_blocks > 0)
		rows.push(h("li", null, `${count(lives.older_blocks)} blocks of ` +
			`${bytes(lives.older_bytes)} are older than any that was freed`));
	if (rows.length === 0)
		rows.push(h("li", null, "not one of its blocks was seen freed"));
	return h("ul.facts", null, rows);
}

function numbers(leaks, leak) {
	const facts = [
		["live", bytes(leak.live_bytes)],
		["blocks", count(leak.live_blocks)],
		leak.verdict === "growing" && ["an epoch",
			`${signed(leak.bytes_per_epoch)} ` +
			`(${bytes(leak.low)} to ${bytes(leak.high)})`],
		leak.verdict === "growing" && ["an hour",
			signed(leak.bytes_per_hour)],
		leak.q !== undefined && ["false discovery",
			probability(leak.q).replace("p", "q")],
		leak.limit_in != null && ["to the limit",
			duration(leak.limit_in)],
		leak.estimated && ["estimated", `\u00b1${bytes(leak.error)}`],
	].filter(Boolean);
	return h("dl.pairs", null, facts.map(([k, v]) =>
		[h("dt", null, k), h("dd", null, v)]));
}

function notes(leak) {
	return [leak.minor && "too slow to matter before the program ends",
		leak.given_back && "given back when the program ended",
		leak.suppressed && `suppressed by ${leak.suppressed}`,
		leak.pool_like && "large chunks: a pool may hand out parts of them",
		leak.mapping && "by the mmap family"].filter(Boolean);
}

const historyWords = (points) => points.length < 2 ? null :
	`held at ${points.length} moments: ${points.map(([, b]) =>
		bytes(b)).filter((_, i) => i % Math.ceil(points.length / 8) === 0)
		.join(", ")}`;

function card(profile, leaks, leak) {
	const row = profile.index.get(leak.site);
	const frames = row === undefined ? leak.stack ?? [] :
		profile.stack(profile.sites.path[row]);
	const who = telling(frames);
	const points = pointsOf(profile, leaks, row);
	return h("article.leak", { "data-verdict": leak.verdict },
		h("header", null,
			h("h3", { title: who?.function },
				who ? frameWords(who) : `site ${leak.site}`),
			h("p", null, h("span.badge", null, leak.verdict), " ",
				verdictWords(leaks, leak)),
			notes(leak).map((n) => h("p.faint", null, n))),
		h("div.evidence", null,
			h("figure", null, spark(points, slopeOf(leaks, leak,
				points), historyWords(points)) ?? h("p.none", null,
				"its history is not kept"),
			h("figcaption", null, points.length > 1 ?
				`held at ${points.length} moments` : "")),
			numbers(leaks, leak)),
		h("details", null, h("summary", null, "Stack, survivors, lives"),
			h("div.columns", null, stackList(frames),
				h("div", null, survivors(leak), freers(leak)))));
}

function others(profile, leaks, list) {
	const stack = (l) => {
		const row = profile.index.get(l.site);
		return row === undefined ? [] :
			profile.stack(profile.sites.path[row]);
	};
	return new Table({
		label: "Sites that do not grow", id: (l) => l.site,
		rows: list,
		text: (l) => `${l.verdict} ${briefly(stack(l), 5)}`,
		detail: (l) => h("div", null, spark(pointsOf(profile,
			leaks, profile.index.get(l.site)), null), stackList(stack(l))),
		sort: ["Live", true],
		columns: [
			{ name: "Verdict", value: (l) => l.verdict,
				show: (l) => verdictWords(leaks, l) },
			{ name: "Live", number: true,
				value: (l) => l.live_bytes,
				show: (l) => bytes(l.live_bytes) },
			{ name: "Site", value: (l) => l.site, number: true,
				show: (l) => `#${l.site}` },
			{ name: "Stack", sort: false,
				show: (l) => briefly(stack(l)) },
		],
	}).node;
}

export function leaksView(profile) {
	const leaks = profile.raw.leaks;
	if (!leaks || leaks.points === 0)
		return h("p.none", null, "Too few epochs went by to judge " +
			"anything: marks, batches or time (--epoch) make them.");
	const told = leaks.leaks.filter((l) => TOLD.has(l.verdict));
	const rest = leaks.leaks.filter((l) => !TOLD.has(l.verdict));
	const room = h("div.leaks");
	let shown = FIRST;
	const draw = () => replace(room, told.slice(0, shown).map((l) =>
		card(profile, leaks, l)), told.length > shown && h("button", {
		type: "button",
		onclick: () => {
			shown += 50;
			draw();
		},
	}, `Show more (${count(told.length - shown)} left)`));
	draw();
	return h("div", null,
		h("p", null, `The heap as a whole: ${leaks.heap.verdict}` +
			`; judged at ${leaks.points} moments, by ${leaks.by}. ` +
			(told.length === 0 ? "No site grows beyond chance. " : "") +
			(leaks.left_out > 0 ? `Of each verdict the strongest are ` +
				`here, and ${count(leaks.left_out)} sites are not: ` +
				"'heaptide leaks --json' has them all." : "")),
		room, rest.length > 0 && h("details", null,
			h("summary", null,
				`${count(rest.length)} sites that do not grow`),
			others(profile, leaks, rest)));
}
