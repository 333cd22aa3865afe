/*
 * browser.mjs - a page in Debian's Chromium, and what it says while it opens
 */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser",
	"/usr/bin/google-chrome"];

/* undefined: there is none here */
export const browserPath = process.env.CHROMIUM ?? PLACES.find(existsSync);

export async function openBrowser() {
	return chromium.launch({
		executablePath: browserPath,
		args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
	});
}

/* @noise: errors, and whatever it asks of the network */
export async function openPage(browser, url, options = {}) {
	const { expected, ...wanted } = options;
	const context = await browser.newContext({
		viewport: { width: 1280, height: 900 }, ...wanted });
	const page = await context.newPage();
	const noise = [];
	page.on("console", (m) => {
		if (m.type() === "error" || m.type() === "warning")
			noise.push(`console: ${m.text()}`);
	});
	page.on("pageerror", (e) => noise.push(`error: ${e.message}`));
	page.on("request", (r) => {
		if (!/^(data:|file:)/.test(r.url()) ||
		    (r.url() !== url && !r.url().startsWith("data:")))
			noise.push(`request: ${r.url()}`);
	});
	await page.goto(url, { timeout: 120000 });
	await page.waitForSelector("html[data-ready]", { timeout: 120000 });
	return { page, context, noise };
}
