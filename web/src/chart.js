/*
 * chart.js - the heap over time: what is live, what is resident and why, how
 * near the budget, what happened when
 */
import uPlot from "uplot";
import { announce, check, choose, colour, h } from "./dom.js";
import { bytes, count, duration, rate, signed } from "./format.js";
import { TERMS } from "./terms.js";

const HEIGHT = 280;
const MARKS_NAMED = 14; /* more names than that cannot be read */

/* Between two points it was as at the first of them; and it is to the end. */
function extend(profile) {
	const s = profile.raw.series;
	const at = s.at.slice();
	const series = { at, live: s.live.slice(),
		resident: s.resident.map((v) => v || null),
		terms: {}, allocated: (s.allocated ?? []).slice() };
	const last = at.length - 1;
	const end = profile.report.duration;
	const more = last >= 0 && end > at[last];
	if (more) {
		at.push(end);
		for (const name of ["live", "resident", "allocated"])
			series[name].push(series[name][last]);
	}
	for (const [name] of TERMS) {
		const list = (s.terms?.[name] ?? []).slice();
		if (more)
			list.push(list[last]);
		series.terms[name] = list;
	}
	return series;
}

/* Each term on top of those before it; where nobody looked, nothing. */
export function stack(terms, resident) {
	const sum = resident.map(() => 0);
	return TERMS.map(([name]) => resident.map((r, i) => {
		sum[i] += terms[name]?.[i] ?? 0;
		return r === null || sum[i] === 0 ? null : sum[i];
	}));
}

const stepped = uPlot.paths.stepped({ align: 1 });

function lineSeries(label, name, extra) {
	return { label, stroke: () => colour(name), width: 1.5,
		value: (u, v) => bytes(v), points: { show: false },
		spanGaps: true, ...extra };
}

function byTotals(data) {
	return {
		data: [data.at, data.live, data.resident],
		series: [
			lineSeries("live", "accent", { paths: stepped,
				fill: () => colour("accent-faint") }),
			lineSeries("resident", "second"),
		],
	};
}

function byTerms(data) {
	const sums = stack(data.terms, data.resident);
	const bands = TERMS.slice(1).map((_, i) =>
		({ series: [i + 2, i + 1], fill: () =>
			colour(`term-${TERMS[i + 1][0]}`) }));
	return {
		data: [data.at, ...sums],
		bands,
		series: TERMS.map(([name, title], i) => lineSeries(title,
			`term-${name}`, {
				width: 1,
				fill: i === 0 ? () => colour(`term-${name}`) :
					undefined,
				value: (u, v, k, at) => (at === null ? "-" :
					bytes(data.terms[name][at])),
			})),
	};
}

/* --- what is drawn beside the lines --------------------------------------- */

function label(u, text, x, y, align) {
	u.ctx.textAlign = align;
	u.ctx.fillText(text, x, y);
}

function drawBudget(u, budget, ratio) {
	const lines = [["bytes", "budget", "bad"], ["critical", "critical",
		"bad"], ["warn", "warning", "warn"], ["target", "target", "faint"]];
	const labels = [];
	for (const [name, words, paint] of lines) {
		const y = u.valToPos(budget[name], "y", true);
		if (y < u.bbox.top || y > u.bbox.top + u.bbox.height)
			continue;
		u.ctx.strokeStyle = u.ctx.fillStyle = colour(paint);
		u.ctx.setLineDash(name === "bytes" ? [] : [4 * ratio, 4 * ratio]);
		u.ctx.beginPath();
		u.ctx.moveTo(u.bbox.left, y);
		u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
		u.ctx.stroke();
		if (labels.some((other) => Math.abs(other - y) < 12 * ratio))
			continue; /* one could read neither */
		labels.push(y);
		label(u, words, u.bbox.left + u.bbox.width - 4 * ratio,
			y - 3 * ratio, "right");
	}
	u.ctx.setLineDash([]);
}

function drawMarks(u, marks, ratio) {
	const seen = marks.filter((m) => m.at >= u.scales.x.min &&
		m.at <= u.scales.x.max);
	for (const m of seen) {
		const x = Math.round(u.valToPos(m.at, "x", true));
		u.ctx.strokeStyle = u.ctx.fillStyle =
			colour(m.kind === "mark" ? "mark" : "faint");
		u.ctx.setLineDash([2 * ratio, 3 * ratio]);
		u.ctx.beginPath();
		u.ctx.moveTo(x, u.bbox.top);
		u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
		u.ctx.stroke();
		if (seen.length <= MARKS_NAMED)
			label(u, m.name || m.kind, x + 3 * ratio,
				u.bbox.top + 11 * ratio, "left");
	}
	u.ctx.setLineDash([]);
}

function decorate(profile) {
	return (u) => {
		const ratio = devicePixelRatio || 1;
		u.ctx.save();
		u.ctx.font = `${11 * ratio}px system-ui, sans-serif`;
		u.ctx.lineWidth = ratio;
		if (profile.raw.budget)
			drawBudget(u, profile.raw.budget, ratio);
		drawMarks(u, profile.report.marks ?? [], ratio);
		u.ctx.restore();
	};
}

/* --- the chart ------------------------------------------------------------ */

function axis(values, size) {
	return { stroke: () => colour("faint"), values, size,
		font: "11px system-ui, sans-serif",
		grid: { stroke: () => colour("grid"), width: 1 },
		ticks: { stroke: () => colour("grid"), width: 1 } };
}

/* Seconds between ticks: as a clock has them. */
const STEPS = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30,
	60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400,
	172800, 432000, 864000, 8640000];

/* The budget is shown where it is not far above what is used. */
function top(profile) {
	const budget = profile.raw.budget?.bytes ?? 0;
	return (u, min, max) => [0, Math.max(max * 1.08, 1024,
		budget > 0 && budget < 3 * max ? budget * 1.05 : 0)];
}

/* Ticks at whole KiB, MiB ...: powers of two, and twos and fives of them. */
function splits(u, i, min, max) {
	const step = 2 ** Math.ceil(Math.log2(Math.max(max - min, 1) / 6));
	const out = [];
	for (let v = Math.ceil(min / step) * step; v <= max; v += step)
		out.push(v);
	return out;
}

export class Chart {
	/* @onInterval(from, to): seconds that were selected, or null */
	constructor(profile, onInterval) {
		this.onInterval = onInterval;
		this.mode = "totals";
		this.zooms = true;
		this.room = h("div.chart", {
			tabindex: 0, role: "application",
			"aria-label": "The heap over time. Left and right move " +
				"the cursor, plus and minus zoom, 0 shows all.",
			onkeydown: (e) => this.key(e),
		});
		this.picked = h("div.picked");
		this.tools = h("div.tools");
		this.table = h("details");
		this.node = h("div", null, this.tools, this.room, this.picked,
			this.table);
		this.setProfile(profile);
		new ResizeObserver(() => this.resize()).observe(this.node);
	}

	setProfile(profile) {
		const zoom = this.plot && this.zoomed ?
			[this.plot.scales.x.min, this.plot.scales.x.max] : null;
		this.profile = profile;
		this.data = extend(profile);
		this.makeTools();
		this.makeTable();
		this.draw();
		if (zoom)
			this.zoom(...zoom);
	}

	makeTools() {
		const has = this.profile.raw.series.terms !== null;
		this.tools.replaceChildren(
			choose("Show", [["totals", "live and resident"],
				["terms", has ? "resident by term" :
					"resident by term (not known)", !has]],
			this.mode, (v) => {
				this.mode = v;
				this.draw();
			}),
			check("Drag zooms", this.zooms, (v) => {
				this.zooms = v;
				this.draw();
			}),
			h("button", { type: "button",
				onclick: () => this.reset() }, "Show all"));
	}

	makeTable() {
		const { at, live, resident } = this.data;
		this.table.replaceChildren(h("summary", null, "As a table"));
		this.table.ontoggle = () => {
			if (!this.table.open || this.table.childElementCount > 1)
				return;
			const every = Math.max(1, Math.ceil(at.length / 200));
			this.table.append(h("div.scroll", { tabindex: 0,
				role: "region", "aria-label": "Series" },
			h("table.plain", null, h("thead", null, h("tr", null,
				["Time", "Live", "Resident"].map((t) =>
					h("th.num", { scope: "col" }, t)))),
			h("tbody", null, at.flatMap((t, i) => (i % every ? [] : [
				h("tr", null, h("td.num", null, duration(t)),
					h("td.num", null, bytes(live[i])),
					h("td.num", null, bytes(resident[i])))]))))));
		};
	}

	/* Nothing before it has a width. */
	draw() {
		if (this.node.clientWidth === 0)
			return;
		const { data, series, bands } = this.mode === "terms" ?
			byTerms(this.data) : byTotals(this.data);
		this.plot?.destroy();
		this.plot = new uPlot({
			width: this.width(), height: HEIGHT,
			/* The last label may stand at the very end. */
			padding: [null, 36, null, null],
			scales: { x: { time: false },
				y: { range: top(this.profile) } },
			axes: [{ ...axis((u, v) => v.map(duration), 34),
				incrs: STEPS, space: 80 },
				{ ...axis((u, v) => v.map(bytes), 70), splits }],
			series: [{ label: "time", value: (u, v) => duration(v) },
				...series],
			bands,
			legend: { markers: { fill: (u, i) => (i === 0 ? null :
				this.mode === "terms" ?
					colour(`term-${TERMS[i - 1][0]}`) :
					colour(i === 1 ? "accent" : "second")) } },
			cursor: { drag: { x: true, y: false,
				setScale: this.zooms } },
			hooks: { draw: [decorate(this.profile)],
				setSelect: [(u) => this.select(u)] },
		}, data, this.room);
		this.zoomed = false;
	}

	width() {
		return Math.max(260, this.node.clientWidth);
	}

	resize() {
		const width = this.width();
		if (!this.plot)
			this.draw();
		else if (width !== this.plot.width)
			this.plot.setSize({ width, height: HEIGHT });
	}

	select(u) {
		if (u.select.width < 4)
			return;
		const from = u.posToVal(u.select.left, "x");
		const to = u.posToVal(u.select.left + u.select.width, "x");
		this.zoomed = this.zoomed || this.zooms;
		this.pick(from, to);
		if (this.zooms)
			u.setSelect({ left: 0, width: 0, top: 0, height: 0 },
				false);
	}

	/* The last point not behind @t; the first before it. */
	at(t) {
		const { at } = this.data;
		let i = 0;
		while (i + 1 < at.length && at[i + 1] <= t)
			i++;
		return i;
	}

	pick(from, to) {
		const a = this.at(from);
		const b = this.at(to);
		const { live, allocated } = this.data;
		const grown = live[b] - live[a];
		const words = `${duration(from)} to ${duration(to)}: live ` +
			`${bytes(live[a])} to ${bytes(live[b])} ` +
			`(${signed(grown)}, ${rate(grown / (to - from))}), ` +
			`${bytes((allocated[b] ?? 0) - (allocated[a] ?? 0))} ` +
			"allocated";
		this.picked.replaceChildren(h("span", null, words),
			h("button", { type: "button",
				onclick: () => this.zoom(from, to) }, "Zoom to it"),
			this.profile.moments.length > 1 && h("button", {
				type: "button",
				onclick: () => this.onInterval(from, to),
			}, "What grew in it") || "",
			h("button", { type: "button",
				onclick: () => this.reset() }, "Show all"));
		announce(words);
	}

	zoom(min, max) {
		this.plot.setScale("x", { min, max });
		this.zoomed = true;
	}

	reset() {
		const { at } = this.data;
		this.plot.setScale("x", { min: at[0], max: at[at.length - 1] });
		this.plot.setSelect({ left: 0, width: 0, top: 0, height: 0 },
			false);
		this.picked.replaceChildren();
		this.zoomed = false;
	}

	/* By a factor, around the cursor or the middle. */
	scale(by) {
		const { min, max } = this.plot.scales.x;
		const { at } = this.data;
		const i = this.plot.cursor.idx;
		const middle = i == null ? (min + max) / 2 : at[i];
		this.zoom(Math.max(at[0], middle - (middle - min) * by),
			Math.min(at[at.length - 1], middle + (max - middle) * by));
	}

	move(by) {
		const { at, live, resident } = this.data;
		const now = this.plot.cursor.idx ?? this.at(this.plot.scales.x.min);
		const i = Math.min(at.length - 1, Math.max(0, now + by));
		this.plot.setCursor({ left: this.plot.valToPos(at[i], "x"),
			top: 10 });
		announce(`${duration(at[i])}: live ${bytes(live[i])}` +
			(resident[i] ? `, resident ${bytes(resident[i])}` : ""));
	}

	key(e) {
		const big = Math.ceil(this.data.at.length / 20);
		const keys = {
			ArrowLeft: () => this.move(e.shiftKey ? -big : -1),
			ArrowRight: () => this.move(e.shiftKey ? big : 1),
			"+": () => this.scale(0.5), "=": () => this.scale(0.5),
			"-": () => this.scale(2), 0: () => this.reset(),
			Escape: () => this.reset(),
		};
		if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key])
			return;
		keys[e.key]();
		e.preventDefault();
	}
}

export function timeView(profile, onInterval) {
	const at = profile.raw.series?.at ?? [];
	if (at.length < 2)
		return { node: h("p.none", null, at.length === 0 ?
			"No series: it ended within its first second." :
			"The series has one point: there is nothing to draw.") };
	return new Chart(profile, onInterval);
}

export function marksList(profile) {
	const marks = profile.report.marks ?? [];
	if (marks.length === 0)
		return null;
	return h("details", null, h("summary", null,
		`Marks and events: ${count(marks.length)}`),
	h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Marks" },
		h("table.plain", null, h("thead", null, h("tr", null,
			["After", "Kind", "Name", "Live", "Resident"].map((t) =>
				h("th", { scope: "col" }, t)))),
		h("tbody", null, marks.map((m) => h("tr", null,
			h("td.num", null, duration(m.at)), h("td", null, m.kind),
			h("td", null, m.name), h("td.num", null,
				bytes(m.live_bytes)),
			h("td.num", null, m.resident ? bytes(m.resident) :
				"-")))))));
}
