/*
 * memory.js - resident memory explained to the last byte, as a bar and a table
 */
import { h } from "./dom.js";
import { bytes, share } from "./format.js";
import { termsOf } from "./terms.js";

function bar(terms, resident) {
	return h("div.bar", { "aria-hidden": "true" },
		terms.filter(([, , , n]) => n > 0).map(([name, title, , n]) =>
			h("div.part", {
				title: `${title}: ${bytes(n)}, ` +
					share(n, resident),
				style: {
					width: `${100 * n / resident}%`,
					background: `var(--term-${name})`,
				},
			}, n / resident > 0.08 && h("span", null, title))));
}

function table(terms, resident) {
	const row = ([name, title, meaning, n]) => h("tr", null,
		h("td.term", null, h("span.swatch", {
			style: { background: `var(--term-${name})` },
		}), title),
		h("td.num", null, bytes(n)),
		h("td.num", null, share(n, resident)),
		h("td.faint", null, meaning));
	return h("table.plain", null,
		h("caption.hidden", null, "Terms of resident memory"),
		h("thead", null, h("tr", null, h("th", { scope: "col" }, "Term"),
			h("th.num", { scope: "col" }, "Bytes"),
			h("th.num", { scope: "col" }, "Share"),
			h("th", { scope: "col" }, "Meaning"))),
		h("tbody", null, terms.map(row), h("tr.sum", null,
			h("td", null, "resident"), h("td.num", null,
				bytes(resident)),
			h("td.num", null, "100 %"), h("td"))));
}

export function reconciliation(profile) {
	const rss = profile.report.rss;
	if (!rss)
		return h("p.none", null, "Nobody looked at resident memory: " +
			"`heaptide run` does, and a report of a process that runs.");
	const terms = termsOf(rss.terms);
	return h("div", null, bar(terms, rss.resident),
		table(terms, rss.resident));
}
