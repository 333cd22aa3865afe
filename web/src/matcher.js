/*
 * matcher.js - what is typed into a search, as a test of a text
 *
 * Words are looked for as they stand, upper case or lower; `/.../` is a regular
 * expression.  What is none is looked for as a text.
 */
export function matcher(text) {
	const words = text.trim();
	if (words === "")
		return null;
	if (words.length > 2 && words[0] === "/" && words.endsWith("/")) {
		try {
			const pattern = new RegExp(words.slice(1, -1), "i");
			return (t) => pattern.test(t);
		} catch {
			/* then it is a text */
		}
	}
	const parts = words.toLowerCase().split(/\s+/);
	return (t) => {
		const low = t.toLowerCase();
		return parts.every((p) => low.includes(p));
	};
}
