/*
 * data.js - where a profile comes from, and its tables as things to ask
 *
 * The only file that knows the contract of README.md, in and out.
 */

/* Columns as typed arrays; what is not there is empty. */
const numbers = (list) => Float64Array.from(list ?? []);
const indices = (list) => Int32Array.from(list ?? []);

function decodeSites(sites) {
	const s = sites ?? {};
	return {
		count: s.id?.length ?? 0,
		id: indices(s.id),
		kind: indices(s.kind),
		path: indices(s.path),
		allocations: numbers(s.allocations),
		frees: numbers(s.frees),
		allocated: numbers(s.allocated_bytes),
		blocks: numbers(s.live_blocks),
		live: numbers(s.live_bytes),
		requested: s.live_requested_bytes ?
			numbers(s.live_requested_bytes) : null,
		peak: numbers(s.at_peak_bytes),
		temporary: numbers(s.temporary),
		error: numbers(s.error),
		drawn: numbers(s.drawn),
		pool: indices(s.pool),
	};
}

export const KIND_HEAP = 0;
export const KIND_MAPPING = 1;
export const KIND_POOL = 2;

export class Profile {
	constructor(raw) {
		this.raw = raw;
		this.report = raw.report ?? {};
		this.strings = raw.strings ?? [""];
		this.frames = {
			function: indices(raw.frames?.function),
			file: indices(raw.frames?.file),
			line: indices(raw.frames?.line),
			module: indices(raw.frames?.module),
			flags: indices(raw.frames?.flags),
		};
		this.parent = indices(raw.paths?.parent);
		this.frame = indices(raw.paths?.frame);
		this.sites = decodeSites(raw.sites);
		this.moments = raw.moments ?? [];
		this.index = new Map();
		for (let i = 0; i < this.sites.count; i++)
			this.index.set(this.sites.id[i], i);
		this.readHistory(raw.history ?? {});
		this.readLives(raw.lives ?? {});
	}

	readHistory(history) {
		this.historyOf = new Map();
		this.history = history;
		(history.site ?? []).forEach((id, k) =>
			this.historyOf.set(id, k));
	}

	readLives(lives) {
		this.lives = lives;
		this.livesOf = new Map();
		(lives.site ?? []).forEach((id, k) => this.livesOf.set(id, k));
	}

	/* What site @i (a row) held at each moment; null: it is not known. */
	held(i) {
		const k = this.historyOf.get(this.sites.id[i]);
		if (this.moments.length === 0)
			return null;
		const out = new Float64Array(this.moments.length);
		if (k === undefined)
			return out;
		const { first, moment, live } = this.history;
		const end = k + 1 < first.length ? first[k + 1] : moment.length;
		for (let e = first[k]; e < end; e++)
			out.fill(live[e], moment[e]);
		return out;
	}

	/* Of each site (a row) what it held at moment @m; -1: what it holds now. */
	heldAt(m) {
		const out = new Float64Array(this.sites.count);
		if (m < 0) {
			out.set(this.sites.live);
			return out;
		}
		const { site, first, moment, live } = this.history;
		(site ?? []).forEach((id, k) => {
			const row = this.index.get(id);
			const end = k + 1 < first.length ? first[k + 1] :
				moment.length;
			if (row === undefined)
				return;
			for (let e = first[k]; e < end && moment[e] <= m; e++)
				out[row] = live[e];
		});
		return out;
	}

	/* Frames of a path, leaf first. */
	stack(path) {
		const list = [];
		for (let at = path; at > 0; at = this.parent[at])
			list.push(this.describe(this.frame[at]));
		return list;
	}

	describe(frame) {
		const f = this.frames;
		return {
			function: this.strings[f.function[frame]],
			file: this.strings[f.file[frame]],
			line: f.line[frame],
			module: this.strings[f.module[frame]],
			inlined: (f.flags[frame] & 1) !== 0,
			note: (f.flags[frame] & 2) !== 0,
		};
	}

	/* Blocks by how long they lived: 22 buckets; null: none were watched. */
	lifetimes(row) {
		const k = this.livesOf.get(this.sites.id[row]);
		return k === undefined ? null :
			this.lives.bucket.slice(22 * k, 22 * k + 22);
	}
}

/* --- where it comes from -------------------------------------------------- */

function inline() {
	const text = document.getElementById("heaptide-data").textContent;
	return JSON.parse(text);
}

async function ask(url) {
	const answer = await fetch(url, { cache: "no-store" });
	if (!answer.ok)
		throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
	return new Profile(await answer.json());
}

/* One fetch a second at most, and the last change is never missed. */
function follow(serve, draw, tell) {
	const events = new EventSource(serve.events);
	let busy = false;
	let again = false;
	const update = async () => {
		if (busy) {
			again = true;
			return;
		}
		busy = true;
		try {
			draw(await ask(serve.profile));
			tell("live");
		} catch (error) {
			tell("lost", error.message);
		}
		setTimeout(() => {
			busy = false;
			if (again) {
				again = false;
				update();
			}
		}, 1000);
	};
	events.addEventListener("change", update);
	events.addEventListener("end", () => {
		events.close();
		ask(serve.profile).then(draw, () => {}).then(() =>
			tell("ended"));
	});
	events.onerror = () => tell("lost", "connection lost");
}

/*
 * draw(profile): once of a report, and each time that there is something new
 * of a process that is served.  tell(state, why): "inline", "live", "lost",
 * "ended".
 */
export async function load(draw, tell) {
	const raw = inline();
	if (!raw.serve) {
		draw(new Profile(raw));
		tell("inline");
		return;
	}
	draw(await ask(raw.serve.profile));
	tell(raw.serve.events ? "live" : "inline");
	if (raw.serve.events)
		follow(raw.serve, draw, tell);
}
