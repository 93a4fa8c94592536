// Panels fetch their own inside again when something they show has changed: at most four times a second each. Those
// with `data-every` also do after so many milliseconds, for figures that nobody announces.
import { Idiomorph } from "idiomorph";
import { htmx } from "./htmx.js";

const INTERVAL_MS = 250;
const RETRY_MS = 3_000;
const panels = new Map();

export function startPanels() {
  document.addEventListener("live:news", (event) => refreshWhere((topics) => event.detail.topics.some((t) => topics.has(t))));
  document.addEventListener("live:snapshot", () => refreshWhere(() => true));
  for (const panel of document.querySelectorAll("[data-every]")) setInterval(() => ask(panel), Number(panel.dataset.every));
  document.addEventListener("visibilitychange", () => document.hidden || runDue());
  document.addEventListener("click", (event) => {
    const panel = event.target.closest("[data-retry]")?.closest("[data-panel]");
    if (panel) ask(panel);
  });
}

function refreshWhere(concerns) {
  for (const panel of document.querySelectorAll("[data-panel]")) {
    if (concerns(new Set(panel.dataset.topics.split(" ")))) ask(panel);
  }
}

function stateOf(panel) {
  if (!panels.has(panel)) panels.set(panel, { isBusy: false, isDue: false, at: -Infinity });
  return panels.get(panel);
}

function ask(panel) {
  stateOf(panel).isDue = true;
  run(panel);
}

function runDue() {
  for (const [panel, state] of panels) if (state.isDue) run(panel);
}

function run(panel) {
  const state = stateOf(panel);
  if (!panel.isConnected) return panels.delete(panel);
  // A hidden tab waits until somebody looks at it.
  if (state.isBusy || document.hidden) return;
  state.isBusy = true;
  setTimeout(() => refresh(panel, state), Math.max(0, state.at + INTERVAL_MS - performance.now()));
}

async function refresh(panel, state) {
  state.isDue = false;
  state.at = performance.now();
  try {
    await swapIn(panel);
    panel.dataset.panelState = "filled";
  } catch {
    panel.dataset.panelState = "error";
    if (!panel.dataset.every) setTimeout(() => ask(panel), RETRY_MS);
  }
  state.isBusy = false;
  if (state.isDue) run(panel);
}

async function swapIn(panel) {
  const response = await fetch(panel.dataset.panel, { headers: { "HX-Request": "true" }, redirect: "error" });
  if (!response.ok) throw new Error(String(response.status));
  const inside = panel.querySelector("[data-panel-inside]");
  const before = revisions(inside);
  // Morphing keeps focus, scroll position and selection where they are.
  Idiomorph.morph(inside, await response.text(), { morphStyle: "innerHTML", ignoreActiveValue: true });
  htmx.process(inside);
  for (const row of inside.querySelectorAll("[data-rev]")) flash(row, before.get(row.id));
  document.dispatchEvent(new CustomEvent("panels:swapped"));
}

function revisions(root) {
  return new Map([...root.querySelectorAll("[data-rev]")].map((row) => [row.id, row.dataset.rev]));
}

function flash(row, before) {
  if (before === row.dataset.rev) return;
  row.classList.remove("flash");
  requestAnimationFrame(() => row.classList.add("flash"));
  row.addEventListener("animationend", () => row.classList.remove("flash"), { once: true });
}
