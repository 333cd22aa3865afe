/*
 * build.mjs - one template of all that is in src/: node build.mjs OUT [HASH]
 *
 * The same bytes each time: nothing of the machine, the time or the place where
 * it is built goes in.  Who has changed something has HASH, page.sha256, written
 * anew: `npm run hash`.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

const hashOf = (text) =>
	`'sha256-${createHash("sha256").update(text).digest("base64")}'`;

async function bundle() {
	const { outputFiles } = await build({
		absWorkingDir: here,
		entryPoints: ["src/main.js"],
		outdir: "/out", /* a name; nothing is written there */
		bundle: true, write: false, minify: true, charset: "utf8",
		format: "iife", target: "es2022",
		legalComments: "none", logLevel: "warning",
	});
	const of = (end) => outputFiles.find((f) => f.path.endsWith(end)).text
		.trim();
	return { script: of(".js"), style: of(".css") };
}

/* By functions: a `$&` in what is put in must stay one. */
function fill(frame, parts) {
	return Object.entries(parts).reduce((text, [name, value]) => {
		if (text.split(`@${name}@`).length !== 2)
			throw new Error(`src/index.html: @${name}@ must be once`);
		return text.replace(`@${name}@`, () => value);
	}, frame);
}

const { script, style } = await bundle();
if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style))
	throw new Error("the bundle would end its own element");
const frame = await readFile(join(here, "src/index.html"), "utf8");
const notice = await readFile(join(here, "NOTICE"), "utf8");
const page = fill(frame, {
	SCRIPT_HASH: hashOf(script), STYLE_HASH: hashOf(style),
	NOTICE: notice.trim().replaceAll("--", "- -"),
	STYLE: style, SCRIPT: script,
});
const [, , out, hashFile] = process.argv;
if (!out)
	throw new Error("usage: node build.mjs OUT [HASH]");
await writeFile(out, page);
if (hashFile)
	await writeFile(hashFile, createHash("sha256").update(page)
		.digest("hex") + "  page.html\n");
