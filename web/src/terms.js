/*
 * terms.js - what resident memory is made of: the terms, in one order and one
 * set of colours everywhere
 */
export const TERMS = [
	["live", "live", "blocks of the heap, as they were asked for"],
	["slack", "slack", "what the allocator gave beyond what was asked"],
	["retained", "retained", "freed, and kept by the allocator"],
	["mapped", "mapped", "mapped by the program itself"],
	["stacks", "stacks", "of threads"],
	["files", "files", "programs, libraries, mapped files"],
	["shared", "shared", "shared memory"],
	["heaptide", "heaptide", "heaptide's own"],
	["unattributed", "unattributed", "nothing else explains it"],
];

/* Those that have anything in @terms: [name, title, meaning, bytes]. */
export function termsOf(terms) {
	return TERMS.map(([name, title, meaning]) =>
		[name, title, meaning, terms?.[name] ?? 0]);
}
