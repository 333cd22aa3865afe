/*
 * flame.js - a flame graph on a canvas: of 20,000 sites there are 100,000
 * boxes, of which some hundred are wide enough to be seen
 *
 * Callers stand above what they call.  It knows a tree and a root to look from;
 * what is shown of which profile is flame-view.js's.
 */
import { colour } from "./dom.js";
import { childrenOf } from "./tree.js";

const ROW = 19;
const LEAST = 0.6; /* pixels; narrower boxes are one with their neighbours */
const FONT = "12px system-ui, sans-serif";

/* The same module has the same colour in every graph. */
function hue(text) {
	let n = 2166136261;
	for (let i = 0; i < text.length; i++)
		n = Math.imul(n ^ text.charCodeAt(i), 16777619);
	return (n >>> 0) % 360;
}

export class Flame {
	/* @name(frame), @module(frame): texts of a frame */
	constructor(canvas, { name, module, onPick, onHover }) {
		Object.assign(this, { canvas, name, module, onPick, onHover });
		this.context = canvas.getContext("2d");
		this.root = 0;
		this.focus = -1;
		this.hover = -1;
		this.found = null;
		canvas.addEventListener("mousemove", (e) => this.moved(e));
		canvas.addEventListener("mouseleave", () => this.point(-1, null));
		canvas.addEventListener("click", (e) => {
			const node = this.nodeAt(e.offsetX, e.offsetY);
			if (node >= 0)
				this.onPick(node);
		});
	}

	setTree(tree) {
		this.tree = tree;
		this.root = 0;
		this.focus = -1;
		this.found = null;
	}

	/* Boxes in the order of their rows: callers of the root, it, what it calls */
	layout(width) {
		const { tree, root } = this;
		const boxes = [];
		const above = [];
		for (let at = root; at >= 0; at = tree.parent[at])
			above.unshift(at);
		above.forEach((n, row) => boxes.push({ node: n, row, x: 0, width,
			above: n !== root }));
		const scale = width / (tree.value[root] || 1);
		const todo = [[root, 0, above.length]];
		while (todo.length > 0) {
			const [node, left, row] = todo.pop();
			let x = left;
			for (const c of childrenOf(tree, node)) {
				const w = tree.value[c] * scale;
				if (w < LEAST)
					break; /* the rest is smaller still */
				boxes.push({ node: c, row, x, width: w });
				todo.push([c, x, row + 1]);
				x += w;
			}
		}
		return boxes;
	}

	colours() {
		const dark = document.documentElement.dataset.theme === "dark";
		const paint = new Map();
		return {
			text: colour("flame-text"), page: colour("page"),
			found: colour("found"), faint: colour("flame-faint"),
			focus: colour("ink"), root: colour("flame-root"),
			of: (frame) => {
				const module = this.module(frame);
				let c = paint.get(module);
				if (!c) {
					c = `hsl(${hue(module)} ${dark ?
						"34% 34%" : "58% 80%"})`;
					paint.set(module, c);
				}
				return c;
			},
		};
	}

	/* Nothing before it has a width. */
	draw() {
		const ratio = devicePixelRatio || 1;
		const width = this.canvas.parentNode.clientWidth;
		if (width === 0)
			return;
		this.width = width;
		this.boxes = this.layout(width);
		const rows = this.boxes.reduce((m, b) => Math.max(m, b.row), 0) + 1;
		const height = rows * ROW;
		this.canvas.width = width * ratio;
		this.canvas.height = height * ratio;
		this.canvas.style.width = `${width}px`;
		this.canvas.style.height = `${height}px`;
		const c = this.context;
		c.setTransform(ratio, 0, 0, ratio, 0, 0);
		c.font = FONT;
		c.textBaseline = "middle";
		const paint = this.colours();
		for (const box of this.boxes)
			this.drawBox(c, box, paint);
		this.byRow = [];
		for (const box of this.boxes)
			(this.byRow[box.row] ??= []).push(box);
		for (const row of this.byRow)
			row.sort((a, b) => a.x - b.x);
	}

	fill(box, paint) {
		const { node } = box;
		if (this.found)
			return this.found.hit[node] ? paint.found : paint.faint;
		if (node === 0)
			return paint.root;
		return paint.of(this.tree.frame[node]);
	}

	drawBox(c, box, paint) {
		const y = box.row * ROW;
		const gap = box.width > 3 ? 1 : 0;
		c.globalAlpha = box.above ? 0.55 : 1;
		c.fillStyle = this.fill(box, paint);
		c.fillRect(box.x, y, box.width - gap, ROW - 1);
		if (box.node === this.focus || box.node === this.hover) {
			c.strokeStyle = paint.focus;
			c.lineWidth = box.node === this.focus ? 2 : 1;
			c.strokeRect(box.x + 1, y + 1, Math.max(1,
				box.width - gap - 2), ROW - 3);
		}
		if (box.width > 28)
			this.drawText(c, box, y, paint);
		c.globalAlpha = 1;
	}

	drawText(c, box, y, paint) {
		const room = box.width - 8;
		let text = this.label(box.node);
		const wide = c.measureText(text).width;
		if (wide > room) {
			const fits = Math.floor(text.length * room / wide) - 1;
			if (fits < 2)
				return;
			text = `${text.slice(0, fits)}\u2026`;
		}
		c.fillStyle = paint.text;
		c.fillText(text, box.x + 4, y + ROW / 2);
	}

	label(node) {
		return node === 0 ? "all" : this.name(this.tree.frame[node]);
	}

	nodeAt(x, y) {
		const row = this.byRow?.[Math.floor(y / ROW)] ?? [];
		let low = 0;
		let high = row.length - 1;
		while (low <= high) {
			const at = (low + high) >> 1;
			const box = row[at];
			if (x < box.x)
				high = at - 1;
			else if (x >= box.x + box.width)
				low = at + 1;
			else
				return box.node;
		}
		return -1;
	}

	moved(e) {
		this.point(this.nodeAt(e.offsetX, e.offsetY), e);
	}

	point(node, e) {
		if (node !== this.hover) {
			const before = this.hover;
			this.hover = node;
			this.repaint(before);
			this.repaint(node);
			this.canvas.style.cursor = node >= 0 ? "pointer" : "";
		}
		this.onHover(node, e);
	}

	/* One box anew: hovering must not draw all. */
	repaint(node) {
		const box = node < 0 ? null :
			this.boxes?.find((b) => b.node === node);
		if (!box)
			return;
		this.context.fillStyle = colour("page");
		this.context.fillRect(box.x, box.row * ROW, box.width, ROW);
		this.drawBox(this.context, box, this.colours());
	}

	boxOf(node) {
		return this.boxes?.find((b) => b.node === node) ?? null;
	}

	/* Where the focus goes by an arrow key; -1: nowhere. */
	next(direction) {
		const { tree } = this;
		const at = this.focus < 0 ? this.root : this.focus;
		if (direction === "up")
			return tree.parent[at];
		if (direction === "down")
			return childrenOf(tree, at)[0] ?? -1;
		if (at === 0)
			return -1;
		const siblings = childrenOf(tree, tree.parent[at]);
		return siblings[siblings.indexOf(at) +
			(direction === "right" ? 1 : -1)] ?? -1;
	}
}

export const flameRow = ROW;
