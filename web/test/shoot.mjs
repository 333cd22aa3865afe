/*
 * shoot.mjs - pictures of a page, to be looked at: shoot.mjs PAGE PREFIX
 */
import { pathToFileURL } from "node:url";
import { openBrowser, openPage } from "./browser.mjs";

const [file, prefix] = process.argv.slice(2);
const url = pathToFileURL(file).href;
const browser = await openBrowser();
for (const [name, options] of [
	["light", { colorScheme: "light" }],
	["dark", { colorScheme: "dark" }],
	["narrow", { colorScheme: "light",
		viewport: { width: 400, height: 800 } }],
]) {
	const { page, context, noise } = await openPage(browser, url, options);
	await page.screenshot({ path: `${prefix}-${name}.png`, fullPage: true });
	for (const line of noise)
		console.log(`${name}: ${line}`);
	await context.close();
}
await browser.close();
