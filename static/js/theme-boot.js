// Runs before the first paint, so that a page never flashes in the other theme. Dark unless the reader chose light.
let chosen = "dark";
try {
  if (localStorage.getItem("jt-theme") === "light") chosen = "light";
} catch {
  // Storage is refused in some private windows; the default stands.
}
document.documentElement.dataset.theme = chosen;
