/*
 * dom.js - elements from words; text is never taken for markup
 */

/* h("td.num", {title: "..."}, "12", child): properties, `on*`, attributes. */
export function h(what, props, ...children) {
	const [tag, ...classes] = what.split(".");
	const node = document.createElement(tag);
	if (classes.length)
		node.className = classes.join(" ");
	for (const [name, value] of Object.entries(props ?? {}))
		set(node, name, value);
	append(node, children);
	return node;
}

function set(node, name, value) {
	if (value === null || value === undefined || value === false)
		return;
	if (name.startsWith("on"))
		node.addEventListener(name.slice(2), value);
	else if (name === "style")
		Object.assign(node.style, value);
	else
		node.setAttribute(name, value === true ? "" : String(value));
}

function append(node, children) {
	for (const child of children.flat(2))
		if (child !== null && child !== undefined && child !== false)
			node.append(child);
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, props, ...children) {
	const node = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(props ?? {}))
		if (value !== null && value !== undefined)
			node.setAttribute(name, String(value));
	append(node, children);
	return node;
}

export function replace(node, ...children) {
	node.replaceChildren();
	append(node, children);
}

/* What a screen reader is told without the focus moving there. */
export function announce(text) {
	const region = document.getElementById("announce");
	if (region)
		region.textContent = text;
}

/* The value of a colour of the theme, as canvas and charts need it. */
export function colour(name) {
	return getComputedStyle(document.documentElement)
		.getPropertyValue(`--${name}`).trim();
}

let ids = 0;
export const freshId = () => `i${++ids}`;

/* A select with its label. */
export function choose(label, options, value, onchange) {
	const select = h("select", {
		"aria-label": label,
		onchange: () => onchange(select.value),
	}, options.map(([v, text, off]) =>
		h("option", { value: v, selected: v === value, disabled: off },
			text)));
	return h("label.field", null, h("span", null, label), select);
}

export function check(label, value, onchange) {
	const box = h("input", {
		type: "checkbox", checked: value,
		onchange: () => onchange(box.checked),
	});
	return h("label.check", null, box, label);
}
