// The light and dark switch; remembered in this browser.
export function startTheme() {
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const root = document.documentElement;
    root.dataset.theme = root.dataset.theme === "light" ? "dark" : "light";
    try {
      localStorage.setItem("jt-theme", root.dataset.theme);
    } catch {
      // Not remembered where storage is refused; the page still changes.
    }
  });
}
