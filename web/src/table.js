/*
 * table.js - tables that sort and filter, some hundred rows at a time
 *
 * 20,000 rows as elements take seconds; so there are as many as are looked at,
 * and a button for more.  Sorting and filtering are of all.
 */
import { h, replace, announce } from "./dom.js";
import { count } from "./format.js";
import { matcher } from "./matcher.js";

const STEP = 60;

/* By its label: a table that is made anew goes on as the last one was left. */
const kept = new Map();

/*
 * @columns: {name, title, number, value(row), show(row), sort: false}
 * @rows: anything; @text(row): what a filter looks in, or null: no filter
 * @detail(row): an element below an expanded row, or null
 * @id(row): what stays the same of a row when there are new ones
 */
export class Table {
	constructor({ label, columns, rows, text, detail, sort, empty, id }) {
		Object.assign(this, { label, columns, rows, text, detail, empty });
		this.id = id ?? ((row) => row);
		this.key = sort?.[0] ?? null;
		this.down = sort?.[1] ?? true;
		this.shown = STEP;
		this.filter = "";
		this.open = new Set();
		Object.assign(this, kept.get(label));
		this.build();
		this.refresh();
	}

	build() {
		this.body = h("tbody");
		this.head = h("tr", null,
			this.detail && h("th.toggle", { scope: "col" },
				h("span.hidden", null, "Expand")),
			this.columns.map((c) => this.heading(c)));
		this.status = h("span.status", { role: "status" });
		this.more = h("button", {
			type: "button",
			onclick: () => {
				this.shown += 5 * STEP;
				this.draw();
			},
		}, "Show more");
		const input = this.text && h("input", {
			type: "search", placeholder: "Filter: words or /regexp/",
			"aria-label": `Filter ${this.label}`,
			value: this.filter,
			oninput: () => this.setFilter(input.value),
		});
		this.input = input;
		this.node = h("div.table", null,
			this.text && h("div.tools", null, input, this.status),
			h("div.scroll", { tabindex: 0, role: "region",
				"aria-label": `Table: ${this.label}` },
				h("table", null,
					h("caption.hidden", null, this.label),
					h("thead", null, this.head), this.body)),
			h("div.more", null, this.more));
	}

	heading(c) {
		if (c.sort === false)
			return h("th", { scope: "col", title: c.title },
				c.name);
		c.th = h(c.number ? "th.num" : "th", {
			scope: "col", title: c.title,
		}, h("button.sort", {
			type: "button",
			onclick: () => this.setSort(c.name),
		}, c.name));
		return c.th;
	}

	setSort(name) {
		const column = this.columns.find((c) => c.name === name);
		this.down = this.key === name ? !this.down : !!column.number;
		this.key = name;
		this.refresh();
		announce(`sorted by ${name}, ` +
			(this.down ? "largest first" : "smallest first"));
	}

	setFilter(text) {
		this.filter = text;
		this.shown = STEP;
		this.refresh();
	}

	setRows(rows) {
		this.rows = rows;
		this.refresh();
	}

	refresh() {
		const matches = this.text ? matcher(this.filter) : null;
		const column = this.columns.find((c) => c.name === this.key);
		this.found = matches ? this.rows.filter((r) =>
			matches(this.text(r))) : this.rows.slice();
		if (column)
			this.sortBy(column);
		for (const c of this.columns)
			c.th?.setAttribute("aria-sort", c !== column ? "none" :
				this.down ? "descending" : "ascending");
		kept.set(this.label, { key: this.key, down: this.down,
			filter: this.filter, open: this.open });
		this.draw();
	}

	sortBy(column) {
		const value = new Map(this.found.map((r) =>
			[r, column.value(r)]));
		const order = this.down ? -1 : 1;
		this.found.sort((a, b) => {
			const x = value.get(a);
			const y = value.get(b);
			return order * (typeof x === "string" ?
				x.localeCompare(y) : x - y);
		});
	}

	draw() {
		const rows = this.found.slice(0, this.shown);
		const left = this.found.length - rows.length;
		this.status.textContent = this.found.length === this.rows.length ?
			`${count(this.rows.length)} rows` :
			`${count(this.found.length)} of ` +
			`${count(this.rows.length)} rows`;
		this.more.parentNode.hidden = left === 0;
		this.more.textContent = `Show more (${count(left)} left)`;
		replace(this.body, rows.length === 0 ?
			h("tr", null, h("td.none", {
				colspan: this.columns.length + 1,
			}, this.rows.length === 0 ? this.empty ?? "none" :
				"nothing matches")) :
			rows.map((r) => this.row(r)));
	}

	row(r) {
		const cells = this.columns.map((c) =>
			h(c.number ? "td.num" : "td.text", null, c.show(r)));
		if (!this.detail)
			return h("tr", null, cells);
		const id = this.id(r);
		const open = this.open.has(id);
		const button = h("button.toggle", {
			type: "button", "aria-expanded": String(open),
			"aria-label": "Show the stack",
		}, open ? "\u25be" : "\u25b8");
		const tr = h("tr", null, h("td.toggle", null, button), cells);
		const flip = () => {
			if (this.open.has(id))
				this.open.delete(id);
			else
				this.open.add(id);
			this.draw();
			this.body.querySelectorAll("button.toggle")[
				this.found.indexOf(r)]?.focus();
		};
		button.addEventListener("click", flip);
		return open ? [tr, h("tr.detail", null, h("td", {
			colspan: cells.length + 1,
		}, this.detail(r)))] : tr;
	}
}
