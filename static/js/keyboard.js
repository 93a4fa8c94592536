// Shortcuts: `?` lists them, `g` and a letter goes, `/` searches, `j` and `k` walk the rows.
const PLACES = new Map(
  [...document.querySelectorAll("[data-go]")].map((link) => [link.dataset.go, link.getAttribute("href")]),
);
let isGoing = false;

export function startKeyboard() {
  const help = document.getElementById("shortcuts");
  if (!help) return;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (isGoing) {
      isGoing = false;
      if (PLACES.has(event.key)) location.assign(PLACES.get(event.key));
      return;
    }
    if (event.key === "g") {
      isGoing = true;
      setTimeout(() => (isGoing = false), 1200);
    } else if (event.key === "?") {
      help.showModal();
    } else if (event.key === "/") {
      focusSearch(event);
    } else if (event.key === "j" || event.key === "k") {
      walkRows(event.key === "j" ? 1 : -1);
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcuts]")) help.showModal();
    if (event.target === help || event.target.closest("#shortcuts [data-close]")) help.close();
  });
}

function isTyping(element) {
  return element.closest("input, select, textarea, [contenteditable]") !== null;
}

function focusSearch(event) {
  const search = document.querySelector("[data-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
}

function walkRows(step) {
  const links = [...document.querySelectorAll(".row-link")];
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
}
