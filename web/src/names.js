/*
 * names.js - names of C++ and Rust, short enough to be read in a box
 */

const WORDS = [
	[/\bstd::__cxx11::/g, "std::"],
	[/\bstd::__1::/g, "std::"],
	[/\bstd::basic_string<char[^<>]*(?:<[^<>]*>[^<>]*)*>/g, "std::string"],
	[/\[abi:[^\]]*\]/g, ""],
	[/::h[0-9a-f]{16}$/, ""],
	[/ \[clone [^\]]*\]/g, ""],
];

/* Where the bracket that opens at @at is closed; the end if it is not. */
function closing(name, at, open, close) {
	let depth = 0;
	for (let i = at; i < name.length; i++) {
		if (name[i] === open)
			depth++;
		else if (name[i] === close && !isArrow(name, i) && --depth === 0)
			return i;
	}
	return name.length - 1;
}

const isArrow = (name, i) =>
	name[i] === ">" && (name[i - 1] === "-" || name[i - 1] === "=");

/* `operator<<`, `operator()`, `operator->`: no brackets to be taken away. */
const OPERATOR = /\boperator ?(?:<=>|<<=?|>>=?|->\*?|<=?|>=?|\(\))/y;

/* What stands in brackets is dropped, "<>" left in its place. */
function strip(name) {
	let out = "";
	for (let i = 0; i < name.length; i++) {
		OPERATOR.lastIndex = i;
		const operator = OPERATOR.exec(name);
		if (operator && !/\w/.test(name[i - 1] ?? "")) {
			out += operator[0];
			i += operator[0].length - 1;
		} else if (name[i] === "<" && i > 0) {
			i = closing(name, i, "<", ">");
			out += "<>";
		} else if (name[i] === "(") {
			const end = closing(name, i, "(", ")");
			const inside = name.slice(i, end + 1);
			if (inside === "(anonymous namespace)")
				out += "(anon)";
			i = end;
		} else {
			out += name[i];
		}
	}
	return out;
}

/* Behind the parameters there may be `const`, before them a return type. */
function tidy(name) {
	let out = name.replace(/ (?:const|volatile|&&?|noexcept)+$/g, "");
	const plain = out.replace(/<[^<>]*>/g, (m) => "x".repeat(m.length));
	if (/\boperator\b/.test(plain))
		return out;
	const blank = plain.lastIndexOf(" ");
	if (blank > 0 && /^[\w:~(]/.test(out.slice(blank + 1)))
		out = out.slice(blank + 1);
	return out;
}

const known = new Map();

/* `std::vector<int, std::allocator<int>>::push_back(int&&)` and its like. */
export function shorten(name) {
	let short = known.get(name);
	if (short === undefined) {
		short = shortened(name);
		known.set(name, short);
	}
	return short;
}

function shortened(name) {
	if (!/[<(:]|\[abi|\[clone/.test(name) || name[0] === "[")
		return name;
	let out = name;
	for (const [pattern, by] of WORDS)
		out = out.replace(pattern, by);
	return tidy(strip(out).trim()) || name;
}

/* `libfoo.so.1`, of a path */
export function base(path) {
	return path.slice(path.lastIndexOf("/") + 1);
}

/* `parse.c:88`, `parse.c`, or "" */
export function place(file, line) {
	return file === "" ? "" : line ? `${base(file)}:${line}` : base(file);
}
