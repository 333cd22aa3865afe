/*
 * web-page.c - what a browser is shown
 *
 * The list of processes is plain HTML, and kept up to date by a script of a few
 * lines, which also draws each one's heap.  One process is shown by the page of
 * `heaptide report --html`, where that was built: it is told where its data
 * comes from, and when to ask anew.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "report/page.h"
#include "say/need.h"
#include "say/print.h"
#include "web/web.h"

/* --- the list ------------------------------------------------------------- */

const char web_page_script[] =
"'use strict';\n"
"const body = document.querySelector('tbody');\n"
"const state = document.querySelector('#state');\n"
"const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];\n"
"function size(n) {\n"
"	if (n === null || n === undefined) return '-';\n"
"	let u = 0;\n"
"	while (Math.abs(n) >= 1024 && u < 4) { n /= 1024; u++; }\n"
"	return (u ? n.toFixed(1) : n) + ' ' + units[u];\n"
"}\n"
"function cell(row, text, href) {\n"
"	const td = row.insertCell();\n"
"	if (!href) { td.textContent = text; return; }\n"
"	const a = document.createElement('a');\n"
"	a.textContent = text; a.href = href; td.append(a);\n"
"}\n"
"const past = new Map();\n"
"function heaps(p) {\n"
"	if (!past.has(p.pid)) {\n"
"		const held = [];\n"
"		past.set(p.pid, held);\n"
"		if (p.rss !== null) /* it is alive */\n"
"			fetch(`series/${p.pid}?n=120`).then(a => a.json()).then(\n"
"			    a => held.unshift(...a.series.map(s => s[1])))\n"
"			    .catch(() => {});\n"
"	}\n"
"	const held = past.get(p.pid);\n"
"	held.push(p.heap || 0);\n"
"	return held.splice(0, held.length - 120), held;\n"
"}\n"
"function chart(row, p) {\n"
"	const of = 'http://www.w3.org/2000/svg', held = heaps(p);\n"
"	const svg = document.createElementNS(of, 'svg');\n"
"	const line = document.createElementNS(of, 'polyline');\n"
"	const most = Math.max(1, ...held);\n"
"	svg.setAttribute('viewBox', '0 0 119 20');\n"
"	svg.setAttribute('role', 'img');\n"
"	svg.setAttribute('aria-label', `heap, at most ${size(most)}`);\n"
"	line.setAttribute('points', held.map((n, i) =>\n"
"		`${119 + i - held.length},${19 - 18 * n / most}`).join(' '));\n"
"	svg.append(line);\n"
"	row.insertCell().append(svg);\n"
"}\n"
"function draw(list) {\n"
"	body.replaceChildren();\n"
"	for (const pid of past.keys())\n"
"		if (!list.some(p => p.pid === pid)) past.delete(pid);\n"
"	for (const p of list) {\n"
"		const row = body.insertRow();\n"
"		cell(row, p.pid, body.dataset.of + p.pid);\n"
"		chart(row, p);\n"
"		for (const n of [p.heap, p.peak, p.rss, p.budget])\n"
"			cell(row, size(n));\n"
"		cell(row, p.growth === null ? '-' : size(Math.round("
"p.growth)) + '/s');\n"
"		cell(row, p.leaks ? p.leaks.growing : '-');\n"
"		cell(row, p.state + (p.memory_state && p.memory_state !== 'ok'"
" ? ', ' + p.memory_state : ''));\n"
"		cell(row, p.command);\n"
"		row.lastChild.title = p.command;\n"
"	}\n"
"}\n"
"const events = new EventSource('events');\n"
"events.addEventListener('processes', e => {\n"
"	const list = JSON.parse(e.data).processes;\n"
"	draw(list);\n"
"	state.textContent = list.length ? 'live' :\n"
"	    'live; there is none: heaptide run -- COMMAND starts one';\n"
"});\n"
"events.onerror = () => { state.textContent = 'connection lost'; };\n";

static const char head[] =
"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
"script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'\">\n"
"<meta name=\"viewport\" content=\"width=device-width\">\n"
"<title>heaptide</title>\n<style>\n"
":root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }\n"
"body { margin: 1em min(2em, 3vw) }\n"
"div { overflow-x: auto }\n"
"table { border-collapse: collapse; font-variant-numeric: tabular-nums }\n"
"th, td { padding: .2em .8em; text-align: right; white-space: nowrap }\n"
"th:nth-last-child(-n+2), td:nth-last-child(-n+2) { text-align: left }\n"
"td:last-child { max-width: 40em; overflow: hidden; "
"text-overflow: ellipsis }\n"
"tbody tr:nth-child(odd) { background: #8881 }\n"
"svg { width: 119px; height: 20px; fill: none; stroke: currentColor }\n"
"</style>\n<h1>Processes with heaptide inside</h1>\n"
"<p id=\"state\" role=\"status\"></p>\n"
"<div tabindex=\"0\" role=\"region\" aria-label=\"Processes\">\n"
"<table>\n<thead><tr><th>PID"
"<th>Last minutes<th>Heap<th>Peak<th>RSS<th>Budget<th>Growth<th>Leaks"
"<th>State<th>Command</thead>\n";

static const char tail[] =
"</tbody>\n</table>\n</div>\n<p><a href=\"metrics\">metrics</a> &middot; "
"<a href=\"processes\">processes</a> &middot; "
"<a href=\"checkpoints\">checkpoints</a> &middot; "
"<a href=\"help\">all there is</a></p>\n"
"<script src=\"live.js\"></script>\n</html>\n";

static void
put_escaped(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		default: fputc(*text, out);
		}
}

static void
put_text(FILE *out, const json_t *text)
{
	fputs("<td>", out);
	put_escaped(out, json_is_string(text) ? json_string_value(text) : "-");
}

static void
put_bytes(FILE *out, const json_t *bytes, const char *behind)
{
	char text[TEXT_BYTES_ROOM];
	double n = json_number_value(bytes);

	if (json_is_number(bytes))
		fprintf(out, "<td>%s%s%s", n < 0 ? "-" : "",
		    text_format_bytes(text, whole_u64(n < 0 ? -n : n)),
		    behind);
	else
		fputs("<td>-", out);
}

static void
put_process(FILE *out, const json_t *p, const char *of)
{
	static const char *const sizes[] = { "heap", "peak", "rss", "budget" };
	const json_t *leaks = json_object_get(json_object_get(p, "leaks"),
	    "growing");
	long long pid = (long long)json_integer_value(json_object_get(p,
	    "pid"));

	fprintf(out, "<tr><td><a href=\"%s%lld\">%lld</a><td>", of, pid,
	    pid);
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
		put_bytes(out, json_object_get(p, sizes[i]), "");
	put_bytes(out, json_object_get(p, "growth"), "/s");
	if (json_is_integer(leaks))
		fprintf(out, "<td>%lld", (long long)json_integer_value(leaks));
	else
		fputs("<td>-", out);
	put_text(out, json_object_get(p, "state"));
	put_text(out, json_object_get(p, "command"));
	fputc('\n', out);
}

char *
web_page_list(const struct web *w, const struct web_look *look, size_t *bytes)
{
	const char *of = w->page != NULL ? "process/" : "report/";
	size_t length, i;
	const char *text = web_look_find(look, LOOK_PROCESSES, 0, &length);
	json_t *all = json_loadb(text, length, 0, NULL), *p;
	char *page = NULL;
	FILE *out = need(open_memstream(&page, bytes));

	fputs(head, out);
	fprintf(out, "<tbody data-of=\"%s\">\n", of);
	json_array_foreach(json_object_get(all, "processes"), i, p)
		put_process(out, p, of);
	fputs(tail, out);
	fclose(out);
	json_decref(all);
	return need(page);
}

/* --- one process ---------------------------------------------------------- */

/* NULL where it was not built: the list then leads to reports. */
void
web_page_open(struct web *w)
{
	char why[512];

	w->page = page_template(why);
}

char *
web_page_process(const struct web *w, int pid, size_t *bytes)
{
	char *page = NULL;
	json_t *data;
	FILE *out;

	if (w->page == NULL)
		return NULL;
	data = need(json_pack("{s:{s:o, s:o, s:o}}", "serve",
	    "profile", json_sprintf("../profile/%d", pid),
	    "events", json_sprintf("../events/%d", pid),
	    "title", json_sprintf("process %d", pid)));
	out = need(open_memstream(&page, bytes));
	(void)page_write(out, w->page, data, true);
	fclose(out);
	json_decref(data);
	return need(page);
}
