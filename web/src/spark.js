/*
 * spark.js - what a site held over time, with the slope that was found in it
 */
import { svg } from "./dom.js";
import { bytes } from "./format.js";

const W = 260;
const H = 56;
const PAD = 3;

function scale(points) {
	const xs = points.map(([x]) => x);
	const ys = points.map(([, y]) => y).concat(0);
	const x0 = Math.min(...xs);
	const x1 = Math.max(...xs);
	const top = Math.max(...ys, 1);
	return {
		x: (v) => PAD + (W - 2 * PAD) * (x1 > x0 ?
			(v - x0) / (x1 - x0) : 0.5),
		y: (v) => H - PAD - (H - 2 * PAD) * Math.max(0, v) / top,
		x1, top,
	};
}

const line = (s, list) => list.map(([x, y], i) =>
	`${i ? "L" : "M"}${s.x(x).toFixed(1)} ${s.y(y).toFixed(1)}`).join("");

/* From where the growth began: the slope, and between which it lies. */
function fan(s, slope) {
	const { from, level, rate, low, high } = slope;
	const dx = s.x1 - from;
	const at = (r) => level + r * dx;
	return [
		svg("path", { class: "band", d: `${line(s,
			[[from, level], [s.x1, at(high)], [s.x1, at(low)]])}Z` }),
		svg("path", { class: "slope", d: line(s,
			[[from, level], [s.x1, at(rate)]]) }),
	];
}

/* @points: [seconds or epochs, bytes]; @slope: see fan(), or null */
export function spark(points, slope, words) {
	if (points.length < 2)
		return null;
	const s = scale(points);
	const area = [[points[0][0], 0], ...points,
		[points[points.length - 1][0], 0]];
	return svg("svg", {
		class: "spark", viewBox: `0 0 ${W} ${H}`, role: "img",
		preserveAspectRatio: "none", "aria-label": words ??
			`from ${bytes(points[0][1])} to ` +
			bytes(points[points.length - 1][1]),
	}, svg("path", { class: "area", d: `${line(s, area)}Z` }),
	slope ? fan(s, slope) : null,
	svg("path", { class: "line", d: line(s, points) }));
}
