/*
 * measure.mjs - how long a page takes from the start of its navigation to the
 * picture that is complete: measure.mjs PAGE [TIMES]
 *
 * A figure, not a test.  The picture is complete when the frame is presented
 * that comes after all parts were made.
 */
import { pathToFileURL } from "node:url";
import { openBrowser, openPage } from "./browser.mjs";

const [file, times] = process.argv.slice(2);
const browser = await openBrowser();
const found = [];
for (let i = 0; i < Number(times ?? 7); i++) {
	const { page, context } = await openPage(browser,
		pathToFileURL(file).href);
	found.push(await page.evaluate(() => new Promise((done) => {
		requestAnimationFrame(() => requestAnimationFrame((t) => {
			const ready = performance.getEntriesByName(
				"heaptide-ready")[0].startTime;
			const paints = performance.getEntriesByType("paint");
			const [navigation] =
				performance.getEntriesByType("navigation");
			done({ ready, presented: t, read: navigation.responseEnd,
				painted: paints.at(-1)?.startTime ?? 0 });
		}));
	})));
	await context.close();
}
await browser.close();
for (const [words, of] of [["median", (n) => n >> 1], ["least", () => 0]]) {
	const at = (name) => found.map((f) => f[name]).sort((a, b) => a - b)[
		of(found.length)].toFixed(0);
	console.log(`${words} of ${found.length}: read ${at("read")} ms, made ` +
		`${at("ready")} ms, painted ${at("painted")} ms, seen ` +
		`${at("presented")} ms`);
}
