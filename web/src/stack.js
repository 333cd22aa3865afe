/*
 * stack.js - a path of calls, as a list, and the frame that tells most of it
 */
import { h } from "./dom.js";
import { base, place, shorten } from "./names.js";

/* Those that say what was done and not who wanted it. */
const RUNTIME = /^(lib(c|stdc\+\+|gcc_s|jemalloc|tcmalloc|m|pthread)[.-]|ld-)/;

/* Where what was made by a container's own code says so. */
const LIBRARIES = ["/include/c++/", "library/alloc/src/", "library/core/src/",
	"library/std/src/", "/rust/deps/", "/rustc/"];

export function telling(frames) {
	return frames.find((f) => !f.note && f.file !== "" &&
		!RUNTIME.test(base(f.module)) &&
		!LIBRARIES.some((l) => f.file.includes(l))) ??
		frames.find((f) => !f.note && !RUNTIME.test(base(f.module))) ??
		frames[0] ?? null;
}

export function frameWords(f) {
	const at = place(f.file, f.line);
	return `${shorten(f.function)}${at ? `  ${at}` : ""}`;
}

/* `leaf \u2190 caller \u2190 its caller`, a few of them */
export function briefly(frames, most = 3) {
	return frames.slice(0, most).map((f) => shorten(f.function))
		.join(" \u2190 ");
}

export function stackList(frames) {
	if (frames.length === 0)
		return h("p.none", null, "no stack is known of it");
	return h("ol.stack", { "aria-label": "Stack, the allocation first" },
		frames.map((f) => h("li", { title: f.function },
			h("span.function", null, shorten(f.function)),
			f.inlined && h("span.tag", null, "inlined"),
			h("span.place", { title: f.file },
				place(f.file, f.line)),
			h("span.module", { title: f.module },
				base(f.module)))));
}
