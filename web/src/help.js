/*
 * help.js - which keys do what
 */
import { h } from "./dom.js";

const KEYS = [
	["?", "this help"], ["/", "search in the flame graph"],
	["t", "light or dark"], ["1 to 9", "go to a section"],
	["Tab", "from one part to the next"],
	["\u2191 \u2193 \u2190 \u2192", "in the flame graph: caller, callee, neighbours; in the chart: the cursor"],
	["Enter", "zoom to a box"], ["Esc", "zoom out; clear a search"],
	["Home", "all of the flame graph"],
	["+ \u2212 0", "in the chart: nearer, farther, all"],
];

export function helpDialog() {
	const dialog = h("dialog", { "aria-labelledby": "help-title" },
		h("h2", { id: "help-title" }, "Keys"),
		h("table.plain", null, h("tbody", null, KEYS.map(([k, t]) =>
			h("tr", null, h("th", { scope: "row" },
				h("kbd", null, k)), h("td", null, t))))),
		h("p.faint", null, "In searches and filters, words must all be " +
			"there; /.../ is a regular expression."),
		h("form", { method: "dialog" }, h("button", null, "Close")));
	return dialog;
}

const typing = (node) => node.matches("input, select, textarea");

/* @act: what is done for each key; a number goes to that section */
export function listen(act) {
	document.addEventListener("keydown", (e) => {
		if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target) ||
		    document.querySelector("dialog[open]"))
			return;
		if (/^[1-9]$/.test(e.key))
			act.section(Number(e.key) - 1);
		else if (act[e.key])
			act[e.key]();
		else
			return;
		e.preventDefault();
	});
}
