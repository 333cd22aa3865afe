/*
 * histogram.js - how long blocks lived, and how large they are
 */
import { h } from "./dom.js";
import { brief, bytes, duration, share } from "./format.js";

const BUCKETS = 22;

/* One bar a row; @rows: [label, value, words]. */
export function bars(label, rows, unit) {
	const most = Math.max(...rows.map(([, v]) => v), 1e-9);
	return h("table.bars", null,
		h("caption", null, label),
		h("thead.hidden", null, h("tr", null,
			h("th", { scope: "col" }, unit),
			h("th", { scope: "col" }, "share"),
			h("th", { scope: "col" }, "amount"))),
		h("tbody", null, rows.map(([name, value, words]) =>
			h("tr", null, h("th", { scope: "row" }, name),
				h("td.track", null, value > 0 && h("span.fill", {
					style: { width: `${100 * value / most}%` },
				})),
				h("td.num", null, words)))));
}

/* Without what is empty at both ends. */
function trim(rows) {
	let from = 0;
	let to = rows.length;
	while (from < to && rows[from][1] === 0)
		from++;
	while (to > from && rows[to - 1][1] === 0)
		to--;
	return rows.slice(from, to);
}

export function lifetimeBars(buckets, label) {
	const sum = buckets.reduce((a, b) => a + b, 0);
	if (sum === 0)
		return null;
	const low = (k) => (k === 0 ? "less than 4 us" :
		k === BUCKETS - 1 ? `${duration(4 ** k / 1e6)} or more` :
		`${duration(4 ** k / 1e6)} to ${duration(4 ** (k + 1) / 1e6)}`);
	return bars(label, trim([...buckets].map((n, k) =>
		[low(k), n, share(n, sum)])), "lived");
}

export function allLifetimes(profile) {
	const sum = new Array(BUCKETS).fill(0);
	(profile.lives.bucket ?? []).forEach((n, i) => {
		sum[i % BUCKETS] += n;
	});
	return sum;
}

/*
 * A profile has no size of each block; it has how many a site holds and how
 * many bytes they are.
 */
export function sizesOf(profile, blocks, amount) {
	const rows = new Map();
	for (let i = 0; i < profile.sites.count; i++) {
		if (profile.sites.kind[i] !== 0 || !(blocks[i] > 0))
			continue;
		const power = Math.max(0, Math.floor(Math.log2(
			amount[i] / blocks[i])));
		const row = rows.get(power) ?? [0, 0];
		rows.set(power, [row[0] + blocks[i], row[1] + amount[i]]);
	}
	if (rows.size === 0)
		return [];
	const powers = [...rows.keys()];
	const out = [];
	for (let p = Math.min(...powers); p <= Math.max(...powers); p++)
		out.push([p, ...rows.get(p) ?? [0, 0]]);
	return out;
}

function sizeBars(label, sizes) {
	return sizes.length === 0 ? null : bars(label,
		sizes.map(([p, blocks, sum]) => [
			`${bytes(2 ** p)} to ${bytes(2 ** (p + 1))}`, sum,
			sum > 0 ? `${bytes(sum)}, ${brief(blocks)} ` +
				(blocks === 1 ? "block" : "blocks") : "",
		]), "mean size");
}

export function histograms(profile) {
	const s = profile.sites;
	const lives = lifetimeBars(allLifetimes(profile),
		"How long freed blocks lived (of those watched, by weight)");
	const live = sizeBars("Live bytes by the mean size of a site's blocks",
		sizesOf(profile, s.blocks, s.live));
	const made = sizeBars(
		"All allocated bytes by the mean size of a site's blocks",
		sizesOf(profile, s.allocations, s.allocated));
	const missing = !lives && h("p.none", null, "No block was watched " +
		"from its birth to its end: that is done with --stacks all.");
	if (!lives && !live && !made)
		return h("p.none", null, "There are no sites, so nothing is " +
			"known of sizes or lives: --stacks all or sampled has them.");
	return h("div", null, missing, h("div.columns", null, lives, live, made));
}
