/*
 * main.js - the page: its parts in order, and what they say to each other
 */
import "uplot/dist/uPlot.min.css";
import "./style/colours.css";
import "./style/page.css";
import "./style/parts.css";
import "./style/print.css";
import { marksList, timeView } from "./chart.js";
import { load } from "./data.js";
import { h, replace } from "./dom.js";
import { flameView } from "./flame-view.js";
import { identity, sentences, tiles } from "./head.js";
import { helpDialog, listen } from "./help.js";
import { histograms } from "./histogram.js";
import { leaksView } from "./leaks.js";
import { batchesView, findingsView, lossesView, modulesView, poolsView,
	threadsView } from "./lists.js";
import { reconciliation } from "./memory.js";
import { sitesView } from "./sites.js";
import { themeSwitch } from "./theme.js";

/* Those that are drawn anew when there is something new; null: left out. */
const SECTIONS = [
	["time", "Time", null],
	["flame", "Flame graph", null],
	["sites", "Sites", null],
	["leaks", "Growth", leaksView],
	["memory", "Resident memory", reconciliation],
	["histograms", "Sizes and lives", histograms],
	["batches", "Batches", batchesView],
	["threads", "Threads", threadsView],
	["pools", "Pools", poolsView],
	["findings", "Findings", findingsView],
	["losses", "Losses", lossesView],
	["modules", "Modules", modulesView],
];

class Page {
	constructor() {
		this.header = h("header.top");
		this.nav = h("nav.sections", { "aria-label": "Sections" });
		this.main = h("main", { id: "main", tabindex: -1 });
		this.state = h("span.state", { role: "status" });
		this.help = helpDialog();
		this.parts = new Map();
		this.theme = themeSwitch(() => this.repaint());
		document.getElementById("page").replaceChildren(
			h("a.skip", { href: "#main" }, "Skip to the profile"),
			this.header, this.nav, this.main, this.help,
			h("footer", null, footer()));
		listen({
			"?": () => this.help.showModal(),
			"/": () => this.search(),
			t: () => this.theme.click(),
			section: (n) => this.go(n),
		});
	}

	draw(profile) {
		this.profile = profile;
		document.title = `${profile.report.command?.[0] ?? "a process"} ` +
			`(${profile.report.pid}) \u2014 heaptide`;
		replace(this.header, identity(profile), h("div.controls", null,
			this.state, this.theme, h("button.icon", {
				type: "button", title: "Keys (?)",
				"aria-label": "Help: keys",
				onclick: () => this.help.showModal(),
			}, "?")));
		if (this.time)
			this.renew(profile);
		else
			this.create(profile);
		const top = h("div", { id: "top" }, tiles(profile),
			sentences(profile));
		document.getElementById("top")?.remove();
		this.main.prepend(top);
	}

	create(profile) {
		for (const [id, title, make] of SECTIONS)
			this.add(id, title, make ? make(profile) :
				this.make(id, profile));
		replace(this.nav, [...this.parts].map(([id, { title }]) =>
			h("a", { href: `#${id}` }, title)));
		/* Only now it is known how wide they are. */
		this.time.resize?.();
		this.flame.flame?.draw();
	}

	make(id, profile) {
		if (id === "time") {
			this.time = timeView(profile, (from, to) =>
				this.flame.showGrowth?.(from, to));
			this.marks = h("div", null, marksList(profile));
			return [this.time.node, this.marks];
		}
		if (id === "flame") {
			this.flame = flameView(profile);
			return this.flame.node;
		}
		this.sites = sitesView(profile);
		return this.sites.node;
	}

	add(id, title, content) {
		if (content === null)
			return;
		const room = h("div.content", null, content);
		this.parts.set(id, { title, room });
		this.main.append(h("section", { id, "aria-labelledby": `${id}-title` },
			h("h2", { id: `${id}-title` }, title), room));
	}

	/* In place: what was searched, zoomed and sorted stays. */
	renew(profile) {
		for (const [id, , make] of SECTIONS) {
			const part = this.parts.get(id);
			if (!part)
				continue;
			if (make)
				this.remake(part, make(profile));
			else
				this.renewOne(id, profile, part);
		}
	}

	/* Not under somebody's hands; and what was open stays so. */
	remake(part, content) {
		if (content === null ||
		    part.room.contains(document.activeElement))
			return;
		const open = [...part.room.querySelectorAll("details")].map(
			(d) => d.open);
		replace(part.room, content);
		part.room.querySelectorAll("details").forEach((d, i) => {
			d.open = open[i] ?? false;
		});
	}

	renewOne(id, profile, part) {
		const view = { time: this.time, flame: this.flame,
			sites: this.sites }[id];
		if (id === "time")
			this.remake({ room: this.marks }, marksList(profile));
		if (view.setProfile)
			view.setProfile(profile);
		else
			replace(part.room, this.make(id, profile));
	}

	repaint() {
		this.time?.plot?.redraw(false);
		this.flame?.flame?.draw();
	}

	search() {
		const input = this.flame?.search;
		if (!input)
			return;
		input.focus();
		input.select();
	}

	go(n) {
		const id = [...this.parts.keys()][n];
		const heading = id && document.getElementById(`${id}-title`);
		if (!heading)
			return;
		heading.setAttribute("tabindex", "-1");
		heading.focus();
		heading.scrollIntoView();
	}

	tell(state, why) {
		this.state.dataset.state = state;
		this.state.textContent = { inline: "", live: "live",
			ended: "ended", lost: `not connected: ${why}` }[state];
	}
}

function footer() {
	return [h("p", null, "Made by heaptide. Sizes are powers of 1024; " +
		"usable bytes unless it says otherwise."),
	h("p", null, "Charts: uPlot, \u00a9 Leon Sorokin, MIT licence.")];
}

function failed(error) {
	document.getElementById("page").replaceChildren(h("p.failed",
		{ role: "alert" }, `The profile cannot be shown: ${error.message}`));
}

const page = new Page();
load((profile) => page.draw(profile),
	(state, why) => page.tell(state, why)).then(() => {
	document.documentElement.dataset.ready = "yes";
	performance.mark("heaptide-ready");
}, failed);
