/*
 * format.js - numbers as people read them; the same words as the command's
 */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

export function bytes(n) {
	if (n === null || n === undefined || Number.isNaN(n))
		return "-";
	const sign = n < 0 ? "-" : "";
	let v = Math.abs(n);
	let unit = 0;
	while (v >= 1023.95 && unit < UNITS.length - 1) {
		v /= 1024;
		unit++;
	}
	return unit === 0 ? `${sign}${Math.round(v)} B` :
		`${sign}${v.toFixed(v < 99.95 ? 1 : 0)} ${UNITS[unit]}`;
}

export function signed(n) {
	return n > 0 ? `+${bytes(n)}` : bytes(n);
}

/* 12 345 678 */
export function count(n) {
	if (n === null || n === undefined || Number.isNaN(n))
		return "-";
	return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

const SHORT = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/* 12.3 M: where room is short */
export function brief(n) {
	if (Math.abs(n) < 9999.5)
		return count(n);
	for (const [size, unit] of SHORT)
		if (Math.abs(n) >= size)
			return `${(n / size).toPrecision(3)} ${unit}`;
	return String(Math.round(n));
}

export function share(part, whole) {
	if (!(whole > 0))
		return "-";
	const percent = 100 * part / whole;
	if (percent !== 0 && Math.abs(percent) < 0.05)
		return percent < 0 ? ">-0.1 %" : "<0.1 %";
	return `${percent.toFixed(Math.abs(percent) < 99.95 ? 1 : 0)} %`;
}

const pad = (n) => String(n).padStart(2, "0");

export function duration(s) {
	if (s === null || s === undefined || Number.isNaN(s))
		return "-";
	if (s < 0)
		return `-${duration(-s)}`;
	if (s === 0)
		return "0 s";
	if (s < 1e-3)
		return `${(s * 1e6).toPrecision(3)} us`;
	if (s < 0.9995)
		return `${(s * 1e3).toPrecision(3)} ms`;
	if (s < 59.95)
		return `${s.toFixed(s < 9.95 ? 2 : 1)} s`;
	const whole = Math.round(s);
	if (whole < 3600)
		return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
	if (whole < 86400)
		return `${Math.floor(whole / 3600)} h ` +
			`${pad(Math.floor(whole % 3600 / 60))} min`;
	return `${Math.floor(whole / 86400)} d ` +
		`${Math.floor(whole % 86400 / 3600)} h`;
}

export function rate(bytesPerSecond) {
	const per = Math.abs(bytesPerSecond);
	if (per * 3600 < 1024 && per > 0)
		return `${signed(bytesPerSecond * 86400)}/day`;
	return per < 17 ? `${signed(bytesPerSecond * 3600)}/h` :
		`${signed(bytesPerSecond)}/s`;
}

export function probability(p) {
	return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`;
}

export function date(seconds) {
	const d = new Date(seconds * 1000);
	return Number.isNaN(d.getTime()) ? "-" :
		`${d.getFullYear()}-${pad(d.getMonth() + 1)}-` +
		`${pad(d.getDate())} ${pad(d.getHours())}:` +
		`${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

export function plural(n, word) {
	return `${count(n)} ${word}${n === 1 ? "" : "s"}`;
}
