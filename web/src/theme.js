/*
 * theme.js - light, dark, or as the system has it
 */
import { announce, h } from "./dom.js";

const dark = () => matchMedia("(prefers-color-scheme: dark)");

/* Of a file there may be no storage; then it is forgotten, and no more. */
function remember(theme) {
	try {
		localStorage.setItem("heaptide-theme", theme);
	} catch {
		/* as said */
	}
}

function remembered() {
	try {
		return localStorage.getItem("heaptide-theme");
	} catch {
		return null;
	}
}

function show(button, theme) {
	document.documentElement.dataset.theme = theme;
	button.setAttribute("aria-pressed", String(theme === "dark"));
}

/* A button; @changed is called after each change of colours. */
export function themeSwitch(changed) {
	const button = h("button.icon", {
		type: "button", title: "Light or dark (t)",
		"aria-label": "Dark colours",
	}, "\u25d0");
	let own = remembered();
	show(button, own ?? (dark().matches ? "dark" : "light"));
	button.addEventListener("click", () => {
		own = document.documentElement.dataset.theme === "dark" ?
			"light" : "dark";
		remember(own);
		show(button, own);
		announce(`${own} colours`);
		changed();
	});
	dark().addEventListener("change", () => {
		if (own)
			return;
		show(button, dark().matches ? "dark" : "light");
		changed();
	});
	return button;
}
