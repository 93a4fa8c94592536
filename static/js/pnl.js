// Open P&L as the server pushes it; only into positions that are on the screen.
import { send } from "./live.js";

export function startPnl() {
  document.addEventListener("live:pnl", (event) => show(event.detail));
  document.addEventListener("live:connected", watchShown);
  document.addEventListener("panels:swapped", watchShown);
}

function watchShown() {
  send({ type: "watch", positions: [...document.querySelectorAll("[data-position]")].map((row) => row.dataset.position) });
}

function show(message) {
  for (const [id, line] of Object.entries(message.positions)) {
    const row = document.querySelector(`[data-position="${CSS.escape(id)}"]`);
    if (row) showLine(row, line);
  }
  for (const element of document.querySelectorAll("[data-total]")) {
    element.dataset.at = message.total_at ?? "";
    write(element, message.total_text, sign(message.total));
  }
}

function showLine(row, line) {
  for (const name of ["open", "ticks", "last"]) {
    const cell = row.querySelector(`[data-cell="${name}"]`);
    if (!cell) continue;
    cell.dataset.at = line.at ?? "";
    write(cell, line.text[name], name === "open" ? sign(line.open) : null);
  }
}

function write(element, text, direction) {
  if (element.textContent !== text) element.textContent = text;
  if (direction === null) return;
  for (const name of ["up", "down", "flat"]) element.classList.toggle(name, name === direction);
}

function sign(amount) {
  if (amount === null || !/[1-9]/.test(amount)) return "flat";
  return amount.startsWith("-") ? "down" : "up";
}
