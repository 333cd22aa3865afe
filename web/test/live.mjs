/*
 * live.mjs - pages in a browser: what tests/live/html.sh has made
 *
 * By the environment: PAGE and REPORT, of one profile with growth, marks and
 * stacks; BARE, of one without stacks; HOSTILE, of one with names that are
 * markup; TEMPLATE, the frame.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { bytes, count } from "../src/format.js";
import { openBrowser, openPage } from "./browser.mjs";
import { generate, write } from "./generate.mjs";

const { PAGE, REPORT, BARE, HOSTILE, TEMPLATE } = process.env;
const url = (file) => pathToFileURL(file).href;
const report = JSON.parse(readFileSync(REPORT, "utf8"));
const big = join(mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), "page-")),
	"big.html");
let browser;

before(async () => {
	write(TEMPLATE, big, generate(20000));
	browser = await openBrowser();
});
after(() => browser.close());

/* A test of a page, which must have been silent all the time. */
function on(file, name, body, options) {
	test(name, { timeout: 120000 }, async () => {
		const { page, context, noise } = await openPage(browser,
			url(file), options);
		try {
			await body(page);
			assert.deepEqual(noise.filter((n) =>
				!options?.expected?.test(n)), []);
		} finally {
			await context.close();
		}
	});
}

const text = (page, selector) => page.locator(selector).first().innerText();
const sum = (list) => list.reduce((a, b) => a + b, 0);
const inStack = (site, name) => site.stack.some((f) => f.function === name);
const rows = (page) => page.locator("#sites tbody tr:not(.detail)");
const named = (page, name) =>
	page.getByRole("button", { name, exact: true });

/* --- what it says --------------------------------------------------------- */

on(PAGE, "totals are those of report --json", async (page) => {
	const tiles = await text(page, ".tiles");
	const t = report.totals;
	for (const words of [bytes(t.live_bytes), bytes(t.peak_bytes),
		count(t.allocations), bytes(t.allocated_bytes),
		bytes(report.rss.resident)])
		assert.ok(tiles.includes(words), `${words} in ${tiles}`);
	const inside = await page.evaluate(() => JSON.parse(
		document.getElementById("heaptide-data").textContent));
	assert.deepEqual(inside.report.totals, t);
	assert.deepEqual(inside.report.rss.terms, report.rss.terms);
	assert.equal(sum(inside.sites.live_bytes),
		sum([...report.sites, ...report.mappings, ...report.pool_sites]
			.map((s) => s.live_bytes)));
	assert.equal(inside.series.at.length, report.series.length);
});

on(PAGE, "what keeps growing is said first, and drawn", async (page) => {
	assert.match(await text(page, ".sentences"), /grow/);
	const cards = page.locator("#leaks article");
	assert.ok(await cards.count() > 0);
	assert.match(await cards.first().innerText(), /leak_here/);
	assert.equal(await cards.first().locator("svg .slope").count(), 1);
	await cards.first().locator("summary").click();
	assert.match(await cards.first().locator(".stack").innerText(), /main/);
	assert.match(await cards.first().locator(".bars").innerText(), /100 %/);
});

on(PAGE, "resident memory is explained to 100 %", async (page) => {
	const table = await text(page, "#memory table");
	assert.match(table, /resident\s+[\d.]+ [KMG]iB\s+100 %/);
	for (const [name, n] of Object.entries(report.rss.terms))
		assert.ok(table.includes(`${name}\t${bytes(n)}`), name);
});

on(BARE, "what a profile does not have is told", async (page) => {
	assert.match(await text(page, "#flame"), /No stacks/);
	assert.match(await text(page, "#sites"), /No sites/);
	assert.match(await text(page, "#time"), /No series|one point/);
	assert.match(await text(page, "#batches"), /no batches/);
	assert.equal(await page.locator("canvas").count(), 0);
});

on(HOSTILE, "names that are markup are text", async (page) => {
	assert.match(await text(page, "h1"), /<img src=x onerror=/);
	assert.equal(await page.evaluate(() => window.owned), undefined);
	assert.equal(await page.locator("img").count(), 0);
});

on(PAGE, "a script that was not built in does not run", async (page) => {
	assert.equal(await page.evaluate(() => {
		const script = document.createElement("script");
		script.textContent = "window.owned = 1";
		document.body.append(script);
		return window.owned;
	}), undefined);
}, { expected: /Content Security Policy/ });

/* --- tables --------------------------------------------------------------- */

on(PAGE, "sites are sorted by a click, up and down", async (page) => {
	const calls = report.sites.map((s) => s.allocations);
	const cell = rows(page).first().locator("td").nth(6).locator("span");
	await named(page, "Calls").click();
	assert.equal(await cell.getAttribute("title"),
		count(Math.max(...calls)));
	assert.equal(await page.locator("#sites th", { hasText: "Calls" })
		.getAttribute("aria-sort"), "descending");
	await named(page, "Calls").click();
	assert.equal(await cell.getAttribute("title"),
		count(Math.min(...calls)));
});

on(PAGE, "sites are filtered by any function of their stack", async (page) => {
	const expected = report.sites.filter((s) => inStack(s, "leak_here"));
	await page.getByLabel("Filter Sites", { exact: true }).fill("leak_here");
	assert.equal(await rows(page).count(), expected.length);
	assert.equal(await text(page, "#sites .status"),
		`${expected.length} of ${report.sites.length} rows`);
	await page.getByLabel("Filter Sites", { exact: true }).fill("/^no such$/");
	assert.match(await text(page, "#sites tbody"), /nothing matches/);
	await page.getByLabel("Filter Sites", { exact: true }).fill("");
	assert.equal(await rows(page).count(), report.sites.length);
});

on(PAGE, "a row opens to its stack, leaf first", async (page) => {
	const site = report.sites.reduce((a, b) =>
		(b.live_bytes > a.live_bytes ? b : a));
	const button = rows(page).first().locator("button");
	await button.focus();
	await page.keyboard.press("Enter");
	assert.equal(await rows(page).first().locator("button")
		.getAttribute("aria-expanded"), "true");
	assert.deepEqual(await page.locator("#sites .stack .function")
		.allInnerTexts(), site.stack.map((f) => f.function));
	assert.match(await text(page, "#sites .stack .place"),
		new RegExp(`:${site.stack[0].line}`));
	await page.keyboard.press("Enter");
	assert.equal(await page.locator("#sites .detail").count(), 0);
});

on(big, "of 20,000 sites some are shown, and more on demand", async (page) => {
	assert.equal(await rows(page).count(), 60);
	assert.equal(await text(page, "#sites .status"),
		`${count(20000)} rows`);
	await page.locator("#sites .more button").click();
	assert.equal(await rows(page).count(), 360);
	await page.getByLabel("Filter Sites", { exact: true }).fill("#19999");
	assert.equal(await rows(page).count(), 1);
});

/* --- the flame graph ------------------------------------------------------ */

const about = (page) => text(page, "#flame .about");

on(PAGE, "a search says how much matches", async (page) => {
	const live = sum(report.sites.map((s) => s.live_bytes));
	const hit = sum(report.sites.filter((s) => inStack(s, "leak_here"))
		.map((s) => s.live_bytes));
	await page.keyboard.press("/");
	await page.keyboard.type("leak_here");
	const found = await text(page, "#flame .share");
	assert.ok(found.includes(bytes(hit)), found);
	assert.ok(found.includes(`${(100 * hit / live).toFixed(1)} %`), found);
	await page.keyboard.press("Escape");
	assert.equal(await text(page, "#flame .share"), "");
	await page.keyboard.type("no such function");
	assert.equal(await text(page, "#flame .share"), "nothing matches");
});

on(PAGE, "arrows walk, Enter zooms, Escape goes back", async (page) => {
	await page.locator(".flame").focus();
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("ArrowDown");
	const words = await about(page);
	assert.equal(await text(page, "#announce").catch(() => ""), words);
	await page.keyboard.press("ArrowUp");
	assert.notEqual(await about(page), words);
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	const crumbs = page.locator(".crumbs button");
	assert.equal(await crumbs.count(), 3);
	assert.equal(await crumbs.last().getAttribute("aria-current"),
		"location");
	assert.ok(words.startsWith(await crumbs.last().innerText()));
	await page.keyboard.press("Escape");
	assert.equal(await crumbs.count(), 2);
	await page.keyboard.press("Home");
	assert.equal(await page.locator(".crumbs").isVisible(), false);
});

on(PAGE, "a click zooms, a crumb goes back", async (page) => {
	const canvas = page.locator("#flame canvas");
	await canvas.scrollIntoViewIfNeeded();
	await canvas.hover({ position: { x: 8, y: 19 * 4 + 9 } });
	assert.equal(await page.locator(".tip").isVisible(), true);
	const words = await text(page, ".tip");
	await canvas.click({ position: { x: 8, y: 19 * 4 + 9 } });
	const crumbs = page.locator(".crumbs button");
	assert.equal(await crumbs.count(), 5);
	assert.ok(words.startsWith(await crumbs.last().innerText()));
	await crumbs.first().click();
	assert.equal(await page.locator(".crumbs").isVisible(), false);
});

on(PAGE, "inverted, it begins at who allocates", async (page) => {
	const leaves = new Map();
	for (const s of report.sites) {
		const name = s.stack[0].function;
		leaves.set(name, (leaves.get(name) ?? 0) + s.live_bytes);
	}
	const [name, most] = [...leaves].sort((a, b) => b[1] - a[1])[0];
	await page.getByLabel("Inverted").check();
	await page.locator(".flame").focus();
	await page.keyboard.press("ArrowDown");
	const words = await about(page);
	assert.ok(words.startsWith(`${name}: ${bytes(most)}`), words);
});

on(PAGE, "each measure has its own width", async (page) => {
	for (const [value, member] of [["peak", "at_peak_bytes"],
		["allocated", "allocated_bytes"]]) {
		await page.getByLabel("Width is").selectOption(value);
		await page.locator(".flame").focus();
		await page.keyboard.press("Home");
		assert.ok((await about(page)).startsWith(`all: ${bytes(sum(
			report.sites.map((s) => s[member])))},`), value);
	}
	await page.getByLabel("Width is").selectOption("allocations");
	await page.locator(".flame").focus();
	await page.keyboard.press("Home");
	assert.ok((await about(page)).startsWith(
		`all: ${count(sum(report.sites.map((s) => s.allocations)))},`));
});

on(PAGE, "growth between two marks is what diff says", async (page) => {
	const data = await page.evaluate(() => JSON.parse(
		document.getElementById("heaptide-data").textContent));
	const [from, to] = [2, data.moments.length - 2];
	const at = (m) => data.history.site.map((id, k) => {
		const { first, moment, live } = data.history;
		let held = 0;
		for (let e = first[k]; e < (first[k + 1] ?? moment.length); e++)
			if (moment[e] <= m)
				held = live[e];
		return data.sites.kind[data.sites.id.indexOf(id)] === 0 ?
			held : 0;
	});
	const before = at(from);
	const grown = sum(at(to).map((v, i) => Math.max(0, v - before[i])));
	assert.ok(grown > 0);
	await page.getByLabel("Width is").selectOption("growth");
	await page.getByLabel("from").selectOption(String(from));
	await page.getByLabel("to", { exact: true }).selectOption(String(to));
	await page.locator(".flame").focus();
	await page.keyboard.press("Home");
	assert.ok((await about(page)).startsWith(`all: +${bytes(grown)},`));
});

on(PAGE, "the flame graph is there as a table", async (page) => {
	await page.getByText("As a table, by function").click();
	const table = page.locator("#flame .table");
	await page.getByLabel("Filter Functions").fill("leak_here");
	assert.equal(await table.locator("tbody tr").count(), 1);
	assert.ok((await table.locator("tbody").innerText()).includes(
		bytes(sum(report.sites.filter((s) => inStack(s, "leak_here"))
			.map((s) => s.live_bytes)))));
	await table.locator("button.link").first().click();
	assert.equal(await text(page, ".crumbs [aria-current]"), "leak_here");
});

on(big, "100,000 boxes are drawn, searched, zoomed", async (page) => {
	assert.ok(await page.evaluate(() => {
		const c = document.querySelector("#flame canvas");
		const { data } = c.getContext("2d").getImageData(0, 0, c.width,
			Math.min(c.height, 400));
		return new Set(new Uint32Array(data.buffer)).size;
	}) > 20);
	await page.getByLabel("Inverted").check();
	await page.keyboard.press("/");
	await page.getByLabel("Search functions").fill("parse");
	assert.match(await text(page, "#flame .share"), /boxes match/);
});

/* --- over time ------------------------------------------------------------ */

on(big, "dragging over the chart zooms and tells the interval",
	async (page) => {
		const over = page.locator(".u-over");
		const box = await over.boundingBox();
		const legend = () => text(page, ".u-legend");
		await page.mouse.move(box.x + 300, box.y + 50);
		assert.match(await legend(), /live:?\s*\d+(\.\d)? GiB/);
		await page.mouse.down();
		await page.mouse.move(box.x + 500, box.y + 60, { steps: 5 });
		await page.mouse.up();
		assert.match(await text(page, ".picked"),
			/h .* to .* h .* live .*GiB to .*GiB/);
		await page.getByText("What grew in it").click();
		assert.equal(await page.getByLabel("Width is").inputValue(),
			"growth");
		await named(page, "Show all").first().click();
		assert.equal(await text(page, ".picked"), "");
	});

on(big, "the chart's cursor goes by arrows, and is told", async (page) => {
	await page.locator(".chart").focus();
	await page.keyboard.press("ArrowRight");
	await page.keyboard.press("ArrowRight");
	assert.match(await page.locator("#announce").textContent(),
		/live [\d.]+ GiB/);
	await page.keyboard.press("+");
	await page.keyboard.press("0");
	/* What it draws of its axes: there is ink below the picture. */
	assert.ok(await page.evaluate(() => {
		const c = document.querySelector(".chart canvas");
		const { data } = c.getContext("2d").getImageData(c.width / 4,
			c.height - 20, c.width / 2, 20);
		return data.some((v) => v !== 0);
	}));
	await page.getByText("As a table", { exact: true }).click();
	assert.ok(await page.locator("#time table tbody tr").count() > 150);
});

/* --- for everybody -------------------------------------------------------- */

const dark = (page) => page.evaluate(() =>
	document.documentElement.dataset.theme);

on(PAGE, "dark if the system is, and by a key", async (page) => {
	assert.equal(await dark(page), "dark");
	const colour = () => page.evaluate(() =>
		getComputedStyle(document.body).backgroundColor);
	const before = await colour();
	await page.keyboard.press("t");
	assert.equal(await dark(page), "light");
	assert.notEqual(await colour(), before);
	await page.emulateMedia({ colorScheme: "dark" });
	assert.equal(await dark(page), "light"); /* what was chosen stays */
}, { colorScheme: "dark" });

on(PAGE, "keys are explained, and lead to the sections", async (page) => {
	await page.keyboard.press("?");
	assert.match(await text(page, "dialog"), /search in the flame graph/);
	await page.keyboard.press("Escape");
	assert.equal(await page.locator("dialog").isVisible(), false);
	await page.keyboard.press("3");
	assert.equal(await page.evaluate(() => document.activeElement.id),
		"sites-title");
});

on(PAGE, "Tab comes to all parts in the order of the page", async (page) => {
	const seen = [];
	for (let i = 0; i < 60; i++) {
		await page.keyboard.press("Tab");
		seen.push(await page.evaluate(() => {
			const a = document.activeElement;
			return a.closest("section")?.id ?? a.tagName;
		}));
	}
	const order = seen.filter((s, i) => /^[a-z]/.test(s) &&
		seen.indexOf(s) === i);
	assert.deepEqual(order.slice(0, 4), ["time", "flame", "sites",
		"leaks"]);
});

for (const [name, file] of [["a page", PAGE], ["a bare page", BARE],
	["a page of 20,000 sites", big]])
	for (const colorScheme of ["light", "dark"])
		on(file, `axe finds nothing wrong with ${name}, ${colorScheme}`,
			async (page) => {
				await page.evaluate(() => document.querySelectorAll(
					"details").forEach((d) => { d.open = true; }));
				await page.evaluate(axe.source);
				const { violations } = await page.evaluate(() =>
					window.axe.run());
				assert.deepEqual(violations.map((v) => `${v.id}: ` +
					v.nodes.slice(0, 3).map((n) => n.html.slice(0,
						160)).join(" | ")), []);
			}, { colorScheme });

on(PAGE, "nothing sticks out of a narrow window", async (page) => {
	assert.ok(await page.evaluate(() =>
		document.scrollingElement.scrollWidth) <= 360);
}, { viewport: { width: 360, height: 700 } });

on(PAGE, "paper has no controls", async (page) => {
	await page.emulateMedia({ media: "print" });
	assert.equal(await page.locator(".sections").isVisible(), false);
	assert.equal(await page.locator("#flame .tools").first().isVisible(),
		false);
	assert.equal(await page.locator(".tiles").isVisible(), true);
});

/* --- served --------------------------------------------------------------- */

/* A server as web/README.md says; what it answers is @state.data. */
function serve(state) {
	const frame = readFileSync(TEMPLATE, "utf8")
		.replace("connect-src 'none'", "connect-src 'self'")
		.replace("@HEAPTIDE_DATA@", () => JSON.stringify({ serve: {
			profile: "profile.json", events: "events" } }));
	const server = createServer((request, answer) => {
		if (request.url === "/events") {
			answer.writeHead(200,
				{ "content-type": "text/event-stream" });
			state.events = answer;
			answer.write(": hello\n\n");
		} else if (request.url === "/profile.json") {
			answer.writeHead(200,
				{ "content-type": "application/json" });
			answer.end(JSON.stringify(state.data));
		} else {
			answer.writeHead(200,
				{ "content-type": "text/html; charset=utf-8" });
			answer.end(frame);
		}
	});
	return new Promise((done) => server.listen(0, "127.0.0.1", () =>
		done(server)));
}

test("served, it follows what changes, and keeps what was typed",
	{ timeout: 120000 }, async () => {
		const state = { data: generate(50) };
		const server = await serve(state);
		const { page, context, noise } = await openPage(browser,
			`http://127.0.0.1:${server.address().port}/`);
		try {
			await page.waitForSelector(".state[data-state=live]");
			await page.keyboard.press("/");
			await page.keyboard.type("parse");
			await page.getByLabel("Filter Sites", { exact: true }).fill("store");
			state.data.report.totals.live_bytes = 12345 * 1024;
			state.events.write("event: change\ndata: 1\n\n");
			await page.getByText("12.1 MiB", { exact: true })
				.waitFor({ timeout: 10000 });
			assert.equal(await page.getByLabel("Search functions")
				.inputValue(), "parse");
			assert.match(await text(page, "#flame .share"), /match/);
			assert.equal(await page.getByLabel("Filter Sites", { exact: true })
				.inputValue(), "store");
			assert.match(await text(page, "#sites .status"), / of /);
			state.events.write("event: end\ndata: 1\n\n");
			await page.waitForSelector(".state[data-state=ended]");
			assert.deepEqual(noise.filter((n) =>
				!n.startsWith("request:")), []);
		} finally {
			await context.close();
			server.closeAllConnections();
			server.close();
		}
	});
