/*
 * tree.js - sites with an amount each, as one tree of calls
 *
 * Frames are one box where they are one function of one module under the same
 * callers, whatever their line.  Nodes are rows of flat arrays, node 0 is all;
 * parents come before their children.
 */

class Tree {
	constructor() {
		this.parent = [-1];
		this.frame = [-1]; /* one that stands for all */
		this.value = [0];
		this.self = [0];
		this.depth = [0];
		this.find = new Map();
	}

	/* Keys of frames are below 2^26, nodes too: exact in a double. */
	child(parent, key, frame) {
		const at = parent * 67108864 + key;
		let node = this.find.get(at);
		if (node === undefined) {
			node = this.parent.length;
			this.find.set(at, node);
			this.parent.push(parent);
			this.frame.push(frame);
			this.value.push(0);
			this.self.push(0);
			this.depth.push(this.depth[parent] + 1);
		}
		return node;
	}
}

/* Of each frame the number of its function and module. */
export function frameKeys(frames) {
	const keys = new Map();
	return Int32Array.from(frames.function, (f, i) => {
		const name = f * 4194304 + frames.module[i];
		let key = keys.get(name);
		if (key === undefined) {
			key = keys.size;
			keys.set(name, key);
		}
		return key;
	});
}

/* From the root: paths that share callers share nodes already. */
function grow(tree, profile, keys, amount) {
	const { parent, frame, sites } = profile;
	const own = new Float64Array(parent.length);
	for (let i = 0; i < sites.count; i++)
		own[sites.path[i]] += amount[i];
	const sum = Float64Array.from(own);
	for (let p = parent.length - 1; p > 0; p--)
		sum[parent[p]] += sum[p];
	const node = new Int32Array(parent.length);
	tree.value[0] = sum[0];
	tree.self[0] = own[0];
	for (let p = 1; p < parent.length; p++) {
		if (sum[p] <= 0)
			continue;
		const n = tree.child(node[parent[p]], keys[frame[p]], frame[p]);
		node[p] = n;
		tree.value[n] += sum[p];
		tree.self[n] += own[p];
	}
}

/* From the leaf: who allocates, and below it who had it do so. */
function growInverted(tree, profile, keys, amount) {
	const { parent, frame, sites } = profile;
	for (let i = 0; i < sites.count; i++) {
		const v = amount[i];
		if (!(v > 0))
			continue;
		let node = 0;
		tree.value[0] += v;
		for (let p = sites.path[i]; p > 0; p = parent[p]) {
			node = tree.child(node, keys[frame[p]], frame[p]);
			tree.value[node] += v;
		}
		tree.self[node] += v;
	}
}

/* Children of each node behind each other, the largest first. */
function sortChildren(tree) {
	const n = tree.parent.length;
	const first = new Int32Array(n + 1);
	for (let i = 1; i < n; i++)
		first[tree.parent[i] + 1]++;
	for (let i = 0; i < n; i++)
		first[i + 1] += first[i];
	const at = first.slice();
	const child = new Int32Array(n > 0 ? n - 1 : 0);
	for (let i = 1; i < n; i++)
		child[at[tree.parent[i]]++] = i;
	for (let i = 0; i < n; i++)
		if (first[i + 1] - first[i] > 1)
			child.subarray(first[i], first[i + 1]).sort((a, b) =>
				tree.value[b] - tree.value[a] || a - b);
	tree.first = first;
	tree.child_ = child;
}

/* @amount: a number a site (a row), what is not above 0 is not there. */
export function makeTree(profile, amount, inverted) {
	const tree = new Tree();
	const keys = profile.keys ??= frameKeys(profile.frames);
	const positive = amount.map((v) => (v > 0 ? v : 0));
	(inverted ? growInverted : grow)(tree, profile, keys, positive);
	sortChildren(tree);
	return {
		count: tree.parent.length,
		parent: Int32Array.from(tree.parent),
		frame: Int32Array.from(tree.frame),
		value: Float64Array.from(tree.value),
		self: Float64Array.from(tree.self),
		depth: Int32Array.from(tree.depth),
		first: tree.first,
		children: tree.child_,
	};
}

export function childrenOf(tree, node) {
	return tree.children.subarray(tree.first[node], tree.first[node + 1]);
}

/* From just below the root down to @node. */
export function pathTo(tree, node) {
	const list = [];
	for (let at = node; at > 0; at = tree.parent[at])
		list.unshift(at);
	return list;
}

/*
 * Which nodes below @root match, and how much they are together: what is below
 * one that matches is not counted again.
 */
export function search(tree, root, matches) {
	const hit = new Uint8Array(tree.count);
	const within = new Uint8Array(tree.count);
	let sum = 0;
	let found = 0;
	within[root] = 1;
	for (let n = root; n < tree.count; n++) {
		const parent = tree.parent[n];
		if (n !== root) {
			if (!within[parent])
				continue;
			within[n] = within[parent];
		}
		if (n > 0 && matches(tree.frame[n])) {
			hit[n] = 1;
			found++;
			if (within[n] === 1)
				sum += tree.value[n];
			within[n] = 2;
		}
	}
	return { hit, sum, found };
}

/*
 * Functions by what they and what they call hold: a function that calls itself
 * is counted once.
 */
export function byFunction(tree, keys) {
	const rows = new Map();
	const open = new Map();
	const visit = (node) => {
		const key = keys[tree.frame[node]];
		let row = rows.get(key);
		if (!row) {
			row = { frame: tree.frame[node], total: 0, self: 0,
				node };
			rows.set(key, row);
		}
		row.self += tree.self[node];
		if (!open.get(key))
			row.total += tree.value[node];
		return key;
	};
	/* Without recursion of ours: stacks may be 1024 deep. */
	const todo = [...childrenOf(tree, 0)].map((n) => [n, false]);
	while (todo.length > 0) {
		const [node, leave] = todo.pop();
		if (leave) {
			const key = keys[tree.frame[node]];
			open.set(key, open.get(key) - 1);
			continue;
		}
		const key = visit(node);
		open.set(key, (open.get(key) ?? 0) + 1);
		todo.push([node, true]);
		for (const c of childrenOf(tree, node))
			todo.push([c, false]);
	}
	return [...rows.values()].sort((a, b) => b.total - a.total);
}
